"""Commits are real git, they queue on the ref, and nothing changes when anything fails."""

import subprocess
import threading
import zlib
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from hub.catalog.errors import (
    BadPath,
    BadRequest,
    EntryNotFound,
    NotAllowed,
    RevisionNotFound,
    StaleParent,
    TooLarge,
)
from hub.catalog.lookups import count_history, history, last_commits
from hub.catalog.models import CommitRecord, GitObject, Ref, Repo
from hub.catalog.names import FilePath
from hub.catalog.objects import MAX_REGULAR_BYTES, read
from hub.catalog.operations import AddFile, Copy, Delete, Operation
from hub.catalog.refs import list_refs
from hub.catalog.trees import entry_at, files, list_folder, walk
from storage import objects as stored_objects
from tests.factories import at, commit_all, make_repo, make_viewer, push

pytestmark = pytest.mark.django_db


def _paths(repo: Repo, revision: str = "main") -> list[str]:
    return [entry.path for entry in files(repo, at(repo, revision).tree)]


def _add(path: str, content: bytes = b"x") -> AddFile:
    return AddFile(FilePath.parse(path), content)


def _delete(path: str) -> Delete:
    return Delete(FilePath.parse(path))


def test_git_itself_accepts_every_object_and_reads_the_same_tree(tmp_path: Path) -> None:
    viewer = make_viewer("ada")
    repo = make_repo(viewer)
    push(
        viewer,
        repo,
        {"README.md": b"# hi\n", "a/b/c.txt": b"deep", "a.txt": b"", "big.txt": b"0123456789" * 20_000},
    )
    done = push(viewer, repo, {"a/b/d.txt": b"more", "a.txt": None}, title="Ünïcode title")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for row in GitObject.objects.filter(network=repo.network_id):
        kind = {1: "commit", 2: "tree", 3: "blob"}[row.type]
        deflated = stored_objects.get(row.key) if row.key else bytes(row.data)
        written = subprocess.run(
            ["git", "-C", tmp_path, "hash-object", "-w", "-t", kind, "--stdin"],
            input=zlib.decompress(deflated), check=True, capture_output=True,
        )  # fmt: skip
        assert written.stdout.decode().strip() == row.oid
    subprocess.run(["git", "-C", tmp_path, "update-ref", "refs/heads/main", done.oid], check=True)
    subprocess.run(["git", "-C", tmp_path, "fsck", "--strict", "--full"], check=True, capture_output=True)
    listed = subprocess.run(
        ["git", "-C", tmp_path, "ls-tree", "-r", "-z", "--name-only", done.oid],
        check=True,
        capture_output=True,
    )
    assert listed.stdout.decode().strip("\0").split("\0") == _paths(repo)
    log = subprocess.run(
        ["git", "-C", tmp_path, "log", "--format=%s|%an", done.oid], check=True, capture_output=True
    )
    assert log.stdout.decode().splitlines() == ["Ünïcode title|ada", "push|ada", "initial commit|ada"]


def test_entries_are_found_at_any_depth_and_listed_by_path() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {"a/b/c/d.txt": b"1234", "a/b.txt": b"", "a-b": b"x"})
    tree = at(repo).tree
    found = entry_at(repo, tree, FilePath.parse("a/b/c/d.txt"))
    assert found is not None
    assert (found.size, found.is_folder, read(repo.network_id, found.oid)) == (4, False, b"1234")
    assert entry_at(repo, tree, FilePath.parse("a/b/c/nothing")) is None
    assert [entry.path for entry in walk(repo, tree)] == [
        ".gitattributes", "a", "a-b", "a/b", "a/b.txt", "a/b/c", "a/b/c/d.txt",
    ]  # fmt: skip
    assert [entry.path for entry in walk(repo, tree, after="a/b", limit=2)] == ["a/b.txt", "a/b/c"]
    assert [entry.path for entry in list_folder(repo, tree)] == [".gitattributes", "a", "a-b"]


def test_operations_apply_in_order_and_deletions_leave_room_for_what_comes_after() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {"dir/old.txt": b"1", "dir/sub/x": b"2", "keep": b"3"})
    commit_all(viewer, repo, [_delete("dir"), _add("dir/new.txt"), _add("keep", b"4")])
    assert _paths(repo) == [".gitattributes", "dir/new.txt", "keep"]


def test_a_folder_that_loses_its_last_file_is_gone() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {"dir/sub/only": b"1"})
    push(viewer, repo, {"dir/sub/only": None})
    assert [entry.path for entry in walk(repo, at(repo).tree)] == [".gitattributes"]


@pytest.mark.parametrize(
    ("operations", "error", "words"),
    [
        ([_delete("nothing")], EntryNotFound, "A file with this name doesn't exist"),
        ([_add("dir")], BadPath, "is a folder"),
        ([_add("file/below")], BadPath, "is a file"),
        ([_add("x", b"x" * (MAX_REGULAR_BYTES + 1))], TooLarge, "large file"),
        ([Copy(FilePath.parse("x"), FilePath.parse("nothing"), "main")], EntryNotFound, "doesn't exist"),
        ([Copy(FilePath.parse("x"), FilePath.parse("file"), "no-branch")], RevisionNotFound, "no-branch"),
    ],
)
def test_a_commit_that_cannot_be_applied_changes_nothing(
    operations: list[Operation], error: type[Exception], words: str
) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {"dir/a": b"1", "file": b"2"})
    before = at(repo).commit
    with pytest.raises(error, match=words):
        commit_all(viewer, repo, [_add("first"), *operations])
    assert at(repo).commit == before
    assert _paths(repo) == [".gitattributes", "dir/a", "file"]


