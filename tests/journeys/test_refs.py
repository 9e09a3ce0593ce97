"""Branches, tags, pull request refs and histories."""

from collections.abc import Callable
from typing import Any

import pytest
from huggingface_hub import CommitInfo, HfApi
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RevisionNotFoundError


def put(api: HfApi, repo: str, path: str, content: bytes, **options: Any) -> str:
    done: CommitInfo = api.upload_file(repo_id=repo, path_in_repo=path, path_or_fileobj=content, **options)
    return done.oid


def test_branches(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    first = put(alice, repo, "a.txt", b"1")
    second = put(alice, repo, "a.txt", b"2")
    alice.create_branch(repo, branch="from-first", revision=first[:7])
    alice.create_branch(repo, branch="with/slash")
    assert alice.model_info(repo, revision="from-first").sha == first
    assert alice.model_info(repo, revision="with/slash").sha == second
    with pytest.raises(HfHubHTTPError, match="Reference refs/heads/with/slash already exists") as conflict:
        alice.create_branch(repo, branch="with/slash")
    assert conflict.value.response.status_code == 409
    alice.create_branch(repo, branch="with/slash", exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="Reference refs/heads/main already exists"):
        alice.create_branch(repo, branch="main")
    with pytest.raises(BadRequestError, match="Invalid reference for a branch"):
        alice.create_branch(repo, branch="refs/pr/5")
    with pytest.raises(HfHubHTTPError, match="Cannot delete refs/heads/main"):
        alice.delete_branch(repo, branch="main")
    alice.delete_branch(repo, branch="with/slash")
    with pytest.raises(HfHubHTTPError, match="Invalid rev id"):
        alice.delete_branch(repo, branch="with/slash")
    with pytest.raises(RevisionNotFoundError):
        alice.model_info(repo, revision="with/slash")


def test_tags(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    first = put(alice, repo, "a.txt", b"1")
    put(alice, repo, "a.txt", b"2")
    alice.create_tag(repo, tag="v0", revision=first[:7], tag_message="the first")
    alice.create_tag(repo, tag="v1")
    with pytest.raises(HfHubHTTPError) as conflict:
        alice.create_tag(repo, tag="v1")
    assert conflict.value.response.status_code == 409
    alice.create_tag(repo, tag="v1", exist_ok=True)
    assert alice.model_info(repo, revision="v0").sha == first
    assert {tag.name: tag.target_commit for tag in alice.list_repo_refs(repo).tags}["v0"] == first
    alice.create_branch(repo, branch="v1", exist_ok=True)
    for bad in ("invalid tag", "a..b", "refs/x", "-dash", "@{0}"):
        with pytest.raises(HfHubHTTPError):
            alice.create_tag(repo, tag=bad)
    with pytest.raises(RevisionNotFoundError):
        alice.create_tag(repo, tag="v2", revision="absent")
    with pytest.raises(HfHubHTTPError):
        alice.delete_tag(repo, tag="main")
    alice.delete_tag(repo, tag="v0")
    with pytest.raises(RevisionNotFoundError):
        alice.delete_tag(repo, tag="v0")
    with pytest.raises(RevisionNotFoundError):
        alice.model_info(repo, revision="v0")


def test_histories(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    alice.upload_file(
        repo_id=repo,
        path_in_repo="a.txt",
        path_or_fileobj=b"1",
        commit_message="A title",
        commit_description="And more.",
    )
    put(alice, repo, "b.txt", b"2", commit_message="Another")
    commits = alice.list_repo_commits(repo, formatted=True)
    assert [commit.title for commit in commits] == ["Another", "A title", "initial commit"]
    assert commits[1].message == "And more."
    assert commits[1].authors == ["alice"]
    assert commits[1].formatted_title == "A title"
    by_path = {entry.path: entry for entry in alice.list_repo_tree(repo, recursive=True, expand=True)}
    assert by_path["a.txt"].last_commit.title == "A title"  # type: ignore[union-attr]
    assert by_path["b.txt"].last_commit.oid == commits[0].commit_id  # type: ignore[union-attr]


def test_long_histories_come_in_pages(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    made = [put(alice, repo, "count.txt", str(number).encode()) for number in range(55)]
    assert [commit.commit_id for commit in alice.list_repo_commits(repo)][:-1] == made[::-1]


def test_squashing_a_branch(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    put(alice, repo, "a.txt", b"1")
    alice.create_tag(repo, tag="kept")
    put(alice, repo, "b.txt", b"2")
    request = put(alice, repo, "c.txt", b"3", create_pr=True)
    alice.super_squash_history(repo, commit_message="All in one")
    assert [commit.title for commit in alice.list_repo_commits(repo)] == ["All in one"]
    assert set(alice.list_repo_files(repo)) == {".gitattributes", "a.txt", "b.txt"}
    assert len(alice.list_repo_commits(repo, revision="kept")) == 2
    assert alice.list_repo_commits(repo, revision="refs/pr/1")[0].commit_id == request
    alice.super_squash_history(repo, branch="refs/pr/1")
    assert len(alice.list_repo_commits(repo, revision="refs/pr/1")) == 1
    assert len(alice.list_repo_commits(repo)) == 1


def test_pull_requests(alice: HfApi, bob: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    put(alice, repo, "a.txt", b"1")
    opened = bob.upload_file(repo_id=repo, path_in_repo="b.txt", path_or_fileobj=b"from bob", create_pr=True)
    assert opened.pr_url is not None and opened.pr_url.endswith(f"/{repo}/discussions/1")
    assert (opened.pr_revision, opened.pr_num) == ("refs/pr/1", 1)
    assert "b.txt" not in alice.list_repo_files(repo)
    assert "b.txt" in alice.list_repo_files(repo, revision="refs/pr/1")
    large = bob.upload_file(
        repo_id=repo,
        path_in_repo="w.bin",
        path_or_fileobj=bytes(4000),
        revision="refs/pr/1",
        commit_message="More",
    )
    assert alice.model_info(repo, revision="refs/pr/1").sha == large.oid
    refs = alice.list_repo_refs(repo, include_pull_requests=True)
    assert [ref.ref for ref in refs.pull_requests or []] == ["refs/pr/1"]
    assert refs.branches[0].name == "main"
    alice.create_tag(repo, tag="proposal", revision="refs/pr/1")
    assert alice.model_info(repo, revision="proposal").sha == large.oid
    with pytest.raises(HfHubHTTPError) as refused:
        put(bob, repo, "c.txt", b"straight to main")
    assert refused.value.response.status_code == 403
    with pytest.raises(RevisionNotFoundError):
        put(bob, repo, "c.txt", b"x", create_pr=True, revision="absent")


def test_discussions_and_merging(
    alice: HfApi, bob: HfApi, stranger: HfApi, new_repo: Callable[..., str]
) -> None:
    repo = new_repo()
    put(alice, repo, "a.txt", b"1\n")
    asked = bob.create_discussion(repo, "Which data?", description="Please **say**.")
    assert (asked.num, asked.status, asked.is_pull_request, asked.author) == (1, "open", False, "bob")
    said = alice.comment_discussion(repo, 1, "Ships.")
    assert alice.edit_discussion_comment(repo, 1, said.id, "Ships and quays.").edited
    assert bob.rename_discussion(repo, 1, "Which data, please?").old_title == "Which data?"
    assert alice.hide_discussion_comment(repo, 1, said.id).hidden
    assert alice.change_discussion_status(repo, 1, "closed", comment="See the card.").new_status == "closed"
    told = stranger.get_discussion_details(repo, 1)
    assert [event.type for event in told.events] == [
        "comment", "comment", "title-change", "comment", "status-change",
    ]  # fmt: skip
    draft = bob.create_pull_request(repo, "Two")
    assert (draft.num, draft.status, draft.diff, draft.conflicting_files) == (2, "draft", "", [])
    put(bob, repo, "a.txt", b"2\n", revision="refs/pr/2")
    with pytest.raises(BadRequestError, match="draft"):
        alice.merge_pull_request(repo, 2)
    bob.change_discussion_status(repo, 2, "open")
    assert "-1\n+2\n" in (alice.get_discussion_details(repo, 2).diff or "")
    with pytest.raises(HfHubHTTPError):
        bob.merge_pull_request(repo, 2)
    alice.merge_pull_request(repo, 2, comment="Thank you.")
    merged = alice.get_discussion_details(repo, 2)
    assert (merged.status, merged.merge_commit_oid) == ("merged", alice.model_info(repo).sha)
    put(bob, repo, "a.txt", b"3\n", create_pr=True)
    put(alice, repo, "a.txt", b"4\n")
    assert alice.get_discussion_details(repo, 3).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match=r"a\.txt") as conflict:
        alice.merge_pull_request(repo, 3)
    assert conflict.value.response.status_code == 409
    assert [one.num for one in stranger.get_repo_discussions(repo)] == [3, 2, 1]
    pulls = stranger.get_repo_discussions(repo, discussion_type="pull_request", discussion_status="open")
    assert [(one.num, one.url.endswith(f"{repo}/discussions/3")) for one in pulls] == [(3, True)]
