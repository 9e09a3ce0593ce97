"""Commit bodies of hundreds of megabytes, and bodies that break off, against the processes of a real hub."""

import base64
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator

import httpx2 as httpx
import psutil
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, NDJSON, bearer
from tests.live import LiveHub

MIB = 2**20
FILES, FILE_BYTES = 30, 8 * MIB
MAY_GROW = 150 * MIB


@pytest.fixture
def hub(live_hub: LiveHub) -> LiveHub:
    """One way of delivery is enough: small files take the same way in both."""
    return live_hub


def web_processes(hub: LiveHub) -> list[psutil.Process]:
    found = []
    for name in ("web", "bytes"):
        master = psutil.Process(int((hub.data_dir / "run" / f"{name}.pid").read_text().split()[0]))
        found += [master, *master.children(recursive=True)]
    return found


def resident(processes: list[psutil.Process]) -> int:
    return max(process.memory_info().rss for process in processes)


def body(content: bytes) -> Iterator[bytes]:
    yield json.dumps({"key": "header", "value": {"summary": "a large body"}}).encode() + b"\n"
    for number in range(FILES):
        yield b'{"key":"file","value":{"encoding":"base64","path":"f%d.txt","content":"' % number
        yield base64.b64encode(number.to_bytes(3, "big")) + content
        yield b'"}}\n'


def test_a_body_of_300_megabytes_takes_little_memory(
    hub: LiveHub, alice: HfApi, new_repo: Callable[..., str]
) -> None:
    repo, processes = new_repo(), web_processes(hub)
    before, highest, done = resident(processes), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            highest[0] = max(highest[0], resident(processes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    content = base64.b64encode(random.Random(1).randbytes(FILE_BYTES // 2) + bytes(FILE_BYTES // 2))
    length = sum(len(piece) for piece in body(content))
    assert length > 300 * 10**6
    try:
        answer = httpx.post(
            f"{hub.url}/api/models/{repo}/commit/main", content=body(content), timeout=120,
            headers={**bearer(ALICE), "Content-Type": NDJSON, "Content-Length": str(length)},
        )  # fmt: skip
    finally:
        done.set()
        watcher.join()
    assert answer.status_code == 200, answer.text
    assert len(alice.list_repo_files(repo)) == FILES + 1
    assert highest[0] - before < MAY_GROW, f"grew by {(highest[0] - before) // MIB} MiB"


def test_a_body_that_breaks_off_changes_nothing(
    hub: LiveHub, alice: HfApi, new_repo: Callable[..., str]
) -> None:
    repo = new_repo()
    before = alice.model_info(repo).sha
    whole = (
        b'{"key":"header","value":{"summary":"cut"}}\n'
        b'{"key":"file","value":{"path":"a.txt","content":"eA=="}}\n{"key":"file","value":{"path":"b.txt","content":"eA=="}}\n'
    )
    for sent in (0, 10, whole.index(b"\n") + 1, whole.rindex(b'{"key"'), len(whole) - 3):
        with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as line:
            line.sendall(
                f"POST /api/models/{repo}/commit/main HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\n"
                f"Authorization: Bearer {ALICE}\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
                + whole[:sent]
            )
            line.shutdown(socket.SHUT_WR)
            told = line.recv(4096)
        assert not told or told.startswith(b"HTTP/1.1 400"), told
        assert alice.model_info(repo).sha == before, sent
    assert alice.list_repo_files(repo) == [".gitattributes"]


def test_a_body_without_a_length_is_taken(hub: LiveHub, alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    pieces = [
        b'{"key":"header","value":{"summary":"chunks"}}\n{"key":"file","value":',
        b'{"path":"a.txt","content":"eA=="}}\n',
    ]
    answer = httpx.post(
        f"{hub.url}/api/models/{repo}/commit/main",
        content=iter(pieces),
        headers={**bearer(ALICE), "Content-Type": NDJSON},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["commitOid"] == alice.model_info(repo).sha
