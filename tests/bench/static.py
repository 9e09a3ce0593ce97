"""The peer of downloads: a bare static file server that knows one file and answers just what the stock client reads.

It does no more than a HEAD and a GET with ``sendfile``, one thread for each connection.
"""

import hashlib
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class OneFile(BaseHTTPRequestHandler):
    """Answer for the one file, whatever the path."""

    protocol_version = "HTTP/1.1"
    path_of_file: Path
    etag: str

    def do_HEAD(self) -> None:
        self._head(200, self.path_of_file.stat().st_size)
        self.end_headers()

    def do_GET(self) -> None:
        size = self.path_of_file.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2] or size - 1)) if asked else (0, size - 1)
        self._head(206 if asked else 200, end - start + 1)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        self.wfile.flush()
        with self.path_of_file.open("rb") as file:
            self.connection.sendfile(file, start, end - start + 1)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{self.etag}"')
        self.send_header("X-Repo-Commit", self.etag[:40])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing."""


def main(path: str, port: str) -> None:
    """Serve until killed."""
    OneFile.path_of_file = Path(path)
    OneFile.etag = hashlib.sha256(path.encode()).hexdigest()
    ThreadingHTTPServer(("127.0.0.1", int(port)), OneFile).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
