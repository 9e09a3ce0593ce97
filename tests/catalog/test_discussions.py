"""Proposals are merged file by file through the gate of commits; discussions are for whoever may propose."""

import pytest

from hub.audit import acts
from hub.audit.models import Entry
from hub.catalog import discussions, merging, talk, unified
from hub.catalog.differences import changes_between, compare_texts
from hub.catalog.errors import BadPath, BadRequest, EntryNotFound, MergeConflict, NotAllowed, RepoNotFound
from hub.catalog.models import CommitRecord, Discussion, Notice, Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddFile, Delete, Operation
from hub.catalog.trees import files
from tests.factories import at, commit_all, make_repo, make_viewer, push

pytestmark = pytest.mark.django_db


def _paths(repo: Repo, revision: str = "main") -> dict[str, str]:
    return {entry.path: entry.oid for entry in files(repo, at(repo, revision).tree)}


def _add(path: str, content: bytes = b"x") -> AddFile:
    return AddFile(FilePath.parse(path), content)


def test_a_proposal_is_merged_as_one_commit_beside_what_came_to_the_branch() -> None:
    owner, guest = make_viewer("ada"), make_viewer("bob")
    repo = make_repo(owner)
    push(owner, repo, {"a.txt": b"1", "old/b.txt": b"2", "README.md": b"---\nlicense: mit\n---\n"})
    change: list[Operation] = [
        _add("new/c.txt"),
        Delete(FilePath.parse("old/b.txt")),
        _add("README.md", b"---\nlicense: gemma\n---\n"),
    ]
    number = commit_all(guest, repo, change, create_pr=True, title="Better").pull_request or 0
    commit_all(guest, repo, [_add("d.txt")], revision="refs/pr/1", title="And more")
    push(owner, repo, {"a.txt": b"meanwhile", "d.txt": b"x"})
    found = discussions.find(repo, number)
    plan = merging.plan_for(repo, found)
    assert plan is not None
    assert (plan.is_clean, plan.changes_terms, plan.licenses) == (True, True, ("mit", "gemma"))
    with pytest.raises(NotAllowed):
        merging.merge(guest, repo, found)
    before = at(repo).commit
    oid = merging.merge(owner, repo, found, text="Thank you.")
    record = CommitRecord.objects.get(network=repo.network, oid=oid)
    assert (record.parents, record.title, record.message) == ([before], "Better (#1)", "Proposed by bob.")
    assert (found.status, found.merged_as, at(repo).commit) == ("merged", oid, oid)
    assert set(_paths(repo)) == {".gitattributes", "README.md", "a.txt", "d.txt", "new/c.txt"}
    kinds = [(one.kind, one.text) for one in discussions.events(found)]
    assert kinds == [
        ("comment", ""), ("commit", "Better"), ("commit", "And more"), ("comment", "Thank you."),
        ("status-change", "merged"),
    ]  # fmt: skip
    assert Entry.objects.get(act=acts.PROPOSAL_MERGED).data == {
        "number": 1,
        "base": "refs/heads/main",
        "commit": oid,
    }
    with pytest.raises(BadRequest, match="is merged"):
        commit_all(guest, repo, [_add("late")], revision="refs/pr/1")
    with pytest.raises(BadRequest, match="merged"):
        merging.merge(owner, repo, found)
    told = list(Notice.objects.order_by("pk").values_list("user__username", "text"))
    assert [(name, text.split(":")[0]) for name, text in told] == [
        ("ada", "bob proposes a change"), ("bob", "ada commented"), ("bob", "ada merged"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "ours"), [("a.txt", "a.txt"), ("new", "new/x"), ("new/x", "new"), ("gone", "gone")]
)
def test_files_that_both_sides_changed_are_named_and_nothing_is_merged(theirs: str, ours: str) -> None:
    owner, guest = make_viewer(), make_viewer()
    repo = make_repo(owner)
    push(owner, repo, {"a.txt": b"1", "gone": b"1"})
    change = Delete(FilePath.parse("gone")) if theirs == "gone" else _add(theirs, b"theirs")
    commit_all(guest, repo, [change, _add("fine")], create_pr=True)
    push(owner, repo, {ours: b"ours"})
    head = at(repo).commit
    found = discussions.find(repo, 1)
    with pytest.raises(MergeConflict, match=theirs) as conflict:
        merging.merge(owner, repo, found)
    assert conflict.value.paths == (theirs,)
    assert (at(repo).commit, found.status) == (head, "open")


