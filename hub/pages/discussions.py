"""Discussions and proposals of a repo: the list, one of them with what it changes, and what people do in it."""

import hashlib
import re
from dataclasses import dataclass
from html import escape
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from redis import RedisError

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, discussions, merging, talk
from hub.catalog.errors import (
    BadRequest,
    BytesMissing,
    CatalogError,
    EntryNotFound,
    MergeConflict,
    NotAllowed,
    RevisionNotFound,
    SignInNeeded,
    StaleParent,
    TooManyAtOnce,
)
from hub.catalog.lookups import locate, locate_in
from hub.catalog.models import CommitRecord, Discussion, DiscussionEvent, Repo
from hub.catalog.objects import EMPTY_TREE
from hub.catalog.reviewed import may_pull_at
from hub.pages import markdown
from hub.pages.addresses import repo_url, rev_url
from hub.pages.doors import page, wait_of
from hub.pages.history import TENSORS, differences_of, tensors_between
from hub.pages.repos import CARD_SECONDS, shell
from hub.pages.saying import said
from hub.web import repo_name, whole_number

PAGE = 30
EVENTS = 100
# Of all comments on a page together, in characters; the first one is always there.
MAX_HTML = 500_000
_TROUBLE = (
    BadRequest, BytesMissing, EntryNotFound, MergeConflict, NotAllowed, RevisionNotFound, SignInNeeded, StaleParent,
    TooManyAtOnce,
)  # fmt: skip
# Several texts share a page, so none of them may name places in it.
_ID = re.compile(r'(<[a-z0-9]+[^<>]*?) id="[^"]*"')


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a discussion; ``html`` is the comment's Markdown, made safe."""

    event: DiscussionEvent
    html: SafeString
    is_mine: bool
    may_hide: bool


@require_http_methods(["GET", "HEAD"])
@page
def listing(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Every discussion of a repo, the newest first."""
    at = locate(viewer, repo_name(kind, repo))
    only = request.GET.get("only", "")
    state = "closed" if request.GET.get("state") == "closed" else "open"
    skip = whole_number(request.GET.get("skip", "")) or 0
    proposals = {"proposals": True, "discussions": False}.get(only)
    rows, count = discussions.listing(
        at.repo, proposals=proposals, status=state, skip=min(skip, 10**9), limit=PAGE
    )
    context = shell(viewer, at, tab="discussions")
    context |= {
        "rows": rows, "count": count, "only": only if proposals is not None else "", "state": state, "skip": skip,
        "older": skip + PAGE if count > skip + PAGE else 0, "newer": max(skip - PAGE, 0),
    }  # fmt: skip
    return render(request, "repo/discussions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Open a discussion."""
    at, error, wait = locate(viewer, repo_name(kind, repo)), "", 0
    if request.method == "POST":
        title, text = request.POST.get("title", ""), request.POST.get("text", "")
        try:
            found = discussions.open_discussion(viewer, at.repo, title=title, text=text)
            return HttpResponseRedirect(f"{repo_url(at.repo)}/discussions/{found.number}")
        except _TROUBLE as trouble:
            error, wait = _why(trouble), wait_of(trouble)
    elif viewer.user is None:
        raise SignInNeeded("Sign in to open a discussion.")
    context = {"repo": at.repo, "posted": request.POST, "error": error}
    return _answered(request, "repo/discussion_new.html", context, 400 if error else 200, wait)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, number: int) -> HttpResponse:
    """One discussion; a form on it says or does something."""
    at = locate(viewer, repo_name(kind, repo))
    found, error, wait = discussions.find(at.repo, number), "", 0
    if request.headers.get("HX-Target") == TENSORS and found.is_proposal:
        tip, start = locate_in(at.repo, found.ref), _start(at.repo, found)
        return tensors_between(request, tip, start.tree if start else EMPTY_TREE)
    if request.method == "POST":
        try:
            if done := _do(request, viewer, at.repo, found):
                messages.success(request, done)
            return HttpResponseRedirect(request.path)
        except _TROUBLE as trouble:
            error, wait = _why(trouble), wait_of(trouble)
            found = discussions.find(at.repo, number)
    context = shell(viewer, at, tab="discussions") | _context(request, viewer, at.repo, found)
    context |= {"error": error, "posted": request.POST}
    if request.POST.get("do") == "edit":
        context["editing"] = whole_number(request.POST.get("event", "")) or 0
    return _answered(request, "repo/discussion.html", context, 409 if error else 200, wait)


def _answered(
    request: HttpRequest, template: str, context: dict[str, Any], status: int, wait: int
) -> HttpResponse:
    """Return the page; after too much in a short time it says when one may go on, with the text still in its form."""
    response = render(request, template, context, status=429 if wait else status)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _why(trouble: CatalogError) -> str:
    if isinstance(trouble, SignInNeeded):
        return _("You were logged out. Your text is still here: log in in another tab, then send it again.")
    return said(trouble)


