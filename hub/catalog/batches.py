"""How much may be asked for at once when large files are about to be pushed."""

from collections.abc import Iterable

from hub.catalog.errors import TooLarge
from storage import parts, uploads

# What the stock client sends at once.  Every new file may be a call to the store.
MAX_FILES = 256
# 256 shards of 8 GB.  Every part is an address to be signed, half a kilobyte long.
MAX_PARTS = 32_000


def check_batch(sizes: Iterable[int]) -> None:
    """Refuse a batch whose answer would be too long; raises TooLarge before anything is begun."""
    needed = sum(_parts(size) for size in sizes)
    if needed > MAX_PARTS:
        raise TooLarge(
            f"These objects make {needed} parts to upload, and one batch may ask for {MAX_PARTS}: send fewer at once."
        )


def _parts(size: int) -> int:
    if size <= uploads.SINGLE_LIMIT:
        return 1
    return parts.count(size, parts.size_for(size, at_least=uploads.PART_SIZE))
