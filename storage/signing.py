"""Links to the object store that carry their own permission, and where the store stands.

Links for clients are signed for the endpoint under which clients see the store; the hub's own for the one it
uses itself.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from django.conf import settings

from storage import presign
from storage.errors import StoreUnavailable


def place(*, public: bool = False) -> presign.Place:
    """Return the bucket as clients or as the hub itself see it; raises StoreUnavailable where none is set."""
    given = settings.HUB_S3
    endpoint = (public and given["public_endpoint"]) or given["endpoint"]
    if not endpoint:
        raise StoreUnavailable("No object store is configured: set HUB_S3_ENDPOINT.")
    return presign.Place(
        endpoint=endpoint,
        bucket=given["bucket"],
        access_key=given["access_key"],
        secret_key=given["secret_key"],
        region=given["region"],
    )


def disposition(filename: str) -> str:
    """Return a Content-Disposition that saves under the last part of `filename`, whatever letters it has."""
    name = "".join(letter for letter in filename.rsplit("/", 1)[-1] if letter.isprintable())
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def presign_get(key: str, *, filename: str, content_type: str, expires: int) -> str:
    """Return a link for clients to read an object for `expires` seconds."""
    query = {"response-content-disposition": disposition(filename), "response-content-type": content_type}
    return presign.link(place(public=True), "GET", key, expires=expires, now=datetime.now(UTC), query=query)


def presign_span(key: str, start: int, end: int, *, expires: int) -> str:
    """Return a link for clients to read the bytes `start` up to `end` of an object, and no others.

    The range is among the signed headers, so the store refuses any other and none.
    """
    wanted = {"range": f"bytes={start}-{end - 1}"}
    return presign.link(
        place(public=True), "GET", key, expires=expires, now=datetime.now(UTC), headers=wanted
    )


def write_link(key: str, length: int, expires: int, query: Mapping[str, str], *, public: bool) -> str:
    return presign.link(
        place(public=public),
        "PUT",
        key,
        expires=expires,
        now=datetime.now(UTC),
        query=query,
        headers={"content-length": str(length)},
    )


def presign_put(key: str, *, length: int, expires: int) -> str:
    """Return a link for clients to write exactly `length` bytes."""
    return write_link(key, length, expires, {}, public=True)


def presign_checked_put(key: str, *, length: int, crc64nvme: int, expires: int) -> tuple[str, dict[str, str]]:
    """Return a link for clients to write exactly `length` bytes with this checksum, and the header to send with it.

    A store that knows the checksum refuses other bytes.  It guards the way only: it says nothing of what they are.
    """
    sent = {"x-amz-checksum-crc64nvme": base64.b64encode(crc64nvme.to_bytes(8, "big")).decode()}
    headers = {**sent, "content-length": str(length)}
    link = presign.link(
        place(public=True), "PUT", key, expires=expires, now=datetime.now(UTC), headers=headers
    )
    return link, sent


def presign_part(key: str, upload_id: str, number: int, *, length: int, expires: int) -> str:
    """Return a link for clients to write part `number` of exactly `length` bytes."""
    return write_link(key, length, expires, {"partNumber": str(number), "uploadId": upload_id}, public=True)
