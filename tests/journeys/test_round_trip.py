"""Folders go up and come down byte for byte, by the ``hf`` program and by the library."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError

from tests.journeys.people import ALICE, People, read_tree, write_tree
from tests.live import BOTH_WAYS, LiveHub

MIB = 2**20
AWFUL = [
    "what?.txt", "100%.txt", "50%25.txt", "so:called.txt", "a,b.txt", "a b  c.txt", "c++.txt", "#hash.txt", "a&b=c.txt",
    "ünïcödé/模型.txt", "quote'\"d.txt", "semi;colon.txt", "tilde~.txt", "[br]{ack}.txt", "emoji 🦙.txt", "at@sign.txt",
    "dir with space/%2F.txt", "back`tick$.txt", "percent%2Fslash.bin",
]  # fmt: skip


def some_bytes(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def model_folder() -> dict[str, bytes]:
    return {
        "README.md": b"---\nlicense: apache-2.0\npipeline_tag: text-generation\n---\n# A model\n",
        "config.json": b'{"hidden_size": 8}',
        "empty.txt": b"",
        "deep/er/and/deeper/notes.txt": "über\n".encode(),
        "model.bin": some_bytes(40_000),
        "weights/part-1.bin": some_bytes(5_000, 2),
        "binary_without_suffix": bytes(range(256)) * 4,
        "large.txt": b"line\n" * 200_000,
    }


@BOTH_WAYS
def test_a_folder_goes_up_and_comes_down_by_the_program(
    hub: LiveHub, people: People, new_repo: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    sent = model_folder()
    write_tree(folder, sent)
    repo = new_repo()
    people.hf("upload", repo, str(folder), home=tmp_path / "one")
    people.hf("download", repo, "--local-dir", str(tmp_path / "got"), home=tmp_path / "two")
    got = read_tree(tmp_path / "got")
    assert got.pop(".gitattributes")
    assert got == sent


def test_the_program_makes_the_repo_and_says_who_is_signed_in(
    hub: LiveHub, people: People, alice: HfApi, folder: Path, tmp_path: Path
) -> None:
    write_tree(folder, {"one.txt": b"1"})
    repo = f"alice/made-by-upload-{os.urandom(4).hex()}"
    said = people.hf(
        "upload", repo, str(folder / "one.txt"), "inner/one.txt", "--private", home=tmp_path / "home"
    )
    assert f"{hub.url}/{repo}" in said
    assert alice.model_info(repo).private is True
    assert "alice" in people.hf("auth", "whoami", home=tmp_path / "home")


@BOTH_WAYS
def test_awful_file_names_survive(
    hub: LiveHub, alice: HfApi, new_repo: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    sent = {name: f"{name}\n".encode() for name in AWFUL}
    write_tree(folder, sent)
    repo = new_repo()
    alice.upload_folder(repo_id=repo, folder_path=folder)
    assert set(AWFUL) <= set(alice.list_repo_files(repo))
    alice.snapshot_download(repo, local_dir=tmp_path / "got")
    got = read_tree(tmp_path / "got")
    got.pop(".gitattributes")
    assert got == sent
    for name in AWFUL:
        one = hf_hub_download(repo, name, endpoint=hub.url, token=ALICE, cache_dir=tmp_path / "cache")
        assert Path(one).read_bytes() == sent[name], name
        assert [entry.path for entry in alice.get_paths_info(repo, [name])] == [name]
        assert alice.file_exists(repo, name)


def test_an_unchanged_folder_is_not_sent_again(
    alice: HfApi, new_repo: Callable[..., str], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tree(folder, model_folder())
    repo = new_repo()
    first = alice.upload_folder(repo_id=repo, folder_path=folder)
    with caplog.at_level("INFO", logger="huggingface_hub"):
        second = alice.upload_folder(repo_id=repo, folder_path=folder)
    assert first.oid == second.oid
    assert "have not changed" in caplog.text or "No files have been modified" in caplog.text
    (folder / "config.json").write_bytes(b'{"hidden_size": 16}')
    (folder / "model.bin").write_bytes(some_bytes(40_000, 9))
    third = alice.upload_folder(repo_id=repo, folder_path=folder)
    assert third.oid != first.oid
    assert [commit.commit_id for commit in alice.list_repo_commits(repo)][:2] == [third.oid, first.oid]


@BOTH_WAYS
def test_a_multipart_file_goes_up_and_comes_down(
    alice: HfApi, new_repo: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    block = some_bytes(MIB)
    with (folder / "big.safetensors.bin").open("wb") as file:
        for number in range(70):
            file.write(number.to_bytes(8, "little") + block[8:])
        file.write(b"the end")
    repo = new_repo()
    alice.upload_folder(repo_id=repo, folder_path=folder)
    got = alice.hf_hub_download(repo, "big.safetensors.bin", cache_dir=tmp_path / "cache")
    assert Path(got).read_bytes() == (folder / "big.safetensors.bin").read_bytes()
    [entry] = alice.get_paths_info(repo, ["big.safetensors.bin"])
    assert Path(got).resolve().name == entry.lfs.sha256  # type: ignore[union-attr]


def test_a_second_snapshot_fetches_nothing(
    hub: LiveHub, alice: HfApi, new_repo: Callable[..., str], folder: Path, tmp_path: Path
) -> None:
    write_tree(folder, model_folder())
    repo = new_repo()
    alice.upload_folder(repo_id=repo, folder_path=folder)
    first = snapshot_download(repo, endpoint=hub.url, token=ALICE, cache_dir=tmp_path / "cache")
    times = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("blobs/*")}
    assert len(times) == len(model_folder()) + 1
    second = snapshot_download(repo, endpoint=hub.url, token=ALICE, cache_dir=tmp_path / "cache")
    assert first == second
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("blobs/*")} == times
    # A new commit shares the blobs that did not change.
    alice.upload_file(repo_id=repo, path_in_repo="more.txt", path_or_fileobj=b"more")
    snapshot_download(repo, endpoint=hub.url, token=ALICE, cache_dir=tmp_path / "cache")
    after = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache").rglob("blobs/*")}
    assert len(after) == len(times) + 1
    assert times.items() <= after.items()


def test_probing_for_a_missing_file_is_remembered_as_its_absence(
    alice: HfApi, new_repo: Callable[..., str], tmp_path: Path
) -> None:
    repo = new_repo()
    with pytest.raises(EntryNotFoundError):
        alice.hf_hub_download(repo, "adapter_config.json", cache_dir=tmp_path / "cache")
    absent = list((tmp_path / "cache").rglob(".no_exist/*/adapter_config.json"))
    assert [file.parent.name for file in absent] == [alice.model_info(repo).sha]
    assert not alice.file_exists(repo, "adapter_config.json")


def test_a_dataset_takes_the_same_way(
    hub: LiveHub, alice: HfApi, people: People, folder: Path, tmp_path: Path
) -> None:
    repo = f"alice/data-{os.urandom(4).hex()}"
    sent = {
        "train.csv": b"a,b\n1,2\n",
        "data/train.parquet": some_bytes(9_000),
        "sound.wav": some_bytes(3_000, 3),
    }
    write_tree(folder, sent)
    people.hf("upload", repo, str(folder), "--repo-type", "dataset", home=tmp_path / "home")
    alice.snapshot_download(repo, repo_type="dataset", local_dir=tmp_path / "got")
    got = read_tree(tmp_path / "got")
    got.pop(".gitattributes")
    assert got == sent
    assert alice.dataset_info(repo).author == "alice"
