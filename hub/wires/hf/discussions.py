"""Discussions and pull requests by the Hub protocol.  Pages call the latter proposals."""

from html import escape
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import differences, discussions, merging, talk, unified
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.catalog.lookups import locate_in
from hub.catalog.models import CommitRecord, Discussion, DiscussionEvent, Repo
from hub.catalog.objects import EMPTY_TREE
from hub.catalog.reviewed import may_pull_at
from hub.web import public_base, whole_number
from hub.wires.base import json_answer
from hub.wires.hf.reading import checked, flag, get_repo, json_body
from hub.wires.hf.shapes import iso

PAGE = 50
Kind = DiscussionEvent.Kind
_TYPES = {"": None, "all": None, "discussion": False, "pull_request": True}


class _Text(serializers.CharField):
    """Text of people: what is around it is theirs, and an empty one is refused by the domain where it must be."""

    def __init__(self) -> None:
        super().__init__(required=False, allow_blank=True, allow_null=True, max_length=discussions.MAX_TEXT)


class OpenBody(serializers.Serializer[Any]):
    """`POST .../discussions`."""

    title = serializers.CharField(max_length=discussions.MAX_TITLE)
    description = _Text()
    pullRequest = serializers.BooleanField(default=False)


class WordsBody(serializers.Serializer[Any]):
    """A comment, a title, a status or a new text, whichever the address is for."""

    comment = _Text()
    content = _Text()
    title = serializers.CharField(required=False, max_length=discussions.MAX_TITLE)
    status = serializers.ChoiceField(required=False, choices=["open", "closed"])


