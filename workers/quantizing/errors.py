"""How quantizing says no."""


class QuantizeError(Exception):
    """The model cannot be quantized so. The message names the file or tensor, what is wrong, and the way out."""
