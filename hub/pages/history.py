"""History: the commits behind a revision, one with what it changed, and any two compared."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog import differences, tensordiff
from hub.catalog.errors import EntryNotFound
from hub.catalog.lookups import DEFAULT_REVISION, Located, find_repo, history, locate, locate_in
from hub.catalog.models import CommitRecord
from hub.catalog.reviewed import may_pull_at
from hub.pages import diffview
from hub.pages.addresses import compare_url
from hub.pages.doors import page
from hub.pages.files import crumbs, refs_of
from hub.pages.repos import shell
from hub.web import locate_rest, repo_name, split_comparison, whole_number

PAGE = 50
MAX_LISTED = 1000
TENSORS = "tensor-changes"


@page
def commits(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = DEFAULT_REVISION
) -> HttpResponse:
    """The commits that a revision stands on, or those that changed a file or folder of it, newest first."""
    at, text = locate_rest(viewer, repo_name(kind, repo), rest)
    path = text.rstrip("/")
    skip = whole_number(request.GET.get("skip", "")) or 0
    found = history(at.repo, at.commit, path=path, skip=skip, limit=PAGE + 1)
    context = shell(viewer, at, tab="commits")
    refs = refs_of(at, "commits")
    context |= {
        "found": found[:PAGE], "older": skip + PAGE if len(found) > PAGE else 0, "newer": max(skip - PAGE, 0),
        "skip": skip, "path": path, "crumbs": crumbs(at, path), "refs": refs, "choices": _choices(refs),
    }  # fmt: skip
    return render(request, "repo/commits.html", context)


@page
def commit(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, sha: str) -> HttpResponse:
    """One commit: who, when, why, and what it changed."""
    at = locate(viewer, repo_name(kind, repo), sha)
    record = CommitRecord.objects.get(network=at.repo.network_id, oid=at.commit)
    before = differences.parent_tree(at.repo, record)
    if request.headers.get("HX-Target") == TENSORS:
        return tensors_between(request, at, before)
    context = shell(viewer, at, tab="commits")
    context |= {"record": record, **differences_of(request, at, before, _may_read(viewer, at, record))}
    return render(request, "repo/commit.html", context)


def _may_read(viewer: Viewer, at: Located, record: CommitRecord) -> bool:
    """May the viewer read what a commit took away and put there?  The first commit of every repo is the hub's own."""
    parents = CommitRecord.objects.filter(network=at.repo.network_id, oid__in=record.parents[:1], depth__gt=0)
    before = (locate_in(at.repo, one.oid) for one in parents)
    return may_pull_at(viewer, at) and all(may_pull_at(viewer, one) for one in before)


@page
def pick(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Two revisions as a form sends them, on the way to their own address."""
    found = find_repo(viewer, repo_name(kind, repo))
    one, other = (request.GET.get(name, "")[:255] or DEFAULT_REVISION for name in ("from", "to"))
    return HttpResponseRedirect(compare_url(found, one, other))


@page
def compare(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """What differs between two revisions."""
    one, other = split_comparison(rest)
    at = locate(viewer, repo_name(kind, repo), other)
    base = locate_in(at.repo, one)
    if request.headers.get("HX-Target") == TENSORS:
        return tensors_between(request, at, base.tree)
    context = shell(viewer, at, tab="commits")
    may_read = may_pull_at(viewer, at) and may_pull_at(viewer, base)
    context |= {"base": base, **differences_of(request, at, base.tree, may_read)}
    context["choices"] = _choices(refs_of(at, "commits"))
    return render(request, "repo/compare.html", context)


def _choices(refs: list[tuple[str, list[tuple[str, str, bool]]]]) -> list[str]:
    """Return the revisions that are offered to be compared."""
    return [name for _, items in refs for name, _, _ in items][:200]


def differences_of(request: HttpRequest, at: Located, before: str, may_read: bool) -> dict[str, Any]:
    """Return what the page of two trees shows; ``before`` is the root of the older one."""
    found, is_more = differences.changes_between(at.repo, before, at.tree)
    only = request.GET.get("file", "")
    if only and only not in {change.path for change in found}:
        raise EntryNotFound(f"{only} is the same in both revisions.", at.commit)
    beside = request.GET.get("view") == "split"
    compared = differences.compare_texts(at.repo, found[:MAX_LISTED], only=only) if may_read else []
    files = diffview.shown(compared, beside=beside, alone=bool(only))
    return {
        "changes": found[:MAX_LISTED], "count": len(found), "more": is_more, "hidden": max(len(found) - MAX_LISTED, 0),
        "files": files, "beside": beside, "only": only, "panel": TENSORS,
        "has_weights": not only and any(_is_weights(change) for change in found), "may_read": may_read,
        "added": sum(one.added for one in files), "removed": sum(one.removed for one in files),
        "diffs": tensordiff.compare(at.repo, before, at.tree) if request.GET.get("part") == "tensors" else None,
    }  # fmt: skip


def _is_weights(change: differences.Change) -> bool:
    return change.is_large and change.path.endswith((".safetensors", ".gguf"))


def tensors_between(request: HttpRequest, at: Located, before: str) -> HttpResponse:
    """The differences of tensors alone: they are read from long rows, so the page does not wait for them."""
    context = {"repo": at.repo, "diffs": tensordiff.compare(at.repo, before, at.tree), "panel": TENSORS}
    return render(request, "repo/tensor_changes.html", context)
