"""Who may do what by chunks: guests, other people, and those who could read once."""

import os
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from storage.xet.chunking import cut
from storage.xet.hashes import chunk_hash, to_text
from storage.xet.shards import write_shard
from tests.journeys.people import (
    ALICE,
    BOB,
    People,
    bearer,
    commit,
    large_line,
    read_tree,
    sha256_of,
    write_tree,
)
from tests.journeys.xet_kit import (
    MIB,
    New,
    counted,
    hf,
    run,
    weights,
    without_attributes,
)
from tests.live import LiveHub
from tests.storage.xet.samples import file_entry, xorb_entry


@pytest.fixture
def hub(live_hub_proxy: LiveHub) -> LiveHub:
    """Only the hub that carries every byte itself: there the gate stands at more doors, and at all of the other's."""
    return live_hub_proxy


def test_a_guest_proposes_a_large_file(
    people: People, alice: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(), weights(2 * MIB, 12)
    write_tree(folder, {"w.bin": content})
    hf(
        people,
        tmp_path / "bob",
        "upload",
        repo,
        str(folder / "w.bin"),
        "w.bin",
        "--create-pr",
        token=BOB,
    )
    assert not alice.file_exists(repo, "w.bin")
    for reader, token in (("alice", ALICE), ("bob", BOB)):
        goal = tmp_path / reader / "got"
        words = ("download", repo, "w.bin", "--revision", "refs/pr/1", "--local-dir", str(goal))
        hf(people, tmp_path / reader / "fresh", *words, token=token)
        assert (goal / "w.bin").read_bytes() == content
    with pytest.raises(AssertionError, match="403"):
        hf(people, tmp_path / "bob", "upload", repo, str(folder / "w.bin"), "w.bin", token=BOB)


def token_for(http: httpx.Client, repo: str, right: str, token: str, query: str = "") -> Any:
    """Return what the hub says to a request for a token of the chunk store."""
    return http.get(f"/api/models/{repo}/xet-{right}-token/main{query}", headers=bearer(token))


def at_cas(told: dict[str, Any], method: str, path: str, body: bytes = b"", place: str = "") -> int:
    """Ask the chunk store with a token, at its own place or at another one, and return the status."""
    answer = httpx.request(
        method, f"{place or told['casUrl']}/{path}", content=body, headers=bearer(told["accessToken"])
    )
    return answer.status_code


def told_xorb(told: dict[str, Any], name: str) -> str:
    """Return the first xorb that a file is said to be made of."""
    answer = httpx.get(f"{told['casUrl']}/v2/reconstructions/{name}", headers=bearer(told["accessToken"]))
    assert answer.status_code == 200, answer.text
    xorb: str = answer.json()["terms"][0]["hash"]
    return xorb


def test_a_private_file_is_nobody_elses_at_any_door(
    hub: LiveHub, people: People, http: httpx.Client, bob: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    hidden, content = new_repo(private=True), os.urandom(MIB)
    write_tree(folder, {"w.bin": content})
    hf(people, tmp_path / "one", "upload", hidden, str(folder / "w.bin"), "w.bin")
    head = http.head(f"/{hidden}/resolve/main/w.bin", headers=bearer(ALICE))
    name, sha256 = head.headers["X-Xet-Hash"], sha256_of(content)
    mine = token_for(http, hidden, "write", ALICE).json()
    chunk = to_text(chunk_hash(next(cut(BytesIO(content)))))
    xorb = told_xorb(mine, name)
    assert at_cas(mine, "GET", f"v1/chunks/default/{chunk}") == 200
    for right, query in (("read", ""), ("write", ""), ("write", "?create_pr=1")):
        assert token_for(http, hidden, right, BOB, query).status_code == 404

    own = f"bob/m{os.urandom(5).hex()}"
    bob.create_repo(own)
    his = token_for(http, own, "write", BOB).json()
    reads = [f"v1/reconstructions/{name}", f"v2/reconstructions/{name}", f"v1/chunks/default/{chunk}"]
    for path in reads:
        assert at_cas(his, "GET", path) == 404, path
        assert at_cas(his, "GET", path, place=mine["casUrl"]) == 403, path
        assert httpx.get(f"{mine['casUrl']}/{path}", headers=bearer(BOB)).status_code == 401, path
        assert httpx.get(f"{mine['casUrl']}/{path}").status_code == 401, path
    # Whatever he knows of it, he must send its bytes: names alone give him nothing.
    parts = tuple(cut(BytesIO(content)))
    shard = write_shard([file_entry(xorb_entry(parts), sha256)], [])
    assert at_cas(his, "POST", "v2/shards", shard) == 400
    assert at_cas(his, "POST", f"v1/xorbs/default/{xorb}", content) == 400
    asked = b'{"length": %d, "checksum": {"algo": "crc64nvme", "value": "1"}}' % len(content)
    assert at_cas(his, "POST", f"v1/xorb-grants/default/{xorb}", asked) in (201, 404)
    assert at_cas(his, "POST", "v2/shards", shard, place=mine["casUrl"]) == 403
    refused = commit(http, own, [large_line("w.bin", sha256, len(content))], BOB)
    assert 400 <= refused.status_code < 500, refused.text
    with pytest.raises(AssertionError, match="not found"):
        hf(people, tmp_path / "two", "download", hidden, "w.bin", token=BOB)


def test_whoever_could_read_once_cannot_when_the_repo_is_hidden(
    people: People, http: httpx.Client, alice: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(), os.urandom(MIB)
    write_tree(folder, {"w.bin": content})
    hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "w.bin")
    name = http.head(f"/{repo}/resolve/main/w.bin").headers["X-Xet-Hash"]
    read = token_for(http, repo, "read", BOB).json()
    guest = token_for(http, repo, "write", BOB, "?create_pr=1").json()
    assert at_cas(read, "GET", f"v2/reconstructions/{name}") == 200
    assert at_cas(read, "POST", f"v1/xorbs/default/{'ab' * 32}", b"x") == 403
    assert token_for(http, repo, "write", BOB).status_code == 403
    alice.update_repo_settings(repo, visibility="private")
    assert at_cas(read, "GET", f"v2/reconstructions/{name}") == 403
    assert at_cas(guest, "GET", f"v2/reconstructions/{name}") == 403
    assert at_cas(guest, "POST", f"v1/xorbs/default/{'ab' * 32}", b"x") == 403
    assert at_cas(guest, "POST", "v2/shards", b"x") == 403


COPY = """
import sys
from huggingface_hub import CommitOperationCopy, HfApi
source, goal = sys.argv[1:]
copies = [
    CommitOperationCopy("w.bin", "copied/w.bin", src_repo_id=source, src_repo_type="model"),
    CommitOperationCopy("small.txt", "copied/small.txt", src_repo_id=source, src_repo_type="model"),
]
HfApi().create_commit(goal, copies, commit_message="Copy")
"""


def test_files_are_copied_from_one_repo_to_another(
    hub: LiveHub, people: People, alice: HfApi, bob: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    source, content = new_repo(), os.urandom(MIB)
    write_tree(folder, {"w.bin": content, "small.txt": b"small\n"})
    hf(people, tmp_path / "one", "upload", source, str(folder))
    before = counted(hub)
    own = f"bob/m{os.urandom(5).hex()}"
    bob.create_repo(own)
    run(people, tmp_path / "two", sys.executable, "-c", COPY, source, own, token=BOB)
    assert counted(hub) == before
    # The copy stands on its own feet: the source may go.
    alice.delete_repo(source)
    hf(people, tmp_path / "three", "download", own, "--local-dir", str(tmp_path / "got"), token=BOB)
    assert without_attributes(read_tree(tmp_path / "got" / "copied")) == read_tree(folder)
    assert len(alice.get_paths_info(own, "copied/w.bin")[0].xet_hash or "") == 64  # type: ignore[union-attr]


def test_nothing_is_copied_from_a_repo_that_one_may_not_read(
    people: People, bob: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    hidden, own = new_repo(private=True), f"bob/m{os.urandom(5).hex()}"
    write_tree(folder, {"w.bin": os.urandom(MIB), "small.txt": b"small\n"})
    hf(people, tmp_path / "one", "upload", hidden, str(folder))
    bob.create_repo(own)
    with pytest.raises(AssertionError, match="404"):
        run(people, tmp_path / "two", sys.executable, "-c", COPY, hidden, own, token=BOB)
    assert bob.list_repo_files(own) == [".gitattributes"]
