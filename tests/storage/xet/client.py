"""The stock client against a server that only keeps what it is sent and hands out what it is given."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CALL = """
import json, sys
import hf_xet
what, endpoint, *files = json.loads(sys.argv[1])
token = ("token", 4_000_000_000)
if what == "upload":
    done = hf_xet.upload_files(files, endpoint, token, None, None, "model")
    print(json.dumps([file.hash for file in done]))
else:
    wanted = [hf_xet.PyXetDownloadInfo(*file) for file in files]
    hf_xet.download_files(wanted, endpoint, token, None, None)
    print("[]")
"""


class Sink(ThreadingHTTPServer):
    """Keeps xorbs by name, shards in order, and the names of chunks asked for; answers what tests put in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.xorbs: dict[str, bytes] = {}
        self.shards: list[bytes] = []
        self.asked: list[str] = []
        self.known: dict[str, bytes] = {}
        self.recipes: dict[str, dict[str, Any]] = {}
        self.endpoint = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        if self.path.startswith("/v1/chunks/"):
            self.server.asked.append(name)
            self._answer(self.server.known.get(name))
        elif self.path.startswith("/v2/reconstructions/") and name in self.server.recipes:
            if self.headers.get("Range", "bytes=0-").startswith("bytes=0-"):
                self._answer(json.dumps(self.server.recipes[name]).encode())
            else:
                self._answer(b"", 416)
        elif self.path.startswith("/bytes/"):
            first, last = map(int, re.findall(r"\d+", self.headers["Range"]))
            self._answer(self.server.xorbs[name][first : last + 1], 206)
        else:
            self._answer(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/v1/xorbs/"):
            self.server.xorbs[self.path.rsplit("/", 1)[-1]] = body
            self._answer(b'{"was_inserted": true}')
        elif self.path == "/v1/shards":
            self.server.shards.append(body)
            self._answer(b'{"result": 1}')
        else:
            self._answer(None)

    def _answer(self, body: bytes | None, status: int = 200) -> None:
        self.send_response(status if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")


@contextmanager
def sink() -> Iterator[Sink]:
    server = Sink()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def upload(server: Sink, home: Path, *files: Path) -> list[str]:
    """Send files as the client does; return their Xet hashes."""
    return _call(home, ["upload", server.endpoint, *map(str, files)])


def download(server: Sink, home: Path, *, target: Path, name: str, size: int) -> None:
    _call(home, ["download", server.endpoint, [str(target), name, size]])


def _call(home: Path, arguments: list[object]) -> list[str]:
    """Run the client in a process of its own, whose memory of chunks lies in `home`."""
    env = os.environ | {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CALL, json.dumps(arguments)],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[str] = json.loads(done.stdout)
    return answer
