"""Proof that stored bytes are what they are called: read them back from the store and hash them."""

import time
from collections.abc import Callable, Generator
from contextlib import closing

from storage import s3
from storage.digests import Digest, StreamHasher
from storage.errors import ObjectMissing, StoreUnavailable, WrongSize
from storage.streams import ahead

PIECE = 4 * 2**20
TRIES = 4


def hash_object(key: str, size: int, *, progress: Callable[[int], None]) -> Digest:
    """Return the sha256 of the object at `key`; the next piece is read while this one is hashed.

    `progress` gets the number of bytes hashed so far and may raise to stop.  Raises ObjectMissing, WrongSize,
    StoreUnavailable.
    """
    found = s3.size_of(key)
    if found is None:
        raise ObjectMissing("The stored object is gone.")
    if found != size:
        raise WrongSize(f"The stored object has {found} bytes, not {size}.")
    hasher = StreamHasher()
    with closing(pieces_of(key, size)) as pieces, closing(ahead(pieces)) as coming:
        for piece in coming:
            hasher.update(piece)
            progress(hasher.size)
    return hasher.digest()


def pieces_of(key: str, size: int) -> Generator[bytes, None, None]:
    """Yield the object from start to end, taking up a connection that breaks where it broke.

    Raises ObjectMissing, RangeNotSatisfiable for an object that is shorter, StoreUnavailable.
    """
    done = failures = 0
    while done < size:
        try:
            with s3.open_range(key, done, size - done, chunk=PIECE) as stream:
                for piece in stream:
                    done, failures = done + len(piece), 0
                    yield piece
        except StoreUnavailable:
            failures += 1
            if failures == TRIES:
                raise
            time.sleep(failures)
