"""Reading newline-delimited JSON as a stream: a body of any length in the memory of its longest line."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from django.http import HttpRequest

from hub.catalog.errors import BadRequest, TooLarge
from hub.catalog.objects import MAX_REGULAR_BYTES

# A line holds one file in base64, which is a third longer, and JSON around it.
MAX_LINE = MAX_REGULAR_BYTES * 4 // 3 + 64 * 1024
# The server's own readline goes by kilobytes and copies at each step: 16 MB/s where blocks give hundreds.
_BLOCK = 256 * 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def objects_in(request: HttpRequest) -> Iterator[dict[str, Any]]:
    """Yield each line's ``value`` with its ``key`` under ``""``.

    Each line is bounded, and a body that ends early is refused as a whole.  Raises BadRequest or TooLarge.
    """
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    expected = None if chunked else int(request.META.get("CONTENT_LENGTH") or 0)
    received = 0
    for number, line in enumerate(_lines(stream), start=1):
        received += len(line)
        if line.strip():
            yield _parse(line, number)
    if expected is not None and received != expected:
        raise BadRequest(f"The body ended after {received} of {expected} bytes; nothing was committed.")


def _lines(stream: _Readable) -> Iterator[bytes]:
    """Yield lines with their line ends; the last one may have none."""
    pieces: list[bytes] = []
    held, number = 0, 1
    while block := stream.read(_BLOCK):
        for piece in _split(block):
            pieces.append(piece)
            held += len(piece)
            if held > MAX_LINE:
                raise TooLarge(
                    f"Line {number} is longer than {MAX_LINE} bytes; upload the file as a large file."
                )
            if piece.endswith(b"\n"):
                yield b"".join(pieces)
                pieces, held, number = [], 0, number + 1
    if pieces:
        yield b"".join(pieces)


def _split(block: bytes) -> list[bytes]:
    *whole, rest = block.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def _parse(line: bytes, number: int) -> dict[str, Any]:
    try:
        item = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Line {number} is not JSON: {error}") from None
    if not isinstance(item, dict) or not isinstance(item.get("key"), str):
        raise BadRequest(f'Line {number} must be an object with "key" and "value".')
    if not isinstance(item.get("value"), dict):
        raise BadRequest(f'Line {number} must be an object with "key" and "value".')
    return {**item["value"], "": item["key"]}
