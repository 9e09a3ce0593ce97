"""Editing text files in the browser: change one, make one, delete one, and fill in a card's front matter.

Whatever goes wrong, the answer shows what was written, so that nothing is lost.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.catalog import access, cardforms, edits
from hub.catalog.commits import Committed, Message
from hub.catalog.errors import (
    BadRequest,
    CatalogError,
    EntryNotFound,
    NotAllowed,
    SignInNeeded,
    StaleParent,
    TooManyAtOnce,
)
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at
from hub.pages.addresses import repo_url, rev_url
from hub.pages.cardfields import fields_of, values_in
from hub.pages.doors import page, wait_of
from hub.pages.files import crumbs
from hub.pages.saying import said
from hub.pages.targets import target_of
from hub.web import locate_rest, repo_name

README = FilePath(("README.md",))


@dataclass
class Draft:
    """What is on the page: the file, its text, the id it had when it was opened, and how the page looks."""

    path: str
    text: str
    was: str
    template: str = "repo/edit.html"
    is_new: bool = False
    folder: str = ""
    error: str = ""
    conflict: bool = False
    wait: int = 0


def _open(request: HttpRequest, viewer: Viewer, kind: str, repo: str, rest: str) -> tuple[Located, str]:
    """Find the revision and path; a stranger who sends a form is answered with what they wrote, see `_show`."""
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    if viewer.user is None and request.method != "POST":
        raise SignInNeeded("Sign in to change this.")
    if viewer.user is not None:
        access.require_propose(viewer, at.repo)
    return at, path.rstrip("/")


def _show(request: HttpRequest, viewer: Viewer, at: Located, draft: Draft, **extra: object) -> HttpResponse:
    current = entry_at(at.repo, at.tree, FilePath.parse(draft.path)) if draft.conflict else None
    context: dict[str, Any] = {
        "repo": at.repo, "rev": at.revision, "draft": draft, "posted": request.POST, "current": current,
        "target": target_of(viewer, at), "crumbs": crumbs(at, draft.path or draft.folder), **extra,
    }  # fmt: skip
    status = 429 if draft.wait else 409 if draft.conflict else 400 if draft.error else 200
    answer = render(request, draft.template, context, status=status)
    if draft.wait:
        answer.headers["Retry-After"] = str(draft.wait)
    return answer


def _message(request: HttpRequest, default: str) -> Message:
    # What is kept in a history is English where nobody has chosen the words.
    return Message(
        request.POST.get("title", "").strip()[:500] or default, request.POST.get("description", "")
    )


def _is_proposal(request: HttpRequest) -> bool:
    return request.POST.get("target") == "proposal"


def _was(request: HttpRequest) -> str:
    # Whoever was told of the other version may write over it.
    return request.POST.get("over") or request.POST.get("was", "")


def _text(request: HttpRequest, old: str) -> str:
    """Return the text of a form with the line ends that the file had; forms send those of Windows."""
    text = request.POST.get("content", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n") if "\r\n" in old else text


def _landed(request: HttpRequest, at: Located, done: Committed, path: str, said: str) -> HttpResponse:
    for warning in done.warnings:
        messages.warning(request, warning)
    if done.pull_request:
        messages.success(request, _("Your proposal is here. The owners were told of it."))
        return HttpResponseRedirect(f"{repo_url(at.repo)}/discussions/{done.pull_request}")
    messages.success(request, said)
    return HttpResponseRedirect(rev_url(at.repo, "blob" if path else "tree", at.revision, path))


def _refused(draft: Draft, error: CatalogError) -> None:
    draft.error, draft.conflict, draft.wait = said(error), isinstance(error, StaleParent), wait_of(error)
    if isinstance(error, SignInNeeded):
        draft.error = _(
            "You were logged out. Your text is still here: log in in another tab, then send it again."
        )


_TROUBLE = (BadRequest, StaleParent, NotAllowed, SignInNeeded, EntryNotFound, TooManyAtOnce)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Change a text file."""
    at, text = _open(request, viewer, kind, repo, rest)
    path = FilePath.parse(text)
    if request.method != "POST":
        entry, old = edits.text_at(viewer, at, path)
        return _show(request, viewer, at, Draft(str(path), old, entry.oid))
    draft = Draft(str(path), request.POST.get("content", ""), _was(request))
    try:
        _require_member(viewer)
        new = _text(request, _old(viewer, at, path))
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=path, text=new, was=draft.was, proposal=_is_proposal(request),
            message=_message(request, f"Update {path.parts[-1]}"),
        )  # fmt: skip
    except _TROUBLE as error:
        _refused(draft, error)
        return _show(request, viewer, at, draft)
    return _landed(request, at, done, str(path), _("%(name)s is saved.") % {"name": path.parts[-1]})