def _do(request: HttpRequest, viewer: Viewer, repo: Repo, found: Discussion) -> str:
    """Do what a form asks, and return what is said of it; what is seen at once needs no words."""
    text, event = request.POST.get("text", ""), whole_number(request.POST.get("event", "")) or 0
    match request.POST.get("do", ""):
        case "comment":
            talk.comment(viewer, repo, found, text=text)
        case "edit":
            talk.edit_comment(viewer, repo, found, event=event, text=text)
        case "hide":
            talk.hide_comment(viewer, repo, found, event=event)
        case "rename":
            talk.rename(viewer, repo, found, title=request.POST.get("title", ""))
        case "close":
            talk.set_status(viewer, repo, found, status=Discussion.Status.CLOSED, text=text)
        case "open":
            talk.set_status(viewer, repo, found, status=Discussion.Status.OPEN, text=text)
        case "merge":
            merging.merge(viewer, repo, found, text=text, tip=request.POST.get("tip", ""))
            return _("The proposal is merged.")
        case _:
            raise BadRequest(_("This form is not one of this page."))
    return ""


def _context(request: HttpRequest, viewer: Viewer, repo: Repo, found: Discussion) -> dict[str, Any]:
    skip = whole_number(request.GET.get("skip", "")) or 0
    may_write = access.may_write(viewer, repo)
    events = discussions.events(found, skip=min(skip, 10**9), limit=EVENTS + 1)
    told = _told(viewer, repo, events[:EVENTS], may_write=may_write)
    context: dict[str, Any] = {
        "found": found, "said": told, "later": skip + len(told) if len(events) > len(told) else 0,
        "may_speak": viewer.user is not None and access.may_propose(viewer, repo),
        "may_settle": talk.may_settle(viewer, repo, found), "maths": any('class="math' in one.html for one in told),
        "base": found.base.removeprefix("refs/heads/"), "editing": whole_number(request.GET.get("edit", "")) or 0,
    }  # fmt: skip
    return context | (_proposal(request, viewer, repo, found) if found.is_proposal else {})


def _told(viewer: Viewer, repo: Repo, events: list[DiscussionEvent], *, may_write: bool) -> list[Said]:
    """Return the first of these, as many as one page bears: a comment of some kilobytes may be drawn as a megabyte."""
    told: list[Said] = []
    for one in events:
        told.append(_said_in(viewer, repo, one, may_write=may_write))
        if sum(len(some.html) for some in told) > MAX_HTML:
            break
    return told


def _said_in(viewer: Viewer, repo: Repo, event: DiscussionEvent, *, may_write: bool) -> Said:
    is_comment = event.kind == DiscussionEvent.Kind.COMMENT and not event.hidden
    is_mine = viewer.user is not None and event.author_id == viewer.user.pk
    html = comment_html(repo, event.text) if is_comment else SafeString("")
    has_words = event.kind in (DiscussionEvent.Kind.COMMENT, DiscussionEvent.Kind.TITLE) and not event.hidden
    return Said(event, html, is_comment and is_mine, has_words and (is_mine or may_write))


def comment_html(repo: Repo, text: str) -> SafeString:
    """Return a comment as safe HTML, kept in the cache by its text; links lead into main."""
    key = f"said:{markdown.VERSION}:{repo.pk}:{hashlib.sha256(text.encode()).hexdigest()}"
    try:
        kept = cache.get(key)
        if isinstance(kept, str):
            return SafeString(kept)
    except RedisError:
        key = ""
    pages, files = (f"{escape(rev_url(repo, verb, 'main'))}/" for verb in ("blob", "resolve"))
    html = _ID.sub(r"\1", markdown.render(text, markdown.Place(pages=pages, files=files)))
    if key:
        _keep(key, html)
    return SafeString(html)


def _keep(key: str, html: str) -> None:
    try:
        cache.set(key, html, CARD_SECONDS)
    except RedisError:
        # The next reader has it made again.
        return


def _start(repo: Repo, found: Discussion) -> CommitRecord | None:
    return CommitRecord.objects.filter(network=repo.network_id, oid=found.start).first()


def _proposal(request: HttpRequest, viewer: Viewer, repo: Repo, found: Discussion) -> dict[str, Any]:
    """Return what a proposal changes, and what merging it means while it is open."""
    tip, start = locate_in(repo, found.ref), _start(repo, found)
    may_read = may_pull_at(viewer, tip) and (start is None or may_pull_at(viewer, locate_in(repo, start.oid)))
    plan = merging.plan_for(repo, found) if found.is_open else None
    before, after = plan.licenses if plan else ("", "")
    return {
        **differences_of(request, tip, start.tree if start else EMPTY_TREE, may_read), "tip": tip, "plan": plan,
        "license_before": before, "license_after": after, "license_moves": before != after,
        "holds": plan is not None and plan.changes_terms and clearing.is_enforced() and clearing.holds_weights(repo),
    }  # fmt: skip
