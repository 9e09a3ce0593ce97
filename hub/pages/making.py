"""Making a repo, and its settings: name, visibility, gate, branches and tags, likes, and the end."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, founding, likes, refs, repos
from hub.catalog.errors import (
    BadRequest,
    NameTaken,
    NotAllowed,
    RevisionNotFound,
    SignInNeeded,
    UnfitName,
)
from hub.catalog.lookups import DEFAULT_REVISION, find_repo, locate_in
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.pages.addresses import repo_url, rev_url
from hub.pages.cardfields import license_choices, often_used
from hub.pages.doors import page, personal_page
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.web import repo_name

_TROUBLE = (BadRequest, NameTaken, NotAllowed, RevisionNotFound)
Change = Callable[[HttpRequest, Viewer, Repo], str]


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Make a model or a data set, with its first card."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to make a model.")
    asked = request.POST if request.method == "POST" else request.GET
    kind = Repo.Type.DATASET if asked.get("type") == "dataset" else Repo.Type.MODEL
    error, name_error = "", ""
    if request.method == "POST":
        try:
            repo = _made(request, viewer, kind)
            messages.success(request, _("%(name)s is there. Its files come next.") % {"name": repo.full_name})
            return HttpResponseRedirect(rev_url(repo, "upload", DEFAULT_REVISION))
        except UnfitName:
            name_error = _(
                "Letters, digits, dash, dot and underscore only, with none of the signs at an end."
            )
        except NameTaken as trouble:
            name_error = said(trouble)
        except _TROUBLE as trouble:
            error = said(trouble)
    context = {
        "kind": kind, "error": error, "name_error": name_error, "asked": asked,
        "spaces": founding.namespaces_of(viewer),
        "licenses": license_choices(), "often": often_used(), "section": "new",
        "is_private": asked.get("visibility") == "private",
    }  # fmt: skip
    return render(request, "repo/new.html", context, status=400 if error or name_error else 200)


def _made(request: HttpRequest, viewer: Viewer, kind: str) -> Repo:
    asked = request.POST
    name = RepoName.for_new(kind, asked.get("owner", ""), asked.get("name", "").strip())
    license_id = asked.get("license", "")
    return founding.found_repo(
        viewer, name=name, private=asked.get("visibility") == "private", about=asked.get("about", "")[:20_000],
        claims={"license": [license_id]} if license_id else {},
    )  # fmt: skip


def _keeper(request: HttpRequest, viewer: Viewer, kind: str, repo: str) -> Repo:
    found = find_repo(viewer, repo_name(kind, repo))
    if viewer.user is None:
        raise SignInNeeded("Sign in to manage this.")
    access.require_administer(viewer, found)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def settings(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """What may be changed about a repo."""
    found = _keeper(request, viewer, kind, repo)
    did, error = request.POST.get("do", ""), ""
    if request.method == "POST":
        try:
            if did not in _CHANGES:
                raise BadRequest(_("This form is not one of this page."))
            messages.success(request, _CHANGES[did](request, viewer, found))
            return HttpResponseRedirect(
                f"/{found.namespace.name}" if did == "delete" else f"{repo_url(found)}/settings"
            )
        except _TROUBLE as trouble:
            error = said(trouble)
            found.refresh_from_db()
    context = {
        **shell(viewer, locate_in(found, DEFAULT_REVISION), tab="settings"),
        "did": did, "error": error, "posted": request.POST, "spaces": founding.namespaces_of(viewer),
        "derived": list(found.derived.order_by("key")[:20]),
    }  # fmt: skip
    return render(request, "repo/settings.html", context, status=400 if error else 200)


def _rename(request: HttpRequest, viewer: Viewer, repo: Repo) -> str:
    owner = request.POST.get("owner", "") or repo.namespace.name
    name = request.POST.get("name", "").strip()
    moved = repos.move_repo(viewer, repo, to=RepoName.for_new(repo.type, owner, name))
    for column in ("namespace", "name", "full_name", "key"):
        setattr(repo, column, getattr(moved, column))
    return _("It is called %(name)s now. The old name leads here.") % {"name": repo.full_name}


def _show_or_hide(request: HttpRequest, viewer: Viewer, repo: Repo) -> str:
    private = request.POST.get("visibility") == "private"
    repos.change_settings(viewer, repo, private=private)
    return _("Only its members see it now.") if private else _("Everybody sees it now.")


def _gate(request: HttpRequest, viewer: Viewer, repo: Repo) -> str:
    gated = request.POST.get("gated", "")
    repos.change_settings(viewer, repo, gated=gated)
    said = {"auto": _("Whoever asks may pull."), "manual": _("You decide who may pull.")}
    return said.get(gated, _("Everybody who sees it may pull."))


def _delete(request: HttpRequest, viewer: Viewer, repo: Repo) -> str:
    if request.POST.get("confirm", "").strip() != repo.full_name:
        raise BadRequest(
            _("Type %(name)s, exactly so, to delete it. Nothing was deleted.") % {"name": repo.full_name}
        )
    name = repo.full_name
    repos.delete_repo(viewer, repo)
    return _("%(name)s is deleted.") % {"name": name}


_CHANGES: dict[str, Change] = {
    "rename": _rename, "visibility": _show_or_hide, "gate": _gate, "delete": _delete,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def branches(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Branches and tags: the list, and forms to make and delete them."""
    found = find_repo(viewer, repo_name(kind, repo))
    error = ""
    if request.method == "POST":
        if viewer.user is None:
            raise SignInNeeded("Sign in to change this.")
        try:
            messages.success(request, _changed_ref(request, viewer, found))
            return HttpResponseRedirect(request.path)
        except _TROUBLE as trouble:
            error = said(trouble)
    listed = refs.list_refs(found)
    context: dict[str, Any] = {
        "repo": found, "error": error, "posted": request.POST, "may_write": access.may_write(viewer, found),
        "groups": [
            (_("Branches"), "branch", [(refs.short_name(ref), ref) for ref in listed.branches]),
            (_("Tags"), "tag", [(refs.short_name(ref), ref) for ref in listed.tags]),
            (_("Proposals"), "proposal", [(ref.name, ref) for ref in listed.pulls]),
        ],
    }  # fmt: skip
    return render(request, "repo/branches.html", context, status=400 if error else 200)


