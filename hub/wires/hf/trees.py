"""Trees, histories and refs by the Hub protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import refs
from hub.catalog.errors import BadPath, EntryNotFound
from hub.catalog.lookups import Located, history, last_commits, locate
from hub.catalog.models import CommitRecord
from hub.catalog.names import FilePath
from hub.catalog.trees import Entry, entries_at, entry_at, list_folder, walk
from hub.web import locate_rest, repo_name, whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.bodies import BranchBody, PathsBody, TagBody
from hub.wires.hf.reading import (
    MAX_PAGE,
    checked,
    flag,
    get_repo,
    json_body,
    page_limit,
)

EXPANDED_PAGE = 100
HISTORY_PAGE = 50


def tree(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """`GET .../tree/{revision}[/{path}]`: a folder's entries, or everything below it; a file lists itself."""
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    expand = flag(request, "expand")
    limit = page_limit(request, EXPANDED_PAGE if expand else MAX_PAGE)
    entries = _entries(request, at, path.strip("/"), limit + 1)
    shown = entries[:limit]
    response = json_answer(_shape(at, shown, expand), headers={"X-Repo-Commit": at.commit})
    if len(entries) > limit:
        response["Link"] = next_link(request, cursor=shown[-1].path)
    return response


def _entries(request: HttpRequest, at: Located, path: str, limit: int) -> list[Entry]:
    listing = walk if flag(request, "recursive") else list_folder
    after = request.GET.get("cursor", "").replace("\x00", "")
    if not path:
        return listing(at.repo, at.tree, after=after, limit=limit)
    try:
        where = FilePath.parse(path)
    except BadPath:
        raise EntryNotFound(f"Entry not found: {path}", at.commit) from None
    entry = entry_at(at.repo, at.tree, where)
    if entry is None:
        raise EntryNotFound(f"{path} does not exist on {at.revision!r}", at.commit)
    if not entry.is_folder:
        return [entry]
    return listing(at.repo, entry.oid, path, after=after, limit=limit)


def _shape(at: Located, entries: list[Entry], expand: bool) -> list[dict[str, Any]]:
    last: dict[str, CommitRecord] = (
        last_commits(at.repo, at.commit, [entry.path for entry in entries]) if expand else {}
    )
    return [shapes.tree_entry(entry, last.get(entry.path), expand=expand) for entry in entries]


def paths_info(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """`POST .../paths-info/{revision}`, as a form or as JSON; paths that do not exist are left out."""
    at = locate(viewer, repo_name(kind, repo), revision)
    if request.content_type == "application/json":
        sent = json_body(request)
    else:
        sent = {"paths": request.POST.getlist("paths"), "expand": request.POST.get("expand", "false")}
    body = checked(PathsBody, sent)
    paths = [parsed for path in body["paths"] if (parsed := _parsed(path)) is not None]
    present = entries_at(at.repo, at.tree, paths)
    found = [present[path] for path in paths if path in present]
    return json_answer(_shape(at, found, body["expand"]))


def _parsed(path: str) -> FilePath | None:
    try:
        return FilePath.parse(path.strip("/"))
    except BadPath:
        return None


def commits(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """`GET .../commits/{revision}`: the history, newest first."""
    at, _ = locate_rest(viewer, repo_name(kind, repo), rest)
    limit = page_limit(request, HISTORY_PAGE)
    start = whole_number(request.GET.get("skip", "")) or 0
    records = history(at.repo, at.commit, skip=start, limit=limit + 1)
    formatted = "formatted" in request.GET.getlist("expand[]") + request.GET.getlist("expand")
    response = json_answer([shapes.commit(record, formatted=formatted) for record in records[:limit]])
    if len(records) > limit:
        response["Link"] = next_link(request, skip=str(start + limit))
    return response


def list_refs(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET .../refs`."""
    found = refs.list_refs(get_repo(viewer, kind, repo))
    return json_answer(shapes.refs(found, pulls=flag(request, "include_prs")))


def create_branch(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, branch: str) -> HttpResponse:
    """`POST .../branch/{branch}`."""
    body = checked(BranchBody, json_body(request))
    found = get_repo(viewer, kind, repo)
    ref = refs.create_branch(viewer, found, branch=branch, start=body.get("startingPoint") or "")
    return json_answer({"ref": ref.name, "targetCommit": ref.oid})


def delete_branch(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, branch: str) -> HttpResponse:
    """`DELETE .../branch/{branch}`."""
    refs.delete_branch(viewer, get_repo(viewer, kind, repo), branch=branch)
    return json_answer({})


def create_tag(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, name: str) -> HttpResponse:
    """`POST .../tag/{revision}` with the tag's name in the body."""
    body = checked(TagBody, json_body(request))
    found = get_repo(viewer, kind, repo)
    ref = refs.create_tag(viewer, found, tag=body["tag"], revision=name, message=body.get("message") or "")
    return json_answer({"ref": ref.name, "targetCommit": ref.oid})


def delete_tag(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, name: str) -> HttpResponse:
    """`DELETE .../tag/{tag}`."""
    refs.delete_tag(viewer, get_repo(viewer, kind, repo), tag=name)
    return json_answer({})
