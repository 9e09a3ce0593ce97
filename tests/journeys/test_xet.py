"""The stock client as it is installed: large files go and come chunk by chunk, without any switch."""

import os
import random
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, People, bearer, read_tree, sha256_of, write_tree
from tests.journeys.xet_kit import MIB, XORBS, Journal, New, counted, hf, run, weights, without_attributes
from tests.live import BOTH_WAYS, LiveHub


def model() -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
        "config.json": b'{"hidden_size": 8}',
        "one.bin": b"\0",
        "small.bin": weights(40_000, 2),
        "model.safetensors": weights(24 * MIB),
        "deep/er/random.bin": random.Random(5).randbytes(3 * MIB),
    }


@BOTH_WAYS
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


SNAPSHOT = """
import sys
from huggingface_hub import snapshot_download
snapshot_download(sys.argv[1], local_dir=sys.argv[2])
"""


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.matrix)])
def test_a_folder_of_many_files_is_one_upload_and_one_snapshot(
    count: int, hub: LiveHub, people: People, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, journal = new_repo(), Journal(hub)
    sent = {f"part-{at:04d}/{at}.bin": weights(4000 + at * 4, at) for at in range(count)}
    sent |= {f"part-{at:04d}/large.bin": weights(2 * MIB + at * 4, at) for at in range(0, count, 150)}
    sent |= {f"part-{at:04d}/notes.md": b"# Part %d\n" % at for at in range(0, count, 30)}
    write_tree(folder, sent)
    hf(people, tmp_path / "one", "upload", repo, str(folder))
    # Small files share xorbs, and large ones are packed as tightly as the client likes.
    assert len(journal.asked("POST", XORBS)) < 20
    run(people, tmp_path / "two", sys.executable, "-c", SNAPSHOT, repo, str(tmp_path / "got"))
    assert without_attributes(read_tree(tmp_path / "got")) == sent
    # The tree tells of large files all that is needed, so nothing is asked file by file.
    assert journal.asked("GET", f"/api/models/{repo}/tree/")
    assert journal.asked("GET", "/resolve/.*[.]md")
    assert journal.asked("(HEAD|GET)", "/resolve/.*[.]bin") == []


RANGES = """
import hashlib, sys
from huggingface_hub import HfFileSystem
repo, goal = sys.argv[1:]
fs = HfFileSystem()
print(fs.cat_file(f"{repo}/w.bin", start=3_000_000, end=3_000_010).hex())
with fs.open(f"{repo}/w.bin", "rb", block_size=100_000) as file:
    file.seek(1_234_567)
    print(file.read(8).hex())
    file.seek(-5, 2)
    print(file.read().hex())
fs.get_file(f"{repo}/w.bin", goal)
"""


def test_the_file_system_reads_ranges_of_a_chunked_file(
    people: People, new_repo: New, folder: Path, tmp_path: Path
) -> None:
    repo, content = new_repo(private=True), weights(6 * MIB, 16)
    write_tree(folder, {"w.bin": content})
    hf(people, tmp_path / "one", "upload", repo, str(folder / "w.bin"), "w.bin")
    told = run(people, tmp_path / "two", sys.executable, "-c", RANGES, repo, str(tmp_path / "got"))
    wanted = (content[3_000_000:3_000_010], content[1_234_567:1_234_575], content[-5:])
    assert told.split() == [piece.hex() for piece in wanted]
    assert (tmp_path / "got").read_bytes() == content


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
