"""The object store.  The only file that imports boto3.

There is one client per process, made on first use (about 15 MB).  Links come from `storage.signing` and
streams go in through `storage.sending`, neither of which needs a client.  Every failure of the store becomes
StoreUnavailable, ObjectMissing, UploadNotFound, PartsMismatch or RangeNotSatisfiable.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

import boto3
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from storage import presign, signing
from storage.errors import (
    FAULTS,
    ObjectMissing,
    RangeNotSatisfiable,
    StorageError,
    StoreUnavailable,
    UploadNotFound,
)
from storage.parts import Part

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

CHUNK = 2**20
DELETE_BATCH = 1000
COPY_PIECE = 512 * 2**20
CONNECT_TIMEOUT = 5
READ_TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class Listed:
    """A key that the bucket holds."""

    key: str
    size: int
    modified: datetime


@functools.lru_cache(maxsize=4)
def _client_of(place: presign.Place, process: int) -> "S3Client":
    # The process id is part of the cache's key: a forked child must not share its parent's sockets.
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
        # Not every store knows the newer checksums, and every blob is proven by its sha256 anyway.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        region_name=place.region,
        endpoint_url=place.endpoint,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        config=config,
    )


def client() -> "S3Client":
    """Return this process's client; only for this room, inside `talking`."""
    return _client_of(signing.place(), os.getpid())


def bucket() -> str:
    """Return the name of the one bucket."""
    return str(settings.HUB_S3["bucket"])


def _fault(code: str) -> StorageError:
    kind = FAULTS.get(code, StoreUnavailable)
    return kind(f"The object store refused the request: {code}.")


@contextmanager
def talking() -> Iterator[None]:
    """Turn what boto3 and urllib3 raise into this room's errors, without addresses or keys in the message."""
    try:
        yield
    except ClientError as error:
        raise _fault(error.response.get("Error", {}).get("Code", "unknown")) from error
    except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
        raise StoreUnavailable("The object store does not answer; try again later.") from error


# --- whole objects ------------------------------------------------------------------------------------------


@talking()
def ensure_bucket() -> None:
    """Make the bucket if it is not there."""
    try:
        client().head_bucket(Bucket=bucket())
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        client().create_bucket(Bucket=bucket())


@talking()
def put_bytes(key: str, data: bytes) -> None:
    """Store a small object."""
    client().put_object(Bucket=bucket(), Key=key, Body=data)


@talking()
def get_bytes(key: str) -> bytes:
    """Return a small object whole; raises ObjectMissing."""
    with client().get_object(Bucket=bucket(), Key=key)["Body"] as body:
        return body.read()


def size_of(key: str) -> int | None:
    """Return the size of an object in bytes, or None where there is none."""
    try:
        with talking():
            return client().head_object(Bucket=bucket(), Key=key)["ContentLength"]
    except ObjectMissing:
        return None


def copy(source: str, target: str, size: int, *, piece: int = COPY_PIECE) -> None:
    """Copy an object of `size` bytes within the store, large ones piece by piece; raises ObjectMissing.

    No request takes longer than a piece does, and a copy that fails leaves no object at `target`.
    """
    if size <= piece:
        with talking():
            client().copy_object(Bucket=bucket(), Key=target, CopySource=_source(source))
        return
    upload_id = begin_multipart(target)
    try:
        starts = range(0, size, piece)
        parts = [
            (number, _copy_piece(source, target, upload_id, number, start, min(start + piece, size) - 1))
            for number, start in enumerate(starts, start=1)
        ]
        complete_multipart(target, upload_id, parts)
    except StorageError:
        # When the store cannot give the pieces up either, the sweep does later.
        with suppress(StoreUnavailable):
            abort_multipart(target, upload_id)
        raise


def _source(key: str) -> "CopySourceTypeDef":
    return {"Bucket": bucket(), "Key": key}


@talking()
def _copy_piece(source: str, target: str, upload_id: str, number: int, first: int, last: int) -> str:
    answer = client().upload_part_copy(
        Bucket=bucket(),
        Key=target,
        UploadId=upload_id,
        PartNumber=number,
        CopySource=_source(source),
        CopySourceRange=f"bytes={first}-{last}",
    )
    return answer["CopyPartResult"]["ETag"]


