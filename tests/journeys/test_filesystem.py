"""The hub as a file system: `HfFileSystem` lists, reads ranges, writes, copies and removes."""

from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import HfApi, HfFileSystem

from tests.journeys.people import ALICE
from tests.live import BOTH_WAYS, LiveHub

LARGE = bytes(range(256)) * 300


@pytest.fixture
def fs(hub: LiveHub) -> Any:
    return HfFileSystem(endpoint=hub.url, token=ALICE, skip_instance_cache=True)


@pytest.fixture
def repo(alice: HfApi, new_repo: Callable[..., str]) -> str:
    made = new_repo()
    for path, content in (("a.txt", b"alpha\n"), ("dir/b.txt", b"beta\n"), ("dir/sub/w.bin", LARGE)):
        alice.upload_file(repo_id=made, path_in_repo=path, path_or_fileobj=content)
    return made


def test_listing_and_finding(fs: Any, repo: str) -> None:
    assert fs.ls(repo, detail=False) == [f"{repo}/.gitattributes", f"{repo}/a.txt", f"{repo}/dir"]
    assert sorted(fs.find(repo)) == [
        f"{repo}/.gitattributes", f"{repo}/a.txt", f"{repo}/dir/b.txt", f"{repo}/dir/sub/w.bin",
    ]  # fmt: skip
    assert fs.glob(f"{repo}/**/*.bin") == [f"{repo}/dir/sub/w.bin"]
    assert fs.isdir(f"{repo}/dir/sub") and fs.isfile(f"{repo}/a.txt")
    assert not fs.exists(f"{repo}/absent.txt")
    info = fs.info(f"{repo}/dir/sub/w.bin")
    assert (info["size"], info["type"]) == (len(LARGE), "file")
    [expanded] = fs.ls(f"{repo}/dir/sub", detail=True, expand_info=True)
    assert expanded["last_commit"].title == "Upload dir/sub/w.bin with huggingface_hub"


@BOTH_WAYS
def test_reading_in_pieces(fs: Any, repo: str) -> None:
    with fs.open(f"{repo}/dir/sub/w.bin", "rb", block_size=1000) as file:
        file.seek(70_000)
        assert file.read(10) == LARGE[70_000:70_010]
        file.seek(-5, 2)
        assert file.read() == LARGE[-5:]
    assert fs.cat_file(f"{repo}/dir/sub/w.bin", start=256, end=260) == LARGE[256:260]
    assert fs.cat_file(f"{repo}/a.txt", start=1, end=4) == b"lph"
    assert fs.read_text(f"{repo}/a.txt") == "alpha\n"


def test_writing_copying_and_removing(fs: Any, repo: str) -> None:
    with fs.open(f"{repo}/new/file.txt", "w") as file:
        file.write("written\n")
    assert fs.read_text(f"{repo}/new/file.txt") == "written\n"
    fs.cp_file(f"{repo}/dir/sub/w.bin", f"{repo}/copied.bin")
    assert fs.cat_file(f"{repo}/copied.bin") == LARGE
    fs.cp_file(f"{repo}/a.txt", f"{repo}/copied.txt")
    assert fs.read_text(f"{repo}/copied.txt") == "alpha\n"
    fs.rm(f"{repo}/a.txt")
    assert not fs.exists(f"{repo}/a.txt")
    fs.rm(f"{repo}/dir", recursive=True)
    assert sorted(fs.find(repo)) == [
        f"{repo}/.gitattributes", f"{repo}/copied.bin", f"{repo}/copied.txt", f"{repo}/new/file.txt",
    ]  # fmt: skip


def test_a_revision_in_the_path(fs: Any, alice: HfApi, repo: str) -> None:
    alice.create_branch(repo, branch="try/this")
    alice.upload_file(repo_id=repo, path_in_repo="a.txt", path_or_fileobj=b"changed", revision="try/this")
    assert fs.read_text(f"{repo}@try%2Fthis/a.txt") == "changed"
    assert fs.read_text(f"{repo}/a.txt") == "alpha\n"
    assert fs.resolve_path(f"{repo}@try%2Fthis/a.txt").revision == "try/this"
