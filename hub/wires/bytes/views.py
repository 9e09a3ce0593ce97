"""Proxied bytes: `GET /bytes/get/{ticket}` and `PUT /bytes/put/{ticket}`.

The ticket names repo, user and file; the gate is asked again for each request, so a right that has ended ends here.
"""

from collections.abc import Iterator
from typing import BinaryIO, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import errors, pulls, pushes
from hub.catalog.tickets import DownloadTicket, UploadTicket
from hub.web import whole_number
from hub.wires.base import json_answer, plain_refusal, status_of
from hub.wires.ranges import FILE_POLICY, NotSatisfiable, disposition, parse_range


def translate(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the answer to an error, or None for one that is a fault of ours."""
    status = status_of(error)
    if not status:
        return None
    refusal = plain_refusal(error, status)
    # Without this a page that sends bytes could not read why they were refused.
    refusal["Access-Control-Allow-Origin"] = "*"
    return refusal


def download(request: HttpRequest, viewer: Viewer, *, ticket: str) -> HttpResponseBase:
    """Stream a large file, whole or in one range."""
    claim = DownloadTicket.parse(ticket)
    held = pulls.redeem(claim)
    try:
        wanted = parse_range(request.headers.get("Range"), held.size)
    except NotSatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{held.size}"})
    start, length = wanted or (0, held.size)
    # An empty file is answered without asking the store, which has no range of no bytes.
    nothing = request.method == "HEAD" or not length
    chunks: Iterator[bytes] = iter(()) if nothing else pulls.stream(held.sha256, start, length)
    answer = StreamingHttpResponse(chunks, content_type="application/octet-stream")
    if wanted:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {start}-{start + length - 1}/{held.size}"
    answer["Content-Length"] = str(length)
    answer["ETag"] = f'"{held.sha256}"'
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Disposition"] = disposition(claim.filename)
    answer["Content-Security-Policy"] = FILE_POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def upload(request: HttpRequest, viewer: Viewer, *, ticket: str) -> HttpResponse:
    """Take one part, or a whole small file, of exactly the announced length."""
    claim = UploadTicket.parse(ticket)
    if claim.part < 0:
        raise errors.BadRequest("This address completes an upload; it takes no bytes.")
    length = whole_number(request.META.get("CONTENT_LENGTH") or "")
    if length is None:
        return json_answer({"error": "Content-Length is needed."}, status=411)
    etag = pushes.write(
        claim.viewer(), claim.find_repo(), UUID(claim.upload), part=claim.part,
        stream=cast("BinaryIO", request), length=length,
    )  # fmt: skip
    return HttpResponse(status=200, headers={**_ANYWHERE, **({"ETag": etag} if etag else {})})


# The ticket in the address is all that opens this door, and no cookie is looked at: any page may send to it.
_ANYWHERE = {"Access-Control-Allow-Origin": "*"}


def preflight(request: HttpRequest, viewer: Viewer, *, ticket: str) -> HttpResponse:
    """Tell a browser that its pages may send to this origin; the hub's pages may lie at another port."""
    allowed = {"Access-Control-Allow-Methods": "PUT", "Access-Control-Max-Age": "3600"}
    return HttpResponse(status=204, headers={**_ANYWHERE, **allowed})
