"""Streams of known length into the object store, in bounded memory.

They are PUT through a link that the hub signs for itself, because boto3 wants to rewind a body and these
cannot be.
"""

import functools
import os
from collections.abc import Iterable, Iterator
from typing import Protocol

import urllib3

from storage import signing
from storage.errors import StoreUnavailable, UploadNotFound, WrongSize

CHUNK = 2**20
TIMEOUT = 60
LINK_SECONDS = 3600


class Readable(Protocol):
    """What a body to be written must offer."""

    def read(self, size: int, /) -> bytes: ...


@functools.lru_cache(maxsize=2)
def _pool(process: int) -> urllib3.PoolManager:
    # urllib3 sends the body under the connect timeout, so that one must be as patient as reading.
    timeout = urllib3.Timeout(connect=TIMEOUT, read=TIMEOUT)
    return urllib3.PoolManager(maxsize=16, timeout=timeout, retries=False)


def _exactly(stream: Readable, length: int) -> Iterator[bytes]:
    """Yield `length` bytes of the stream; with more or fewer, raise WrongSize before the last piece.

    The store then sees a body that breaks off.  It may keep what came (SeaweedFS does, under a single PUT), which is
    why `storage.uploads` looks at the size of everything that arrived.
    """
    left = length
    while left:
        try:
            data = stream.read(min(CHUNK, left))
        except OSError as error:
            raise WrongSize(f"The sender broke off after {length - left} of {length} bytes.") from error
        if not data:
            raise WrongSize(f"The body ends after {length - left} of {length} bytes.")
        left -= len(data)
        if not left and stream.read(1):
            raise WrongSize(f"The body goes on after {length} bytes.")
        yield data


def _send(link: str, stream: Readable, length: int) -> str:
    body: Iterable[bytes] | bytes = _exactly(stream, length)
    if not length:
        # Without this look an empty body would be taken to be right whatever the stream holds.
        if stream.read(1):
            raise WrongSize("The body goes on after 0 bytes.")
        body = b""
    try:
        answer = _pool(os.getpid()).request("PUT", link, body=body, headers={"Content-Length": str(length)})
    except urllib3.exceptions.HTTPError as error:
        raise StoreUnavailable("The object store does not answer; try again later.") from error
    if answer.status == 404:
        raise UploadNotFound("The object store does not know this upload any more; begin it again.")
    if answer.status != 200:
        raise StoreUnavailable(f"The object store refused the bytes: {answer.status}.")
    return answer.headers.get("ETag", "")


def write_stream(key: str, stream: Readable, length: int) -> str:
    """Store a stream of exactly `length` bytes and return its ETag; raises WrongSize."""
    return _send(signing.write_link(key, length, LINK_SECONDS, {}, public=False), stream, length)


def write_part_stream(key: str, upload_id: str, number: int, stream: Readable, length: int) -> str:
    """Store a part of exactly `length` bytes and return its ETag; raises WrongSize and then keeps nothing."""
    query = {"partNumber": str(number), "uploadId": upload_id}
    return _send(signing.write_link(key, length, LINK_SECONDS, query, public=False), stream, length)
