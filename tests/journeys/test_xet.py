"""The stock client as it is installed: large files go and come chunk by chunk, without any switch."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import numpy
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, BOB, People, bearer, read_tree, sha256_of, write_tree
from tests.live import LiveHub

MIB = 2**20
New = Callable[..., str]


def weights(size: int, seed: int = 1) -> bytes:
    """Return bytes like those of a model in bf16: compressible in every other byte only."""
    values = numpy.random.default_rng(seed).normal(0, 0.02, size // 4).astype("<f4")
    return values.tobytes()


def run(people: People, home: Path, *words: str, token: str = ALICE, **extra: str) -> str:
    """Run a program of the client's environment with Xet on; raises AssertionError when it fails."""
    env = {**people.environment(home, token), **extra}
    env.pop("HF_HUB_DISABLE_XET", None)
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words} failed\n{done.stdout}{done.stderr}\n{people.hub.logs(25)}"
    return done.stdout


def hf(people: People, home: Path, *words: str, token: str = ALICE, **extra: str) -> str:
    return run(people, home, str(Path(sys.executable).parent / "hf"), *words, token=token, **extra)


def without_attributes(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in tree.items() if path != ".gitattributes"}


def counted(hub: LiveHub) -> tuple[int, int]:
    """Return how many xorbs the hub keeps, and their stored bytes."""
    told = hub.manage(
        "shell", "-v", "0", "-c",
        "from storage.models import Xorb; from django.db.models import Sum;"
        "print(Xorb.objects.count(), Xorb.objects.aggregate(s=Sum('stored_size'))['s'] or 0)",
    )  # fmt: skip
    count, size = told.split()
    return int(count), int(size)


def model() -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
        "config.json": b'{"hidden_size": 8}',
        "one.bin": b"\0",
        "small.bin": weights(40_000, 2),
        "model.safetensors": weights(24 * MIB),
        "deep/er/random.bin": random.Random(5).randbytes(3 * MIB),
    }


def test_a_folder_goes_up_and_comes_down_in_chunks(
    hub: LiveHub, people: People, http: httpx.Client, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    sent, repo = model(), new_repo(private=True)
    write_tree(folder, sent)
    hf(people, tmp_path / "one", "upload", repo, str(folder))
    head = http.head(f"/{repo}/resolve/main/model.safetensors", headers=bearer(ALICE))
    assert len(head.headers["X-Xet-Hash"]) == 64
    assert head.headers["Link"].endswith('rel="xet-auth"')
    listed = {
        item["path"]: item for item in http.get(f"/api/models/{repo}/tree/main", headers=bearer(ALICE)).json()
    }
    assert listed["model.safetensors"]["xetHash"] == head.headers["X-Xet-Hash"]
    assert "xetHash" not in listed["config.json"]
    hf(people, tmp_path / "two", "download", repo, "--local-dir", str(tmp_path / "got"))
    assert without_attributes(read_tree(tmp_path / "got")) == sent
    plain = httpx.get(
        f"{hub.url}/{repo}/resolve/main/model.safetensors", headers=bearer(ALICE), follow_redirects=True
    )
    assert sha256_of(plain.content) == sha256_of(sent["model.safetensors"])


def test_a_changed_file_sends_little_again(
    hub: LiveHub, people: People, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(), weights(32 * MIB, 7)
    write_tree(folder, {"w.bin": content})
    hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "w.bin")
    before = counted(hub)
    changed = content[: 16 * MIB] + os.urandom(300) + content[16 * MIB :]
    write_tree(folder, {"w.bin": changed})
    hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "w.bin")
    same_home = counted(hub)
    assert same_home[1] - before[1] < 0.03 * len(content)
    again = changed[: 8 * MIB] + os.urandom(300) + changed[8 * MIB :]
    write_tree(folder, {"w.bin": again})
    hf(people, tmp_path / "fresh", "upload", repo, str(folder / "w.bin"), "w.bin")
    assert counted(hub)[1] - same_home[1] < 0.03 * len(content)
    hf(people, tmp_path / "two", "download", repo, "w.bin", "--local-dir", str(tmp_path / "got"))
    assert sha256_of((tmp_path / "got" / "w.bin").read_bytes()) == sha256_of(again)


