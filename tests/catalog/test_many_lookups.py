"""Many paths are looked up as one, however deep they lie and wherever they are asked for."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from hub.catalog import operations
from hub.catalog.errors import EntryNotFound, TooLarge
from hub.catalog.names import FilePath
from hub.catalog.operations import AddFile, Copy, Delete
from hub.catalog.preupload import Sample, advise
from hub.catalog.trees import entries_at, entry_at, files
from tests.factories import at, commit_all, make_repo, make_viewer, push

pytestmark = pytest.mark.django_db
Queries = Callable[[int], AbstractContextManager[Any]]
DEEP = "/".join(["a"] * 31)
path = FilePath.parse


def test_entries_are_found_at_every_depth_in_one_query(django_assert_num_queries: Queries) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    texts = {"/".join(["a"] * depth) + "/x": b"%d" % depth for depth in range(1, 32)} | {
        "y": b"1",
        "a/y": b"2",
    }
    push(viewer, repo, texts)
    tree = at(repo).tree
    wanted = [path(text) for text in [*texts, "a", DEEP, "absent", "a/absent", "y/below", "a/y"]]
    with django_assert_num_queries(1):
        found = entries_at(repo, tree, wanted)
    assert {str(key) for key in found} == {*texts, "a", DEEP}
    assert all(entry.path == str(key) for key, entry in found.items())
    assert found[path("a")].is_folder and not found[path("y")].is_folder
    for key in wanted:
        with django_assert_num_queries(1):
            assert entry_at(repo, tree, key) == found.get(key)
    assert entries_at(repo, tree, []) == {}


def test_a_deep_path_is_found_as_fast_as_a_shallow_one() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {f"{DEEP}/x": b"1"})
    tree = at(repo).tree
    started = time.perf_counter()
    for _ in range(50):
        assert entry_at(repo, tree, path(f"{DEEP}/x"))
    # 1 ms each on an idle machine, where planning a join took 65 ms.
    assert time.perf_counter() - started < 30


def test_advice_on_many_files_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push(viewer, repo, {".gitignore": b"*.log\n", f"{DEEP}/x": b"1"})
    located = at(repo)
    samples = [Sample(f"{DEEP}/{name}", 3, "AAAA") for name in ("x", "b.log")] * 100 + [Sample("..", 3, "")]
    # The rules of the revision, its tree, what is there already, and how much the namespace may hold.
    with django_assert_max_num_queries(4):
        advice = advise(located, samples, None)
    assert [item.ignored for item in advice[:2]] == [False, True]
    assert (advice[0].oid is None, advice[1].oid is None, advice[-1].oid) == (False, True, None)


def test_many_copies_cost_few_queries_and_keep_their_order(django_assert_max_num_queries: Any) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    old = push(viewer, repo, {"a": b"old", "b": b"b"}).oid
    push(viewer, repo, {"a": b"new"})
    copies = [Copy(path(f"c/{number}"), path("a"), ("main", old)[number % 2]) for number in range(2500)]
    with django_assert_max_num_queries(10):
        staged = operations.stage(repo, copies)
    assert len(staged.changes) == 2500
    commit_all(
        viewer, repo,
        [
            Copy(path("x"), path("a"), "main"), AddFile(path("x"), b"later"),
            Delete(path("b")), Copy(path("b"), path("a"), old),
        ],
    )  # fmt: skip
    tree = {entry.path: entry.oid for entry in files(repo, at(repo).tree)}
    assert tree["x"] not in (tree["a"], tree["b"])
    with pytest.raises(EntryNotFound):
        operations.stage(repo, [Copy(path("z"), path("c"), "main")])


def test_a_commit_copies_from_a_bounded_number_of_revisions() -> None:
    repo = make_repo(make_viewer())
    head = at(repo).commit
    spelled = [head[:length] for length in range(7, 41)] + ["main", "refs/heads/main"]
    copies = [Copy(path("x"), path(".gitattributes"), name) for name in spelled]
    assert operations.stage(repo, copies).changes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "MAX_SOURCES", 20)
        with pytest.raises(TooLarge, match="at most 20 revisions"):
            operations.stage(repo, copies)
