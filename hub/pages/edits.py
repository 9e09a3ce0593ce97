"""Editing text files in the browser: change one, make one, delete one, and fill in a card's front matter."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.catalog import cardforms, edits
from hub.catalog.commits import Committed, Message
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at
from hub.pages.addresses import repo_url, rev_url
from hub.pages.cardfields import fields_of, values_in
from hub.pages.doors import page
from hub.pages.drafts import TROUBLE, Draft, open_at, refused, require_member, show, text_in, was_in
from hub.pages.saying import said

README = FilePath(("README.md",))


def _message(request: HttpRequest, default: str) -> Message:
    # What is kept in a history is English where nobody has chosen the words.
    return Message(
        request.POST.get("title", "").strip()[:500] or default, request.POST.get("description", "")
    )


def _is_proposal(request: HttpRequest) -> bool:
    return request.POST.get("target") == "proposal"


def _landed(request: HttpRequest, at: Located, done: Committed, path: str, said: str) -> HttpResponse:
    for warning in done.warnings:
        messages.warning(request, warning)
    if done.pull_request:
        messages.success(request, _("Your proposal is here. The owners were told of it."))
        return HttpResponseRedirect(f"{repo_url(at.repo)}/discussions/{done.pull_request}")
    messages.success(request, said)
    return HttpResponseRedirect(rev_url(at.repo, "blob" if path else "tree", at.revision, path))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def edit(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Change a text file."""
    at, text = open_at(request, viewer, kind, repo, rest)
    path = FilePath.parse(text)
    if request.method != "POST":
        entry, old = edits.text_at(viewer, at, path)
        return show(request, viewer, at, Draft(str(path), old, entry.oid))
    draft = Draft(str(path), request.POST.get("content", ""), was_in(request))
    try:
        require_member(viewer)
        new = text_in(request, _old(viewer, at, path))
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=path, text=new, was=draft.was, proposal=_is_proposal(request),
            message=_message(request, f"Update {path.parts[-1]}"),
        )  # fmt: skip
    except TROUBLE as error:
        refused(draft, error)
        return show(request, viewer, at, draft)
    return _landed(request, at, done, str(path), _("%(name)s is saved.") % {"name": path.parts[-1]})


def _old(viewer: Viewer, at: Located, path: FilePath) -> str:
    try:
        return edits.text_at(viewer, at, path)[1]
    except EntryNotFound:
        return ""


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Make a text file, in a folder or below it."""
    at, folder = open_at(request, viewer, kind, repo, rest)
    name = request.POST.get("path", request.GET.get("name", "")).strip()[:1000]
    draft = Draft("", request.POST.get("content", ""), was_in(request), is_new=True, folder=folder)
    if request.method != "POST":
        draft.path = name
        return show(request, viewer, at, draft)
    try:
        require_member(viewer)
        path = FilePath.parse(name)
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=path, text=text_in(request, ""), was=draft.was,
            proposal=_is_proposal(request), message=_message(request, f"Create {path.parts[-1]}"),
        )  # fmt: skip
    except TROUBLE as error:
        refused(draft, error)
        draft.path = name
        return show(request, viewer, at, draft)
    return _landed(request, at, done, str(path), _("%(name)s is made.") % {"name": path.parts[-1]})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def delete(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Delete a file, large or small."""
    at, text = open_at(request, viewer, kind, repo, rest)
    path = FilePath.parse(text)
    entry = entry_at(at.repo, at.tree, path)
    if request.method != "POST":
        if entry is None or entry.is_folder:
            raise EntryNotFound(f"{path} is not a file in this revision.", at.commit)
        return show(request, viewer, at, Draft(str(path), "", entry.oid, template="repo/delete_file.html"))
    draft = Draft(str(path), "", was_in(request), template="repo/delete_file.html")
    try:
        require_member(viewer)
        done = edits.delete_file(
            viewer, at.repo, revision=at.revision, path=path, was=draft.was, proposal=_is_proposal(request),
            message=_message(request, f"Delete {path.parts[-1]}"),
        )  # fmt: skip
    except TROUBLE as error:
        refused(draft, error)
        return show(request, viewer, at, draft)
    return _landed(request, at, done, "", _("%(name)s is deleted.") % {"name": path.parts[-1]})


@require_http_methods(["GET", "HEAD", "POST"])
@page
def metadata(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Fill in the front matter of the card by a form; what the form does not know stays as it is."""
    at, _path = open_at(request, viewer, kind, repo, rest)
    entry = entry_at(at.repo, at.tree, README)
    text = edits.text_at(viewer, at, README)[1] if entry is not None else ""
    draft = Draft(
        "README.md", "", was_in(request) or (entry.oid if entry else ""), template="repo/metadata.html"
    )
    try:
        values = values_in(request.POST) if request.method == "POST" else cardforms.read(text)
    except BadRequest as error:
        draft.error = said(error)
        return show(request, viewer, at, draft, broken=True)
    if request.method != "POST":
        return show(request, viewer, at, draft, fields=fields_of(values, kind))
    try:
        require_member(viewer)
        done = edits.save_text(
            viewer, at.repo, revision=at.revision, path=README, text=cardforms.write(text, values), was=draft.was,
            proposal=_is_proposal(request), message=_message(request, "Update the card’s metadata"),
        )  # fmt: skip
    except TROUBLE as error:
        refused(draft, error)
        return show(request, viewer, at, draft, fields=fields_of(values, kind))
    return _landed(request, at, done, "README.md", _("The card’s metadata is saved."))
