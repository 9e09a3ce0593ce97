"""Commits of every kind by the stock client, one after another and at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from huggingface_hub import CommitOperationAdd as Add
from huggingface_hub import CommitOperationCopy as Copy
from huggingface_hub import CommitOperationDelete as Delete
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.live import LiveHub

LARGE = bytes(range(256)) * 40


def files_of(api: HfApi, repo: str, **options: str) -> set[str]:
    return set(api.list_repo_files(repo, **options)) - {".gitattributes"}


def content(api: HfApi, repo: str, path: str, cache: object) -> bytes:
    with open(api.hf_hub_download(repo, path, cache_dir=str(cache)), "rb") as file:  # noqa: PTH123
        return file.read()


def test_one_commit_adds_copies_and_deletes(
    alice: HfApi, new_repo: Callable[..., str], tmp_path: object
) -> None:
    repo = new_repo()
    alice.create_commit(
        repo,
        [Add("a.txt", b"a"), Add("dir/b.txt", b"b"), Add("dir/in/c.txt", b"c"), Add("w.bin", LARGE)],
        commit_message="1",
    )
    done = alice.create_commit(
        repo,
        [
            Delete("a.txt"), Delete("dir/in/"), Copy("w.bin", "copied/w.bin"), Copy("dir/b.txt", "copied/b.txt"),
            Add("dir/b.txt", b"changed"),
        ],
        commit_message="2",
    )  # fmt: skip
    assert files_of(alice, repo) == {"dir/b.txt", "w.bin", "copied/w.bin", "copied/b.txt"}
    assert content(alice, repo, "copied/w.bin", tmp_path) == LARGE
    assert content(alice, repo, "copied/b.txt", tmp_path) == b"b"
    assert content(alice, repo, "dir/b.txt", tmp_path) == b"changed"
    assert done.commit_url.endswith(f"/{repo}/commit/{done.oid}")
    alice.delete_folder("copied", repo)
    alice.delete_file("dir/b.txt", repo)
    assert files_of(alice, repo) == {"w.bin"}
    alice.delete_files(repo, ["*.bin"])
    assert files_of(alice, repo) == set()


def test_a_copy_from_an_older_revision(alice: HfApi, new_repo: Callable[..., str], tmp_path: object) -> None:
    repo = new_repo()
    old = alice.create_commit(repo, [Add("w.bin", LARGE), Add("a.txt", b"old")], commit_message="1").oid
    alice.create_commit(repo, [Add("w.bin", LARGE[1:]), Add("a.txt", b"new")], commit_message="2")
    alice.create_commit(
        repo,
        [Copy("w.bin", "w.old.bin", src_revision=old), Copy("a.txt", "old.txt", src_revision=old)],
        commit_message="3",
    )
    assert content(alice, repo, "w.old.bin", tmp_path) == LARGE
    assert content(alice, repo, "old.txt", tmp_path) == b"old"


def test_deleting_what_is_not_there_changes_nothing(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    before = alice.model_info(repo).sha
    with pytest.raises(HfHubHTTPError, match="A file with this name doesn't exist"):
        alice.create_commit(repo, [Add("a.txt", b"a"), Delete("absent.txt")], commit_message="x")
    assert alice.model_info(repo).sha == before


def test_a_stale_parent_is_refused(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    first = alice.model_info(repo).sha
    alice.create_commit(repo, [Add("a.txt", b"a")], commit_message="1", parent_commit=first)
    with pytest.raises(HfHubHTTPError, match="The branch was updated since you opened this page") as stale:
        alice.create_commit(repo, [Add("b.txt", b"b")], commit_message="2", parent_commit=first)
    assert stale.value.response.status_code == 412
    assert files_of(alice, repo) == {"a.txt"}
    head = alice.model_info(repo).sha
    assert head is not None
    alice.create_commit(repo, [Add("b.txt", b"b")], commit_message="2", parent_commit=head[:7])
    assert files_of(alice, repo) == {"a.txt", "b.txt"}


def test_no_commit_is_lost_when_eight_push_at_once(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()

    def push(number: int) -> str:
        added = [
            Add(f"n{number}/a.txt", str(number).encode()),
            Add(f"n{number}/w.bin", LARGE + bytes([number])),
        ]
        return alice.create_commit(repo, added, commit_message=f"push {number}").oid

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(push, range(8)))
    assert files_of(alice, repo) == {
        f"n{number}/{name}" for number in range(8) for name in ("a.txt", "w.bin")
    }
    history = alice.list_repo_commits(repo)
    assert len(history) == 9
    assert made == {commit.commit_id for commit in history} - {history[-1].commit_id}


def test_attributes_of_the_revision_decide_what_is_large(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    alice.create_commit(
        repo, [Add("lfs.bin", b"tiny"), Add("note.text", b"x" * 9_000_000)], commit_message="1"
    )
    alice.upload_file(
        repo_id=repo,
        path_in_repo=".gitattributes",
        path_or_fileobj=b"*.png filter=lfs diff=lfs merge=lfs -text\n",
    )
    alice.create_commit(repo, [Add("a.png", b"text in fact"), Add("plain.bin", b"tiny")], commit_message="2")
    large = {
        entry.path: getattr(entry, "lfs", None) is not None
        for entry in alice.get_paths_info(repo, ["lfs.bin", "note.text", "a.png", "plain.bin"])
    }
    assert large == {"lfs.bin": True, "note.text": False, "a.png": True, "plain.bin": False}


def test_ignored_files_are_not_sent(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    alice.upload_file(repo_id=repo, path_in_repo=".gitignore", path_or_fileobj=b"*.log\ncache/\n")
    alice.create_commit(
        repo, [Add("a.log", b"x"), Add("cache/b", b"x"), Add("kept.txt", b"x")], commit_message="1"
    )
    assert files_of(alice, repo) == {".gitignore", "kept.txt"}


def test_cards_are_checked_before_they_are_pushed(
    alice: HfApi, hub: LiveHub, new_repo: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = new_repo()
    alice.upload_file(
        repo_id=repo, path_in_repo="README.md", path_or_fileobj=b"---\nlicense: [unclosed\n---\n# Broken\n"
    )
    assert "README.md" in files_of(alice, repo)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    with pytest.raises(ValueError, match='- Error: "license" must be one of'):
        ModelCard("---\nlicense: no-such-license\n---\n# Hi\n").validate()
    ModelCard("---\nlicense: mit\n---\n# Hi\n").validate()


def test_missing_repos_are_named_in_full(alice: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError, match=r"404 Client Error.*Request ID") as absent:
        alice.create_commit("alice/does-not-exist", [Add("a.txt", b"a")], commit_message="1")
    assert "Request ID" in str(absent.value)


def test_the_tensors_of_a_model_are_read_by_ranges(alice: HfApi, new_repo: Callable[..., str]) -> None:
    header = b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    file = len(header).to_bytes(8, "little") + header + bytes(24)
    repo = new_repo()
    alice.upload_file(repo_id=repo, path_in_repo="model.safetensors", path_or_fileobj=file)
    found = alice.get_safetensors_metadata(repo)
    assert found.parameter_count == {"F32": 6}


def test_a_tree_of_thousands_comes_in_pages(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    names = {f"d{number % 7}/f{number:04}.txt" for number in range(1300)}
    alice.create_commit(repo, [Add(name, name.encode()) for name in sorted(names)], commit_message="many")
    assert files_of(alice, repo) == names
    assert len(list(alice.list_repo_tree(repo, "d3"))) == len(
        [name for name in names if name.startswith("d3/")]
    )
    expanded = list(alice.list_repo_tree(repo, "d3", expand=True))
    assert len(expanded) == len([name for name in names if name.startswith("d3/")])