def test_a_stale_parent_is_refused_and_a_short_one_is_understood() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    first = at(repo).commit
    commit_all(viewer, repo, [_add("a")], parent=first[:7])
    with pytest.raises(StaleParent, match="refresh and try again"):
        commit_all(viewer, repo, [_add("b")], parent=first)


def test_the_same_push_sent_twice_makes_one_commit() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    first = push(viewer, repo, {"a": b"1"})
    assert push(viewer, repo, {"a": b"1"}).oid == first.oid
    assert count_history(repo, first.oid) == 2


def test_a_copy_within_the_repo_keeps_the_object() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    old = push(viewer, repo, {"a": b"1"})
    push(viewer, repo, {"a": b"2"})
    commit_all(viewer, repo, [Copy(FilePath.parse("deep/b"), FilePath.parse("a"), old.oid)])
    entry = entry_at(repo, at(repo).tree, FilePath.parse("deep/b"))
    assert entry is not None
    assert read(repo.network_id, entry.oid) == b"1"


def test_a_pull_request_gets_its_own_ref_and_leaves_main_alone() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo = make_repo(owner)
    main = at(repo).commit
    done = commit_all(stranger, repo, [_add("proposal")], create_pr=True)
    assert (done.ref, done.pull_request) == ("refs/pr/1", 1)
    assert at(repo).commit == main
    assert "proposal" in _paths(repo, "refs/pr/1")
    commit_all(stranger, repo, [_add("more")], revision="refs/pr/1")
    assert commit_all(owner, repo, [_add("other")], create_pr=True).pull_request == 2
    with pytest.raises(NotAllowed):
        commit_all(make_viewer(), repo, [_add("intruder")], revision="refs/pr/1")
    with pytest.raises(NotAllowed):
        commit_all(stranger, repo, [_add("x")])
    assert [ref.name for ref in list_refs(repo).pulls] == ["refs/pr/1", "refs/pr/2"]


@pytest.mark.parametrize("revision", ["no-branch", "a" * 40, "refs/pr/9"])
def test_a_commit_goes_to_a_branch_that_exists(revision: str) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    with pytest.raises(RevisionNotFound):
        commit_all(viewer, repo, [_add("a")], revision=revision)


@pytest.mark.parametrize("title", ["", "   ", "x" * 501])
def test_a_title_must_be_one_line_of_sensible_length(title: str) -> None:
    viewer = make_viewer()
    with pytest.raises(BadRequest, match="summary"):
        commit_all(viewer, make_repo(viewer), [_add("a")], title=title)


def test_the_last_commit_of_each_path_and_folder_is_known_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    first = push(viewer, repo, {"a/x": b"1", "a/y": b"1", "b": b"1"})
    second = push(viewer, repo, {"a/y": b"2"})
    head = at(repo)
    with django_assert_num_queries(1):
        last = last_commits(repo, head.commit, ["a", "a/x", "a/y", "b"])
    assert {path: record.oid for path, record in last.items()} == {
        "a": second.oid, "a/x": first.oid, "a/y": second.oid, "b": first.oid,
    }  # fmt: skip
    assert last_commits(repo, first.oid, ["a/y"])["a/y"].oid == first.oid


def test_a_card_is_read_into_the_repo_and_a_broken_one_warns_but_lands() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    done = push(
        viewer,
        repo,
        {"README.md": b"---\nlicense: MIT\npipeline_tag: fill-mask\ntags: [t]\n---\n# x", "m.gguf": b"x"},
    )
    assert done.warnings == ()
    repo.refresh_from_db()
    assert (repo.license, repo.pipeline_tag) == ("mit", "fill-mask")
    assert repo.tags == ["gguf", "fill-mask", "t", "license:mit"]
    broken = push(viewer, repo, {"README.md": b"---\na: [\n---\n"})
    assert any("Invalid YAML" in text for text in broken.warnings)
    repo.refresh_from_db()
    assert repo.head == broken.oid
    assert repo.license == ""
    assert at(repo, done.oid).card["license"] == "MIT"


@pytest.mark.django_db(transaction=True)
def test_concurrent_commits_queue_and_none_is_lost() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(3):
                push(viewer, repo, {f"folder/{number}-{turn}": str(number).encode()})
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(_paths(repo)) == 19
    assert count_history(repo, at(repo).commit) == 19
    assert len(history(repo, at(repo).commit, limit=100)) == 19


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_dies_in_the_middle_leaves_the_old_state(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    before, records = at(repo).commit, CommitRecord.objects.filter(network=repo.network_id).count()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hub.catalog.commits.describe_head", die)
    with pytest.raises(KeyboardInterrupt):
        push(viewer, repo, {"a": b"1"})
    monkeypatch.undo()
    assert at(repo).commit == before
    assert CommitRecord.objects.filter(network=repo.network_id).count() == records
    assert Ref.objects.get(repo=repo).oid == before
    push(viewer, repo, {"a": b"1"})
    assert _paths(repo) == [".gitattributes", "a"]
