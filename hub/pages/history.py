"""Commits: the list behind a revision, and one with what it changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog.lookups import DEFAULT_REVISION, Located, history, locate
from hub.catalog.models import CommitRecord, PathChange
from hub.catalog.trees import files
from hub.pages.doors import page
from hub.pages.files import refs_of
from hub.pages.repos import shell
from hub.web import locate_rest, repo_name, whole_number

PAGE = 50
MAX_CHANGES = 1000


@page
def commits(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = DEFAULT_REVISION
) -> HttpResponse:
    """The commits that a revision stands on, newest first."""
    at, _ = locate_rest(viewer, repo_name(kind, repo), rest)
    skip = whole_number(request.GET.get("skip", "")) or 0
    found = history(at.repo, at.commit, skip=skip, limit=PAGE + 1)
    context = shell(viewer, at, tab="commits")
    context |= {
        "found": found[:PAGE], "older": skip + PAGE if len(found) > PAGE else 0, "newer": max(skip - PAGE, 0),
        "skip": skip, "refs": refs_of(at, "commits"),
    }  # fmt: skip
    return render(request, "repo/commits.html", context)


@page
def commit(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, sha: str) -> HttpResponse:
    """One commit: who, when, why, and which files it touched."""
    at = locate(viewer, repo_name(kind, repo), sha)
    record = CommitRecord.objects.get(network=at.repo.network_id, oid=at.commit)
    changes, more = _changes(at, record)
    context = shell(viewer, at, tab="commits")
    context |= {"record": record, "changes": changes, "more": more}
    return render(request, "repo/commit.html", context)


def _changes(at: Located, record: CommitRecord) -> tuple[list[tuple[str, str]], int]:
    """Return the files that a commit added, changed or deleted, and how many more there are."""
    touched = PathChange.objects.filter(network=at.repo.network_id, commit=at.commit)
    paths = set(touched.values_list("path", flat=True))
    after = {entry.path for entry in files(at.repo, at.tree)}
    parent = record.parents[0] if record.parents else ""
    tree = (
        CommitRecord.objects.filter(network=at.repo.network_id, oid=parent)
        .values_list("tree", flat=True)
        .first()
    )
    before = {entry.path for entry in files(at.repo, tree)} if tree else set()
    found = [(path, _verb(path, before, after)) for path in sorted(paths & (before | after))]
    return found[:MAX_CHANGES], max(len(found) - MAX_CHANGES, 0)


def _verb(path: str, before: set[str], after: set[str]) -> str:
    if path not in before:
        return "added"
    return "changed" if path in after else "deleted"
