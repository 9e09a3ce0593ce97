"""The stock client with grants: it writes its xorbs to the store itself, and through the hub where it cannot."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hub.catalog.models import Repo, RepoBlob
from storage.models import Xorb
from tests.storage.faults import relay_to
from tests.storage.xet.samples import random_bytes, weights
from tests.wires.conftest import Ask
from tests.wires.xet.cas import Cas, cas_for


@pytest.fixture(autouse=True)
def grants(settings: Settings) -> None:
    settings.HUB_XET_GRANTS = True


@pytest.fixture
def cas(ask: Ask, repo: Repo, token: str) -> Cas:
    return cas_for(ask, repo.full_name, token)


CALL = """
import json, sys
import hf_xet
endpoint, token, *files = json.loads(sys.argv[1])
hf_xet.upload_files(files, endpoint, (token, 4_000_000_000), None, None, "model")
"""


def upload(live_server: LiveServer, cas: Cas, home: Path, *files: Path) -> None:
    """Send files with the stock client, in a process of its own."""
    arguments = json.dumps([live_server.url + cas.place, cas.token, *map(str, files)])
    env = os.environ | {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CALL, arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def refusing() -> Iterator[tuple[str, list[str]]]:
    """A store that refuses whatever is written; yields its address and the methods it was asked with."""
    asked: list[str] = []

    class Refuse(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.command)
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_stock_client_writes_to_the_store_itself(
    live_server: LiveServer, cas: Cas, repo: Repo, settings: Settings, tmp_path: Path
) -> None:
    content = weights(3_000_000, 5) + random_bytes(500_000, 6)
    (tmp_path / "w.bin").write_bytes(content)
    with relay_to(settings.HUB_S3["endpoint"]) as relay:
        settings.HUB_S3 = {**settings.HUB_S3, "public_endpoint": relay.endpoint}
        upload(live_server, cas, tmp_path / "home", tmp_path / "w.bin")
        puts = [line for line in relay.seen if line.startswith(b"PUT ")]
        assert len(puts) == Xorb.objects.count() == 1
        assert b"/staging/" in puts[0]
        # Another who has the same file is told that it is known.
        upload(live_server, cas, tmp_path / "other", tmp_path / "w.bin")
        assert len([line for line in relay.seen if line.startswith(b"PUT ")]) == 1
    assert RepoBlob.objects.get(repo=repo).size == len(content)


def test_a_client_that_cannot_write_to_the_store_sends_through_the_hub(
    live_server: LiveServer, cas: Cas, repo: Repo, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "w.bin").write_bytes(weights(400_000, 8))
    with refusing() as (address, asked):
        settings.HUB_S3 = {**settings.HUB_S3, "public_endpoint": address}
        upload(live_server, cas, tmp_path / "home", tmp_path / "w.bin")
    assert set(asked) == {"PUT"}
    assert RepoBlob.objects.get(repo=repo).state == "proven"
