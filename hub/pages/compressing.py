"""Pages and what belongs to them, sent compressed to browsers that take it."""

import gzip
import hashlib
import logging
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]
from whitenoise.responders import StaticFile  # type: ignore[import-untyped]

_log = logging.getLogger(__name__)

# Of what lies under the address of static files: what pages of ours name.
PARTS = ("weighhouse/", "vendor/", "django_htmx/")
_SUFFIXES = (".css", ".js", ".svg")


class CompressedPages(GZipMiddleware):
    """Compress HTML, and nothing else: answers of the API are small, and bytes of models gain nothing.

    Each page gets up to a hundred random bytes more (Django's answer to BREACH), and Django masks its CSRF tokens anew
    in each page, so the length of a page does not tell what stands in it.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress a page in place."""
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class CompressedStatic(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serve static files, those of our pages compressed.  The compressed copies lie in the data folder, by content."""

    def get_static_file(
        self, path: str, url: str, stat_cache: Mapping[str, os.stat_result] | None = None
    ) -> StaticFile:
        """Return a static file as WhiteNoise does, with a compressed copy where one helps."""
        copy = _copy_of(path) if self._is_ours(url) else None
        if copy is None:
            return super().get_static_file(path, url, stat_cache=stat_cache)
        headers: Any = Headers([])
        self.add_mime_headers(headers, path, url)
        self.add_cache_headers(headers, path, url)
        return StaticFile(path, headers.items(), encodings={"gzip": str(copy)})

    def _is_ours(self, url: str) -> bool:
        return url.removeprefix(self.static_prefix).startswith(PARTS) and url.endswith(_SUFFIXES)


def _copy_of(path: str) -> Path | None:
    state = Path(path).stat()
    return _compressed(path, state.st_mtime_ns, state.st_size)


@cache
def _compressed(path: str, _changed: int, _size: int) -> Path | None:
    """Return where the compressed copy of a file lies; None where it cannot be written."""
    content = Path(path).read_bytes()
    folder = settings.HUB_DATA / "static"
    copy: Path = folder / f"{hashlib.sha256(content).hexdigest()[:32]}.gz"
    if copy.is_file():
        return copy
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(gzip.compress(content, 9, mtime=0))
        Path(file.name).replace(copy)
    except OSError as error:
        _log.warning("%s is sent as it is: no compressed copy could be written: %s", path, error)
        return None
    return copy
