"""A client of the chunk store that says exactly what a test wants it to, and a worker beside it."""

# ruff: noqa: PLC0415  Models can be imported only once the session's servers stand.

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import urllib3

from storage.xet.hashes import to_text
from storage.xet.shards import FileEntry, XorbEntry, write_shard
from storage.xet.xorbs import write_xorb
from tests.storage.xet.samples import file_entry, random_bytes, xorb_entry
from tests.wires.conftest import Ask

_http = urllib3.PoolManager(retries=False)


def pieces(seed: int, count: int = 3, size: int = 20_000) -> tuple[bytes, ...]:
    return tuple(random_bytes(size, seed * 1000 + number) for number in range(count))


@dataclass(frozen=True)
class Goods:
    """A file of some chunks in one xorb, and what is said of it."""

    chunks: tuple[bytes, ...]
    file: FileEntry
    xorb: XorbEntry

    @classmethod
    def of(cls, chunks: tuple[bytes, ...]) -> "Goods":
        entry = xorb_entry(chunks)
        return cls(chunks, file_entry(entry, hashlib.sha256(b"".join(chunks)).hexdigest()), entry)

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def stored(self) -> bytes:
        return write_xorb(self.chunks)

    @property
    def name(self) -> str:
        return to_text(self.xorb.hash)

    @property
    def file_name(self) -> str:
        return to_text(self.file.hash)

    def saying(self, **changes: Any) -> "Goods":
        """Return the same goods with another entry of the file."""
        return replace(self, file=replace(self.file, **changes))


@dataclass(frozen=True)
class Cas:
    """Calls with one token."""

    ask: Ask
    place: str
    token: str

    def call(self, method: str, path: str, body: bytes | None = None, **meta: str) -> Any:
        return self.ask(method, f"{self.place}/{path}", body, token=self.token, **meta)

    def send(self, goods: Goods, stored: bytes | None = None) -> Any:
        return self.call(
            "POST", f"v1/xorbs/default/{goods.name}", stored if stored is not None else goods.stored
        )

    def register(self, *goods: Goods, xorbs: Sequence[XorbEntry] | None = None) -> tuple[int, str]:
        """Send a shard by v2 and return the status with the error, "" when it was taken."""
        listed = [item.xorb for item in goods] if xorbs is None else list(xorbs)
        answer = self.call("POST", "v2/shards", write_shard([item.file for item in goods], listed))
        if answer.status_code != 200:
            return answer.status_code, answer.json()["error"]
        frames = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
        last = frames[-1]
        assert last["type"] in ("result", "error")
        return 200, last.get("message", "")

    def plan(self, goods: Goods, version: str = "v2", **meta: str) -> Any:
        return self.call("GET", f"{version}/reconstructions/{goods.file_name}", None, **meta)

    def known(self, chunk: str, prefix: str = "default") -> Any:
        return self.call("GET", f"v1/chunks/{prefix}/{chunk}")


def cas_for(ask: Ask, repo: str, token: str, right: str = "write", query: str = "") -> Cas:
    """Fetch a token and return a client that uses it."""
    answer = ask("GET", f"/api/models/{repo}/xet-{right}-token/main{query}", token=token)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert answer["X-Xet-Access-Token"] == told["accessToken"]
    assert answer["X-Xet-Cas-Url"] == told["casUrl"]
    return Cas(ask, "/cas/" + told["casUrl"].partition("/cas/")[2], told["accessToken"])


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    """Fetch an address of the store."""
    answer = _http.request("GET", url, headers=headers)
    return answer.status, answer.data


@contextmanager
def worker() -> Iterator[None]:
    """Do due jobs in a thread while the block runs."""
    from django.db import connection

    from workers import runs

    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            runs.run_due()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