def listing(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET .../discussions?p=&type=&status=&author=`: the newest first."""
    found = get_repo(viewer, kind, repo)
    wanted, status = request.GET.get("type", ""), request.GET.get("status", "")
    if wanted not in _TYPES or status not in ("", "all", "open", "closed"):
        raise BadRequest("type must be all, discussion or pull_request; status all, open or closed.")
    start = (whole_number(request.GET.get("p", "")) or 0) * PAGE
    rows, count = discussions.listing(
        found, proposals=_TYPES[wanted], status=status.replace("all", ""), author=request.GET.get("author", ""),
        skip=min(start, 10**9), limit=PAGE,
    )  # fmt: skip
    return json_answer({"count": count, "start": start, "discussions": [_brief(found, row) for row in rows]})


def create(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../discussions`; with ``pullRequest`` it gets a ref at the tip of main, and is a draft."""
    found = get_repo(viewer, kind, repo)
    body = checked(OpenBody, json_body(request))
    begin = discussions.open_proposal if body["pullRequest"] else discussions.open_discussion
    row = begin(viewer, found, title=body["title"], text=body.get("description") or "")
    row.repo = found
    return json_answer({"num": row.number, "url": public_base(request) + discussions.page_of(row)})


def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, number: int) -> HttpResponse:
    """`GET .../discussions/{number}`, with ``diff=1`` also what a pull request changes, as text."""
    found = get_repo(viewer, kind, repo)
    row = discussions.find(found, number)
    told = _brief(found, row) | {"events": [_event(one) for one in discussions.events(row)]}
    if row.is_proposal:
        told |= _changes(viewer, found, row, with_diff=flag(request, "diff"))
    return json_answer(told)


def act(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, number: int, verb: str
) -> HttpResponse:
    """`POST .../discussions/{number}/comment|title|status|merge`."""
    found = get_repo(viewer, kind, repo)
    row = discussions.find(found, number)
    body = checked(WordsBody, json_body(request) or {})
    text = body.get("comment") or ""
    match verb:
        case "comment":
            return json_answer({"newMessage": _event(talk.comment(viewer, found, row, text=text))})
        case "title":
            return json_answer(
                {"newTitle": _event(talk.rename(viewer, found, row, title=body.get("title", "")))}
            )
        case "status":
            event = talk.set_status(viewer, found, row, status=body.get("status", ""), text=text)
            return json_answer({"newStatus": _event(event)})
        case "merge":
            return json_answer({"mergeCommitId": merging.merge(viewer, found, row, text=text)})
    raise EntryNotFound("A discussion takes comment, title, status and merge.")


def change_comment(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, number: int, comment: str, verb: str
) -> HttpResponse:
    """`POST .../discussions/{number}/comment/{id}/edit|hide`."""
    found = get_repo(viewer, kind, repo)
    row, event = discussions.find(found, number), _event_number(comment)
    if verb == "hide":
        return json_answer({"updatedComment": _event(talk.hide_comment(viewer, found, row, event=event))})
    if verb != "edit":
        raise EntryNotFound("A comment takes edit and hide.")
    text = checked(WordsBody, json_body(request)).get("content") or ""
    return json_answer(
        {"updatedComment": _event(talk.edit_comment(viewer, found, row, event=event, text=text))}
    )


def _event_id(event: DiscussionEvent) -> str:
    """Clients lower-case these ids, so they are hex."""
    return f"{event.pk:024x}"


def _event_number(text: str) -> int:
    try:
        number = int(text, 16) if len(text) == 24 else 0
    except ValueError:
        number = 0
    return min(number, 2**63 - 1)


def _author(user: User | None) -> dict[str, Any]:
    return {"author": {"name": user.username}} if user is not None else {}


def _brief(repo: Repo, row: Discussion) -> dict[str, Any]:
    return {
        "title": row.title, "num": row.number, **_author(row.author), "createdAt": iso(row.created_at),
        "status": row.status, "repo": {"name": repo.full_name, "type": repo.type}, "isPullRequest": row.is_proposal,
    }  # fmt: skip


def _event(event: DiscussionEvent) -> dict[str, Any]:
    told = {
        "id": _event_id(event), "type": event.kind, "createdAt": iso(event.created_at), **_author(event.author),
    }  # fmt: skip
    match event.kind:
        case Kind.COMMENT:
            return told | {"data": _comment(event)}
        case Kind.STATUS:
            return told | {"data": {"status": event.text}}
        case Kind.COMMIT:
            return told | {"data": {"subject": event.text, "oid": event.more}}
    titles = ("", "") if event.hidden else (event.text, event.more)
    return told | {"data": dict(zip(("from", "to"), titles, strict=True))}


def _comment(event: DiscussionEvent) -> dict[str, Any]:
    raw = "" if event.hidden else event.text
    # Programs get the words; Markdown is for pages.
    html = "".join(f"<p>{escape(part)}</p>" for part in raw.split("\n\n") if part.strip())
    latest = {
        "raw": raw,
        "html": html,
        "updatedAt": iso(event.edited_at or event.created_at),
        **_author(event.author),
    }
    return {"edited": event.edited_at is not None, "hidden": event.hidden, "latest": latest, "history": []}


def _changes(viewer: Viewer, repo: Repo, row: Discussion, *, with_diff: bool) -> dict[str, Any]:
    """Return what clients want to know of a pull request; whether it conflicts matters only while it is open."""
    merged = {"mergeCommitId": row.merged_as} if row.merged_as else {}
    plan = merging.plan_for(repo, row) if row.is_open else None
    conflicts = list(plan.conflicts) if plan and not plan.is_long else row.is_open
    return {
        "changes": {"base": row.base, **merged}, "filesWithConflicts": conflicts,
        "diff": _diff(viewer, repo, row) if with_diff else "",
    }  # fmt: skip


def _diff(viewer: Viewer, repo: Repo, row: Discussion) -> str:
    """Return what a pull request changes as text, or nothing where the viewer may not have the files."""
    at = locate_in(repo, row.ref)
    start = CommitRecord.objects.filter(network=repo.network_id, oid=row.start).first()
    if not may_pull_at(viewer, at) or (start and not may_pull_at(viewer, locate_in(repo, start.oid))):
        return ""
    found, _ = differences.changes_between(repo, start.tree if start else EMPTY_TREE, at.tree)
    return unified.unified(differences.compare_texts(repo, found))
