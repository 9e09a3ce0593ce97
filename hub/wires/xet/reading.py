"""Requests and errors of the chunk store.

An address or method that is not known is a bare 404, because the client takes nothing else for "not offered here".
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from hub.catalog import xet_tokens
from hub.catalog.errors import BadRequest, CatalogError, NotAllowed, TooLarge
from hub.catalog.waiting import release_connection
from hub.catalog.xet_pulls import PastTheEnd
from hub.catalog.xet_tokens import Caller, XetToken
from hub.wires.base import Handler, known_trouble, plain_refusal, status_of

_HASH = re.compile(r"[0-9a-f]{64}")
# Bodies arrive in files, whatever their number and pace, by small pieces.
PIECE = 128 * 1024
SPOOLED = 2**18


class BadToken(CatalogError):
    """The Authorization header holds no token of the chunk store."""


def not_offered(request: HttpRequest, **captured: object) -> HttpResponse:
    """Answer whatever is not offered here."""
    return HttpResponse(status=404)


not_offered.csrf_exempt = True  # type: ignore[attr-defined]


def door(**methods: Handler) -> Callable[..., HttpResponseBase]:
    """Make a view of one handler per method; handlers get the request and what the path says."""

    def view(request: HttpRequest, **captured: object) -> HttpResponseBase:
        handler = methods.get(request.method or "")
        if handler is None:
            return not_offered(request)
        try:
            return handler(request, **captured)
        except Exception as error:
            trouble = known_trouble(error)
            if not isinstance(trouble, CatalogError):
                raise
            return refuse(trouble)

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def refuse(error: CatalogError) -> HttpResponse:
    """Return the answer to an error: what the client may try again is 5xx, the rest ends its transfer."""
    if isinstance(error, BadToken):
        return plain_refusal(error, 401)
    if isinstance(error, PastTheEnd):
        answer = plain_refusal(error, 416)
        answer["Content-Range"] = f"bytes */{error.size}"
        return answer
    return plain_refusal(error, status_of(error) or 400)


def caller_of(request: HttpRequest, *, epoch: int, domain: str, upload: bool = False) -> Caller:
    """Return who calls; raises BadToken, and what the gate says now, whatever it said when the token was made."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise BadToken("A token of the chunk store is needed.")
    try:
        token = XetToken.parse(text.strip())
    except NotAllowed as error:
        raise BadToken(str(error)) from None
    caller = xet_tokens.admit(token, domain=domain, epoch=epoch)
    if upload:
        xet_tokens.require_upload(caller, epoch=epoch)
    return caller


def check_hash(text: str) -> str:
    """Return the text of a hash; raises BadRequest."""
    if not _HASH.fullmatch(text):
        raise BadRequest(f"{text[:80]!r} is not a hash: expected 64 lowercase hexadecimal digits.")
    return text


def announced_of(request: HttpRequest, *, at_most: int) -> int:
    """Return how many bytes the body of a request is said to have; raises BadRequest, TooLarge."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced.isdigit():
        raise BadRequest("Content-Length is needed.")
    if int(announced) > at_most:
        raise TooLarge(f"The body has {int(announced)} bytes; at most {at_most} are taken.")
    return int(announced)


@contextmanager
def file_of(request: HttpRequest, *, at_most: int) -> Iterator[tuple[IO[bytes], int]]:
    """Receive the body of a request into a file that lasts as long as the block runs; yield it with its length.

    A body takes no memory by this, however slow its sender is.  Raises BadRequest, TooLarge.
    """
    length = announced_of(request, at_most=at_most)
    release_connection()
    with tempfile.SpooledTemporaryFile(max_size=SPOOLED) as file:
        _receive(request, file, length)
        file.seek(0)
        yield file, length


def _receive(request: HttpRequest, file: IO[bytes], length: int) -> None:
    received = 0
    try:
        while received < length and (piece := request.read(min(PIECE, length - received))):
            received += len(piece)
            file.write(piece)
    except OSError as error:
        raise BadRequest(f"The body breaks off after {received} of {length} bytes.") from error
    if received != length:
        raise BadRequest(f"The body ends after {received} of {length} bytes.")


def line(frame: dict[str, object]) -> bytes:
    """Return one line of a stream of JSON."""
    return json.dumps(frame, separators=(",", ":")).encode() + b"\n"
