"""Branches, tags and what a revision means."""

import pytest

from hub.catalog import refs
from hub.catalog.errors import BadRefName, BadRequest, NameTaken, NotAllowed, RevisionNotFound
from tests.factories import at, make_repo, make_viewer, push

pytestmark = pytest.mark.django_db


def test_a_revision_is_a_branch_before_a_tag_before_a_commit() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    first = at(repo).commit
    refs.create_tag(viewer, repo, tag="v1", revision="main")
    second = push(viewer, repo, {"a": b"1"}).oid
    refs.create_branch(viewer, repo, branch="v1", start=second)
    assert at(repo, "v1").commit == second
    assert at(repo, "refs/tags/v1").commit == first
    assert at(repo, "refs/heads/v1").commit == second
    assert at(repo, first).commit == first
    assert at(repo, first[:7]).commit == first
    assert at(repo, "HEAD").commit == second


@pytest.mark.parametrize(
    "revision", ["nothing", "abc123", "refs/heads/none", "refs/pr/1", "0" * 40, "v1'--", ""]
)
def test_what_names_no_commit_is_not_found(revision: str) -> None:
    repo = make_repo(make_viewer())
    with pytest.raises(RevisionNotFound):
        at(repo, revision)


def test_a_ref_may_not_be_a_folder_of_another_one() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    refs.create_branch(viewer, repo, branch="feature/x")
    for branch in ("feature", "feature/x/y", "main/x"):
        with pytest.raises(BadRefName, match="folder"):
            refs.create_branch(viewer, repo, branch=branch)
    with pytest.raises(BadRefName, match="folder"):
        refs.create_tag(viewer, repo, tag="feature", revision="main")
    assert refs.create_branch(viewer, repo, branch="feature/y").name == "refs/heads/feature/y"


def test_refs_are_made_once_and_deleted_once() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    refs.create_branch(viewer, repo, branch="dev")
    with pytest.raises(NameTaken, match=r"Reference refs/heads/dev already exists"):
        refs.create_branch(viewer, repo, branch="dev")
    with pytest.raises(NameTaken, match=r"refs/heads/main already exists"):
        refs.create_branch(viewer, repo, branch="main")
    refs.create_tag(viewer, repo, tag="dev", revision="dev")
    refs.delete_branch(viewer, repo, branch="dev")
    with pytest.raises(RevisionNotFound, match="Invalid rev id"):
        refs.delete_branch(viewer, repo, branch="dev")
    refs.delete_tag(viewer, repo, tag="dev")
    with pytest.raises(RevisionNotFound):
        at(repo, "dev")


def test_main_stays() -> None:
    viewer = make_viewer()
    with pytest.raises(BadRequest, match="Cannot delete refs/heads/main"):
        refs.delete_branch(viewer, make_repo(viewer), branch="main")


def test_only_writers_make_refs() -> None:
    repo = make_repo(make_viewer())
    with pytest.raises(NotAllowed):
        refs.create_branch(make_viewer(), repo, branch="dev")
