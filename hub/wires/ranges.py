"""Ranges and file headers of answers that carry a file (RFC 9110, section 14)."""

import mimetypes
import re
from urllib.parse import quote

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")

# What a browser may show from this origin.  Everything else is text or a download: an uploaded page never runs here.
_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/avif"})
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class NotSatisfiable(Exception):
    """The range begins behind the end of the file."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return (start, length) of a single range, or None to send the whole file; raises NotSatisfiable.

    A header of another form, or with several ranges, is ignored, as the RFC allows.
    """
    match = _RANGE.match((header or "").strip())
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise NotSatisfiable
        return size - length, length
    start, stop = int(first), min(int(last) + 1 if last else size, size)
    if start >= size:
        raise NotSatisfiable
    if last and int(last) < start:
        return None
    return start, stop - start


def content_type(path: str) -> str:
    """Return the type a file is sent with: what may be shown, plain text, or bytes to download."""
    guessed, _ = mimetypes.guess_type(path)
    if guessed in _SHOWN:
        return str(guessed)
    name = path.rpartition("/")[2]
    is_text = (guessed or "").startswith("text/") or guessed in ("application/json", "application/xml")
    if (
        is_text
        or "." not in name.lstrip(".")
        or name.endswith((".md", ".yaml", ".yml", ".toml", ".jinja", ".py"))
    ):
        return "text/plain; charset=utf-8"
    return "application/octet-stream"


def disposition(path: str) -> str:
    """Return a Content-Disposition that names the file in ASCII and in UTF-8 (RFC 6266)."""
    name = path.rpartition("/")[2]
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