def _require_member(viewer: Viewer) -> None:
    if viewer.user is None:
        raise SignInNeeded("Sign in.")


def _old(viewer: Viewer, at: Located, path: FilePath) -> str:
    try:
        return edits.text_at(viewer, at, path)[1]
    except EntryNotFound:
        return ""


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Make a text file, in a folder or below it."""
    at, folder = _open(request, viewer, kind, repo, rest)
    name = request.POST.get("path", request.GET.get("name", "")).strip()[:1000]
    draft = Draft("", request.POST.get("content", ""), _was(request), is_new=True, folder=folder)
    if request.method != "POST":
        draft.path = name
        return _show(request, viewer, at, draft)
    try:
        _require_member(viewer)
        path = FilePath.parse(name)
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=path, text=_text(request, ""), was=draft.was,
            proposal=_is_proposal(request), message=_message(request, f"Create {path.parts[-1]}"),
        )  # fmt: skip
    except _TROUBLE as error:
        _refused(draft, error)
        draft.path = name
        return _show(request, viewer, at, draft)
    return _landed(request, at, done, str(path), _("%(name)s is made.") % {"name": path.parts[-1]})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Delete a file, large or small."""
    at, text = _open(request, viewer, kind, repo, rest)
    path = FilePath.parse(text)
    entry = entry_at(at.repo, at.tree, path)
    if request.method != "POST":
        if entry is None or entry.is_folder:
            raise EntryNotFound(f"{path} is not a file in this revision.", at.commit)
        return _show(request, viewer, at, Draft(str(path), "", entry.oid, template="repo/delete_file.html"))
    draft = Draft(str(path), "", _was(request), template="repo/delete_file.html")
    try:
        _require_member(viewer)
        done = edits.delete_file(
            viewer, at.repo, revision=at.revision, path=path, was=draft.was, proposal=_is_proposal(request),
            message=_message(request, f"Delete {path.parts[-1]}"),
        )  # fmt: skip
    except _TROUBLE as error:
        _refused(draft, error)
        return _show(request, viewer, at, draft)
    return _landed(request, at, done, "", _("%(name)s is deleted.") % {"name": path.parts[-1]})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def metadata(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Fill in the front matter of the card by a form; what the form does not know stays as it is."""
    at, _path = _open(request, viewer, kind, repo, rest)
    entry = entry_at(at.repo, at.tree, README)
    text = edits.text_at(viewer, at, README)[1] if entry is not None else ""
    draft = Draft(
        "README.md", "", _was(request) or (entry.oid if entry else ""), template="repo/metadata.html"
    )
    try:
        values = values_in(request.POST) if request.method == "POST" else cardforms.read(text)
    except BadRequest as error:
        draft.error = said(error)
        return _show(request, viewer, at, draft, broken=True)
    if request.method != "POST":
        return _show(request, viewer, at, draft, fields=fields_of(values, kind))
    try:
        _require_member(viewer)
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=README, text=cardforms.write(text, values), was=draft.was,
            proposal=_is_proposal(request), message=_message(request, "Update the card’s metadata"),
        )  # fmt: skip
    except _TROUBLE as error:
        _refused(draft, error)
        return _show(request, viewer, at, draft, fields=fields_of(values, kind))
    return _landed(request, at, done, "README.md", _("The card’s metadata is saved."))
