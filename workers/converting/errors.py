"""How converting says no."""


class ConvertError(Exception):
    """The checkpoint cannot be converted so. The message names the file or tensor, what is wrong, and the way out."""