def _changed_ref(request: HttpRequest, viewer: Viewer, repo: Repo) -> str:
    asked = request.POST
    name = asked.get("name", "").strip()
    match asked.get("do"):
        case "branch" | "tag":
            return _made_ref(request, viewer, repo, name)
        case "delete-branch" | "delete-proposal":
            refs.delete_branch(viewer, repo, branch=name)
        case "delete-tag":
            refs.delete_tag(viewer, repo, tag=name)
        case _:
            raise BadRequest(_("This form is not one of this page."))
    return _("%(name)s is deleted. Its commits stay readable by their ids.") % {"name": name}


def _made_ref(request: HttpRequest, viewer: Viewer, repo: Repo, name: str) -> str:
    asked = request.POST
    start = asked.get("start", "").strip() or "main"
    try:
        if asked["do"] == "branch":
            refs.create_branch(viewer, repo, branch=name, start=start)
            return _("The branch %(name)s is made.") % {"name": name}
        refs.create_tag(viewer, repo, tag=name, revision=start, message=asked.get("message", ""))
    except NameTaken:
        # Programs know the words of the domain; people are told what to do.
        raise NameTaken(_("%(name)s is there already. Choose another name.") % {"name": name}) from None
    return _("The tag %(name)s is made.") % {"name": name}


@require_POST
@page
def like(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Like a repo, or take the like back."""
    found = find_repo(viewer, repo_name(kind, repo))
    if request.POST.get("do") == "unlike":
        likes.unlike(viewer, found)
    else:
        likes.like(viewer, found)
    return HttpResponseRedirect(repo_url(found))
