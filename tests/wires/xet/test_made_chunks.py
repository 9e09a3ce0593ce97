"""A file that came in one piece and was cut by the hub is to the stock client like one that it cut itself."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hub.accounts.identity import Viewer
from hub.catalog import forms
from hub.catalog.models import Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddLarge
from storage import carving
from storage.models import Form, Xorb
from tests.factories import commit_all, send
from tests.storage.xet.samples import random_bytes, weights
from tests.wires.conftest import Ask
from tests.wires.xet.cas import cas_for

CONTENT = weights(2_500_000, 21) + random_bytes(600_000, 22)
CALL = """
import json, sys
import hf_xet
what, endpoint, token, *rest = json.loads(sys.argv[1])
token = (token, 4_000_000_000)
if what == "upload":
    hf_xet.upload_files(rest, endpoint, token, None, None, "model")
else:
    hf_xet.download_files([hf_xet.PyXetDownloadInfo(*rest)], endpoint, token, None, None)
"""


def client(home: Path, *arguments: object) -> None:
    env = os.environ | {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
    words = [sys.executable, "-c", CALL, json.dumps(arguments)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def wait_for_chunks() -> None:
    deadline = time.monotonic() + 60
    while not Job.objects.filter(kind=forms.MAKE_CHUNKED, state=Job.State.DONE).exists():
        assert time.monotonic() < deadline, list(Job.objects.values_list("kind", "state", "error"))
        time.sleep(0.05)


def test_a_file_that_clients_take_only_by_chunks_is_offered_once_it_has_some(
    ask: Ask, alice: Viewer, repo: Repo, token: str, settings: Settings
) -> None:
    settings.HUB_CHUNK_ABOVE_BYTES = 1_000_000
    sha256 = send(alice, repo, CONTENT)
    wait_for_chunks()
    commit_all(alice, repo, [AddLarge(FilePath.parse("w.bin"), sha256, len(CONTENT))])
    Form.objects.filter(kind=Form.Kind.CHUNKED).delete()
    address = f"/{repo.full_name}/resolve/main/w.bin"
    Job.objects.filter(kind=forms.MAKE_CHUNKED).update(state=Job.State.RUNNING)
    answer = ask("HEAD", address, token=token)
    assert (answer.status_code, answer["Retry-After"].isdigit()) == (503, True)
    # Where the work was given up, the plain bytes are better than none.
    Job.objects.filter(kind=forms.MAKE_CHUNKED).update(state=Job.State.FAILED)
    assert ask("HEAD", address, token=token).status_code == 200


def test_the_stock_client_fetches_what_the_hub_has_cut_and_sends_none_of_it_again(
    live_server: LiveServer, ask: Ask, alice: Viewer, repo: Repo, token: str, settings: Settings,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(carving, "MAX_RAW", 2**20)
    settings.HUB_CHUNK_ABOVE_BYTES = 1_000_000
    sha256 = send(alice, repo, CONTENT)
    wait_for_chunks()
    commit_all(alice, repo, [AddLarge(FilePath.parse("w.bin"), sha256, len(CONTENT))])
    name = ask("HEAD", f"/{repo.full_name}/resolve/main/w.bin", token=token)["X-Xet-Hash"]
    (listed,) = [
        item
        for item in ask("GET", f"/api/models/{repo.full_name}/tree/main", token=token).json()
        if item["path"] == "w.bin"
    ]
    assert listed["xetHash"] == name
    reader = cas_for(ask, repo.full_name, token, "read")
    target = tmp_path / "got.bin"
    client(
        tmp_path / "one",
        "download",
        live_server.url + reader.place,
        reader.token,
        str(target),
        name,
        len(CONTENT),
    )
    assert target.read_bytes() == CONTENT
    before = set(Xorb.objects.values_list("pk", flat=True))
    assert len(before) > 2
    writer = cas_for(ask, repo.full_name, token)
    client(tmp_path / "two", "upload", live_server.url + writer.place, writer.token, str(target))
    assert set(Xorb.objects.values_list("pk", flat=True)) == before
