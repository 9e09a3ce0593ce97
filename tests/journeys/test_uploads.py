"""Uploads that go wrong, by accident or not: wrong bytes, replays, forged addresses, clients that die."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import (
    ALICE,
    BOB,
    LFS,
    People,
    batch,
    bearer,
    commit,
    file_line,
    large_line,
    sha256_of,
    upload_address,
)  # fmt: skip
from tests.live import BOTH_WAYS, LiveHub

MIB = 2**20

DIES_AT_THE_SECOND_PART = """
import os, signal, sys
from huggingface_hub import HfApi, lfs

send, sent = lfs.http_backoff, []

def counting(method, *words, **options):
    sent.append(method)
    if sent.count("PUT") == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return send(method, *words, **options)

lfs.http_backoff = counting
HfApi().upload_folder(repo_id=sys.argv[1], folder_path=sys.argv[2])
"""


def unique(size: int = 3000) -> bytes:
    return (uuid.uuid4().bytes * (size // 16 + 1))[:size]


def verify(http: httpx.Client, repo: str, sha256: str, size: int, token: str = ALICE) -> httpx.Response:
    return http.post(
        f"/{repo}.git/info/lfs/verify", content=json.dumps({"oid": sha256, "size": size}),
        headers={**bearer(token), "Content-Type": LFS},
    )  # fmt: skip


@contextmanager
def worker_stopped(hub: LiveHub) -> Iterator[None]:
    """Hold the workers of this hub still, as a machine does that has too much to do."""
    group = int((hub.data_dir / "run" / "worker.pid").read_text().split()[0])
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@BOTH_WAYS
def test_wrong_bytes_are_never_served(http: httpx.Client, alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo, wanted, sent = new_repo(), unique(), unique()
    sha256 = sha256_of(wanted)
    assert httpx.put(upload_address(http, repo, sha256, len(wanted)), content=sent).status_code == 200
    told = verify(http, repo, sha256, len(wanted))
    assert told.status_code == 422
    assert sha256_of(sent) in told.text and "do not hash to" in told.text
    refused = commit(http, repo, [large_line("w.bin", sha256, len(wanted))])
    assert (refused.status_code, "do not hash to" in refused.text) == (400, True)
    assert http.get(f"/{repo}/resolve/main/w.bin").status_code == 404
    assert "w.bin" not in alice.list_repo_files(repo)
    # The right bytes heal it.
    assert httpx.put(upload_address(http, repo, sha256, len(wanted)), content=wanted).status_code == 200
    assert commit(http, repo, [large_line("w.bin", sha256, len(wanted))]).status_code == 200
    assert http.get(f"/{repo}/resolve/main/w.bin", follow_redirects=True).content == wanted


@BOTH_WAYS
def test_too_few_or_too_many_bytes_are_refused(http: httpx.Client, new_repo: Callable[..., str]) -> None:
    repo, content = new_repo(), unique()
    sha256 = sha256_of(content)
    for sent in (content[:-1], content + b"x"):
        address = upload_address(http, repo, sha256, len(content))
        put = httpx.put(address, content=sent)
        answer = commit(http, repo, [large_line("w.bin", sha256, len(content))])
        assert put.status_code >= 400 or answer.status_code in (400, 422), (put.status_code, answer.text)
        assert answer.status_code in (400, 422), answer.text
    wrong_size = commit(http, repo, [large_line("w.bin", sha256, 1)])
    assert wrong_size.status_code in (400, 422)


def test_bytes_that_never_came_are_not_committed(
    http: httpx.Client, alice: HfApi, new_repo: Callable[..., str]
) -> None:
    repo, content = new_repo(), unique()
    before = alice.model_info(repo).sha
    upload_address(http, repo, sha256_of(content), len(content))
    answer = commit(
        http, repo, [file_line("a.txt", b"a"), large_line("w.bin", sha256_of(content), len(content))]
    )
    assert (answer.status_code, "have not been uploaded" in answer.text) == (422, True)
    assert answer.headers["X-Error-Message"] and answer.headers["X-Request-Id"]
    assert alice.model_info(repo).sha == before


def test_a_file_that_is_still_being_proven_is_listed_and_not_served(
    hub: LiveHub, http: httpx.Client, alice: HfApi, new_repo: Callable[..., str]
) -> None:
    repo, content = new_repo(), unique()
    wrong = unique()
    sha256 = sha256_of(content)
    httpx.put(upload_address(http, repo, sha256, len(content)), content=content).raise_for_status()
    httpx.put(
        upload_address(http, repo, sha256_of(wrong), len(wrong)), content=wrong[::-1]
    ).raise_for_status()
    with worker_stopped(hub):
        lines = [
            large_line("w.bin", sha256, len(content)),
            large_line("wrong.bin", sha256_of(wrong), len(wrong)),
        ]
        assert commit(http, repo, lines).status_code == 200
        listed = {entry["path"]: entry for entry in http.get(f"/api/models/{repo}/tree/main").json()}
        assert listed["w.bin"]["proof"] == "proving"
        for method in ("HEAD", "GET"):
            early = http.request(method, f"/{repo}/resolve/main/w.bin")
            assert early.status_code == 503
            assert int(early.headers["Retry-After"]) > 0
            assert "being proven" in early.headers["X-Error-Message"]
            assert len(early.headers["X-Repo-Commit"]) == 40
        fetched = batch(http, repo, [(sha256, len(content))], operation="download").json()["objects"][0]
        assert fetched["error"]["code"] == 404
    deadline = time.monotonic() + 20
    while http.head(f"/{repo}/resolve/main/w.bin").status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert http.get(f"/{repo}/resolve/main/w.bin", follow_redirects=True).content == content
    while http.head(f"/{repo}/resolve/main/wrong.bin").status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    rejected = http.get(f"/{repo}/resolve/main/wrong.bin")
    assert (rejected.status_code, rejected.headers["X-Error-Code"]) == (404, "EntryNotFound")
    assert "do not hash to" in rejected.headers["X-Error-Message"]


@BOTH_WAYS
def test_an_upload_address_is_good_once(
    http: httpx.Client, alice: HfApi, new_repo: Callable[..., str]
) -> None:
    repo, content = new_repo(), unique()
    sha256 = sha256_of(content)
    address = upload_address(http, repo, sha256, len(content))
    httpx.put(address, content=content).raise_for_status()
    assert commit(http, repo, [large_line("w.bin", sha256, len(content))]).status_code == 200
    httpx.put(address, content=content[::-1])
    assert http.get(f"/{repo}/resolve/main/w.bin", follow_redirects=True).content == content
    assert verify(http, repo, sha256, len(content)).status_code == 200
    # Stored already: no second upload is asked for.
    assert "actions" not in batch(http, repo, [(sha256, len(content))]).json()["objects"][0]


@BOTH_WAYS
def test_forged_and_foreign_addresses_open_nothing(
    hub: LiveHub, http: httpx.Client, new_repo: Callable[..., str]
) -> None:
    repo, content = new_repo(private=True), unique(70 * MIB)
    answer = batch(http, repo, [(sha256_of(content), len(content))]).json()
    upload = answer["objects"][0]["actions"]["upload"]
    assert answer["transfer"] == "multipart"
    assert int(upload["header"]["chunk_size"]) * 2 >= len(content)
    complete = upload["href"]
    body = json.dumps({"oid": sha256_of(content), "parts": [{"partNumber": 1, "etag": '"x"'}]})
    headers = {"Content-Type": LFS}
    forged = complete[:-3] + ("aaa" if complete[-3:] != "aaa" else "bbb")
    assert httpx.post(forged, content=body, headers=headers).status_code == 403
    incomplete = httpx.post(complete, content=body, headers=headers)
    assert incomplete.status_code in (400, 404, 422), incomplete.text
    # A ticket for completing takes no bytes, and one for a part completes nothing.
    ticket = complete.rpartition("/")[2]
    assert httpx.put(f"{hub.bytes_url}/bytes/put/{ticket}", content=b"x").status_code == 400
    assert httpx.get(f"{hub.bytes_url}/bytes/get/{ticket}").status_code == 403
    assert batch(http, repo, [(sha256_of(content), len(content))], token=BOB).status_code == 404
    assert batch(http, repo, [(sha256_of(content), len(content))], token=None).status_code == 401


def test_a_token_that_is_gone_ends_its_addresses(
    hub: LiveHub, http: httpx.Client, new_repo: Callable[..., str]
) -> None:
    if hub.settings["HUB_DELIVERY"] != "proxy":
        pytest.skip("the store's own addresses live for minutes and ask nobody")
    repo, content = new_repo(private=True), unique()
    httpx.put(
        upload_address(http, repo, sha256_of(content), len(content)), content=content
    ).raise_for_status()
    assert commit(http, repo, [large_line("w.bin", sha256_of(content), len(content))]).status_code == 200
    token = "hf_" + uuid.uuid4().hex + "abcdef"
    hub.ensure_user("alice", token=token)
    link = http.get(f"/{repo}/resolve/main/w.bin", headers=bearer(token)).headers["Location"]
    assert httpx.get(link).content == content
    digest = sha256_of(token.encode())
    hub.manage(
        "shell",
        "-v",
        "0",
        "-c",
        f"from hub.accounts.models import Token; Token.objects.get(digest='{digest}').delete()",
    )
    assert httpx.get(link).status_code == 403


def test_a_client_that_dies_is_followed_by_one_that_finishes(
    hub: LiveHub, people: People, alice: HfApi, new_repo: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    repo = new_repo()
    block = os.urandom(MIB)
    with (folder / "w.bin").open("wb") as file:
        for number in range(66):
            file.write(number.to_bytes(4, "big") + block[4:])
    (folder / "a.txt").write_text("a")
    died = subprocess.run(
        [sys.executable, "-c", DIES_AT_THE_SECOND_PART, repo, str(folder)],
        env=people.environment(tmp_path / "home"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert alice.list_repo_files(repo) == [".gitattributes"]
    people.hf("upload", repo, str(folder), home=tmp_path / "home")
    alice.snapshot_download(repo, local_dir=tmp_path / "got")
    assert (tmp_path / "got" / "w.bin").read_bytes() == (folder / "w.bin").read_bytes()