def test_a_folder_and_a_file_take_each_others_place() -> None:
    owner, guest = make_viewer(), make_viewer()
    repo = make_repo(owner)
    push(owner, repo, {"data/x": b"1", "data/deep/y": b"2", "set/z": b"3", "flat": b"4", "keep": b"5"})
    change: list[Operation] = [
        Delete(FilePath.parse("data")), _add("data", b"a file"), Delete(FilePath.parse("set/z")), _add("set", b"one"),
        Delete(FilePath.parse("flat")), _add("flat/a/b", b"a folder"),
    ]  # fmt: skip
    commit_all(guest, repo, change, create_pr=True)
    proposed = _paths(repo, "refs/pr/1")
    assert set(proposed) == {".gitattributes", "data", "set", "flat/a/b", "keep"}
    push(owner, repo, {"meanwhile": b"6"})
    merging.merge(owner, repo, discussions.find(repo, 1))
    merged = _paths(repo)
    assert merged.pop("meanwhile")
    assert merged == proposed
    both: list[Operation] = [Delete(FilePath.parse("flat")), _add("flat/c"), _add("flat")]
    for refused in (both[2:], both):
        with pytest.raises(BadPath, match="is a folder"):
            commit_all(owner, repo, refused)


def test_a_draft_is_opened_before_it_is_merged_and_one_without_a_branch_cannot_be() -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    found = discussions.open_proposal(owner, repo, title=" A\nchange ", text="")
    assert (found.title, found.status, _paths(repo, "refs/pr/1")) == ("A change", "draft", _paths(repo))
    with pytest.raises(BadRequest, match="draft"):
        merging.merge(owner, repo, found)
    talk.set_status(owner, repo, found, status="open")
    Discussion.objects.update(base="refs/heads/gone")
    assert merging.plan_for(repo, discussions.find(repo, 1)) is None


def test_only_those_who_may_take_part_do_and_only_over_what_is_theirs() -> None:
    owner, guest, other = make_viewer(), make_viewer("gus"), make_viewer()
    repo = make_repo(owner, private=True)
    with pytest.raises(RepoNotFound):
        discussions.open_discussion(guest, repo, title="Hidden", text="")
    Repo.objects.filter(pk=repo.pk).update(private=False)
    repo.refresh_from_db()
    found = discussions.open_discussion(guest, repo, title="Why?", text="Say *why*.")
    said = talk.comment(other, repo, found, text="Because.")
    with pytest.raises(NotAllowed):
        talk.edit_comment(owner, repo, found, event=said.pk, text="Not so.")
    with pytest.raises(NotAllowed):
        talk.hide_comment(guest, repo, found, event=said.pk)
    with pytest.raises(EntryNotFound):
        talk.hide_comment(owner, repo, found, event=said.pk + 1)
    with pytest.raises(NotAllowed):
        talk.set_status(other, repo, found, status="closed")
    assert talk.hide_comment(owner, repo, found, event=said.pk).hidden
    talk.rename(guest, repo, found, title="Why so?")
    talk.set_status(owner, repo, found, status="closed", text="Answered.")
    found.refresh_from_db()
    assert (found.title, found.status) == ("Why so?", "closed")
    with pytest.raises(BadRequest, match="closed already"):
        talk.set_status(guest, repo, found, status="closed")
    assert sorted(Entry.objects.values_list("act", flat=True)) == [
        acts.COMMENT_HIDDEN,
        acts.DISCUSSION_STATUS,
    ]
    assert discussions.listing(repo, status="open") == ([], 0)


def test_who_lost_sight_of_a_repo_is_told_no_more_of_it() -> None:
    owner, guest = make_viewer(), make_viewer("gus")
    repo = make_repo(owner)
    found = discussions.open_discussion(guest, repo, title="Why?", text="")
    Repo.objects.filter(pk=repo.pk).update(private=True)
    repo.refresh_from_db()
    talk.comment(owner, repo, found, text="Between us.")
    assert not Notice.objects.filter(user=guest.user).exists()


def test_a_unified_diff_is_what_git_applies(tmp_path: object) -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    lines = [b"%d\n" % number for number in range(30)]
    push(owner, repo, {"a.txt": b"".join(lines), "b.txt": b"end", "c.txt": b"gone\n"})
    before = at(repo).tree
    lines[5:7], lines[20:20] = [b"five\n"], [b"more\n"]
    push(owner, repo, {"a.txt": b"".join(lines), "b.txt": b"end\n", "c.txt": None, "d.txt": b"new\n"})
    changes, _ = changes_between(repo, before, at(repo).tree)
    text = unified.unified(compare_texts(repo, changes))
    assert "@@ -3,8 +3,7 @@" in text
    assert "-end\n\\ No newline at end of file\n+end\n" in text
    assert "--- a/c.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-gone\n" in text
    assert "new file mode 100644\n--- /dev/null\n+++ b/d.txt\n@@ -0,0 +1,1 @@\n+new\n" in text