def test_the_same_client_pushes_to_other_repos_what_it_remembers(
    hub: LiveHub, people: People, alice: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    content = weights(6 * MIB, 11)
    write_tree(folder, {"w.bin": content})
    home, elsewhere = tmp_path / "one", f"acme/{os.urandom(5).hex()}"
    alice.create_repo(elsewhere, private=True)
    for repo in (new_repo(), new_repo(private=True), elsewhere):
        hf(people, home, "upload", repo, str(folder / "w.bin"), "w.bin")
        hf(people, tmp_path / "two", "download", repo, "w.bin", "--local-dir", str(tmp_path / repo))
        assert (tmp_path / repo / "w.bin").read_bytes() == content


def test_a_guest_proposes_a_large_file(
    hub: LiveHub, people: People, alice: HfApi, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(), weights(2 * MIB, 12)
    write_tree(folder, {"w.bin": content})
    home = tmp_path / "bob"
    hf(people, home, "upload", repo, str(folder / "w.bin"), "w.bin", "--create-pr", token=BOB)
    path = alice.hf_hub_download(repo, "w.bin", revision="refs/pr/1", local_dir=tmp_path / "got")
    assert Path(path).read_bytes() == content
    with pytest.raises(AssertionError, match="403"):
        hf(people, home, "upload", repo, str(folder / "w.bin"), "w.bin", token=BOB)


SNAPSHOT = """
import sys
from huggingface_hub import snapshot_download
snapshot_download(sys.argv[1], local_dir=sys.argv[2])
"""


def test_a_folder_of_many_files_is_one_upload_and_one_snapshot(
    hub: LiveHub, people: People, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo = new_repo()
    sent = {f"part-{at:03d}/{at}.bin": weights(4000 + at, at) for at in range(300)}
    write_tree(folder, sent)
    hf(people, tmp_path / "one", "upload", repo, str(folder))
    run(people, tmp_path / "two", sys.executable, "-c", SNAPSHOT, repo, str(tmp_path / "got"))
    assert without_attributes(read_tree(tmp_path / "got")) == sent


def test_what_comes_with_xet_goes_without_and_the_other_way_round(
    hub: LiveHub, people: People, http: httpx.Client, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(), weights(9 * MIB, 14)
    write_tree(folder, {"w.bin": content})
    hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "chunked.bin")
    people.hf("download", repo, "chunked.bin", "--local-dir", str(tmp_path / "a"), home=tmp_path / "two")
    assert (tmp_path / "a" / "chunked.bin").read_bytes() == content
    other = weights(9 * MIB, 15)
    write_tree(folder, {"w.bin": other})
    people.hf("upload", repo, str(folder / "w.bin"), "plain.bin", home=tmp_path / "three")
    assert "X-Xet-Hash" not in http.head(f"/{repo}/resolve/main/plain.bin").headers
    hf(people, tmp_path / "four", "download", repo, "plain.bin", "--local-dir", str(tmp_path / "b"))
    assert (tmp_path / "b" / "plain.bin").read_bytes() == other
    # A file that lies as one piece may come again in chunks, and has both forms then.
    hf(people, tmp_path / "five", "upload", repo, str(folder / "w.bin"), "again.bin")
    assert len(http.head(f"/{repo}/resolve/main/plain.bin").headers["X-Xet-Hash"]) == 64
    link = http.get(f"/{repo}/resolve/main/plain.bin", headers={"Range": "bytes=5-9"}, follow_redirects=True)
    assert (link.status_code, link.content) == (206, other[5:10])


def test_a_body_that_breaks_off_keeps_nothing(hub: LiveHub, http: httpx.Client, new_repo: New) -> None:
    repo = new_repo()
    told = http.get(f"/api/models/{repo}/xet-write-token/main", headers=bearer(ALICE)).json()
    parts = urlsplit(told["casUrl"])
    before = counted(hub)
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as peer:
        head = (
            f"POST {parts.path}/v1/xorbs/default/{'ab' * 32} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {told['accessToken']}\r\nContent-Length: 100000\r\n\r\n"
        )
        peer.sendall(head.encode() + b"x" * 5000)
        peer.shutdown(socket.SHUT_WR)
        assert b" 400 " in peer.recv(4096).split(b"\r\n")[0]
    assert counted(hub) == before