@talking()
def delete_keys(keys: list[str]) -> list[str]:
    """Delete keys and return those that are gone now; a key that was not there counts as gone."""
    gone: list[str] = []
    for start in range(0, len(keys), DELETE_BATCH):
        batch = keys[start : start + DELETE_BATCH]
        answer = client().delete_objects(
            Bucket=bucket(), Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
        )
        kept = {error.get("Key") for error in answer.get("Errors", [])}
        gone += [key for key in batch if key not in kept]
    return gone


def list_prefix(prefix: str) -> Iterator[list[Listed]]:
    """Yield what the bucket holds under `prefix`, in batches of up to 1000 and in no promised order."""
    with talking():
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket(), Prefix=prefix):
            yield [Listed(row["Key"], row["Size"], row["LastModified"]) for row in page.get("Contents", [])]


# --- ranges -------------------------------------------------------------------------------------------------


class ByteStream(Iterator[bytes]):
    """The bytes of an open range, piece by piece.  `close` drops the connection, however much is left."""

    def __init__(self, body: "StreamingBody", chunk: int) -> None:
        self._body = body
        self._chunk = chunk

    def __next__(self) -> bytes:
        with talking():
            data = self._body.read(self._chunk)
        if not data:
            self.close()
            raise StopIteration
        return data

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        with talking():
            return self._body.read(size)

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@talking()
def open_range(key: str, start: int, length: int, *, chunk: int = CHUNK) -> ByteStream:
    """Open exactly `length` bytes (at least 1) from `start`; raises ObjectMissing, RangeNotSatisfiable."""
    if start < 0 or length < 1:
        raise RangeNotSatisfiable(f"A range of {length} bytes from {start} cannot be read.")
    answer = client().get_object(Bucket=bucket(), Key=key, Range=f"bytes={start}-{start + length - 1}")
    if answer["ContentLength"] != length:
        answer["Body"].close()
        raise RangeNotSatisfiable(f"The object ends before byte {start + length}.")
    return ByteStream(answer["Body"], chunk)


# --- multipart uploads --------------------------------------------------------------------------------------


@talking()
def begin_multipart(key: str) -> str:
    """Begin a multipart upload and return the store's id for it."""
    return client().create_multipart_upload(Bucket=bucket(), Key=key)["UploadId"]


@talking()
def complete_multipart(key: str, upload_id: str, parts: list[tuple[int, str]]) -> None:
    """Assemble the object from (number, ETag); raises PartsMismatch, or UploadNotFound when it has ended."""
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
    client().complete_multipart_upload(
        Bucket=bucket(),
        Key=key,
        UploadId=upload_id,
        MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]
    )


def abort_multipart(key: str, upload_id: str) -> None:
    """Give up a multipart upload and its parts; one that has ended already is fine."""
    try:
        with talking():
            client().abort_multipart_upload(Bucket=bucket(), Key=key, UploadId=upload_id)
    except UploadNotFound:
        return


@talking()
def list_parts(key: str, upload_id: str) -> list[Part]:
    """Return the parts that have arrived, by number and age; raises UploadNotFound.

    A store may show a part that was sent twice as two parts, and takes either ETag on completion.
    """
    pages = client().get_paginator("list_parts").paginate(Bucket=bucket(), Key=key, UploadId=upload_id)
    rows = [row for page in pages for row in page.get("Parts", [])]
    parts = [Part(row["PartNumber"], row["ETag"], row["Size"], row["LastModified"]) for row in rows]
    return sorted(parts, key=lambda part: (part.number, part.modified))


@talking()
def list_multiparts() -> list[tuple[str, str, datetime]]:
    """Return (key, the store's upload id, begun at) of every multipart upload that has not ended."""
    pages = client().get_paginator("list_multipart_uploads").paginate(Bucket=bucket())
    return [
        (row["Key"], row["UploadId"], row["Initiated"]) for page in pages for row in page.get("Uploads", [])
    ]
