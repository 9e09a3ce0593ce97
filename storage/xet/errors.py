"""What can be wrong with bytes that claim to be Xet."""


class XetError(ValueError):
    """Bytes or text break the rules of Xet.  The message says what is wrong where, and is safe to show."""
