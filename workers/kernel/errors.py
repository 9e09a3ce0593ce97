"""What can be wrong with weights."""


class KernelError(ValueError):
    """Weights cannot be converted.  `row` and `column` count from 0; a block is named by its first column."""

    def __init__(self, reason: str, *, row: int, column: int) -> None:
        super().__init__(f"row {row}, column {column}: {reason}")
        self.reason = reason
        self.row = row
        self.column = column


class KernelMissingError(RuntimeError):
    """The library is not built for these sources."""
