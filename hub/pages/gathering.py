"""Collections: the list, one of them, and putting a repo into one."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.catalog import collections, founding
from hub.catalog.errors import BadRequest, NameTaken, NotAllowed, SignInNeeded
from hub.catalog.lookups import find_repo
from hub.catalog.models import Collection, Repo
from hub.catalog.names import RepoName
from hub.pages.doors import page
from hub.pages.rows import rows_of
from hub.pages.saying import said
from hub.web import repo_name, whole_number

PAGE = 50
_TROUBLE = (BadRequest, NameTaken, NotAllowed)


def _url(collection: Collection) -> str:
    return f"/collections/{collections.slug_of(collection)}"


def _lines(viewer: Viewer, found: list[Collection]) -> list[tuple[Collection, str, list[Repo]]]:
    items = collections.items_of(viewer, found)
    return [(one, _url(one), [item.repo for item in items[one.pk]]) for one in found]


@require_http_methods(["GET", "HEAD", "POST"])
@page
def listing(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The collections that the viewer may know of; a form makes one."""
    error = ""
    if request.method == "POST":
        try:
            return HttpResponseRedirect(_url(_created(request, viewer)))
        except _TROUBLE as trouble:
            error = said(trouble)
    skip = whole_number(request.GET.get("skip", "")) or 0
    owner = request.GET.get("owner", "")[:200]
    found = collections.visible(viewer)
    rows = list((found.filter(namespace__key=owner.lower()) if owner else found)[skip : skip + PAGE + 1])
    context = {
        "lines": _lines(viewer, rows[:PAGE]), "older": skip + PAGE if len(rows) > PAGE else 0, "skip": skip,
        "newer": max(0, skip - PAGE), "owner": owner, "error": error, "posted": request.POST,
        "spaces": founding.namespaces_of(viewer),
    }  # fmt: skip
    return render(request, "collections/list.html", context, status=400 if error else 200)


def _created(request: HttpRequest, viewer: Viewer) -> Collection:
    if viewer.user is None:
        raise SignInNeeded("Sign in to make a collection.")
    asked = request.POST
    return collections.create(
        viewer, namespace=asked.get("owner", "") or viewer.user.username, title=asked.get("title", ""),
        description=asked.get("description", ""), private=asked.get("visibility") == "private",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@page
def one(request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str) -> HttpResponse:
    """A collection, and for those who keep it the forms to change it."""
    found = collections.find(viewer, tail)
    error = ""
    if request.method == "POST":
        if viewer.user is None:
            raise SignInNeeded("Sign in to change a collection.")
        try:
            _change(request, viewer, found)
            gone = request.POST.get("do") == "delete"
            return HttpResponseRedirect("/collections" if gone else _url(found))
        except _TROUBLE as trouble:
            error = said(trouble)
    items = collections.items_of(viewer, [found])[found.pk]
    context = {
        "collection": found, "error": error, "may_change": collections.may_change(viewer, found),
        "items": [
            (item, replace(row, note=item.note, kind=_("data set") if row.type == Repo.Type.DATASET else ""))
            for item, row in zip(items, rows_of([item.repo for item in items]), strict=True)
        ],
        "posted": request.POST,
    }  # fmt: skip
    return render(request, "collections/one.html", context, status=400 if error else 200)


def _change(request: HttpRequest, viewer: Viewer, found: Collection) -> None:
    asked = request.POST
    match asked.get("do"):
        case "describe":
            collections.update(
                viewer, found, title=asked.get("title", ""), description=asked.get("description", ""),
                private=asked.get("visibility") == "private",
            )  # fmt: skip
        case "add":
            kind = "dataset" if asked.get("repo", "").startswith("datasets/") else "model"
            name = RepoName.parse(kind, asked.get("repo", "").strip().removeprefix("datasets/"))
            collections.add(viewer, found, find_repo(viewer, name), note=asked.get("note", ""))
        case "note":
            collections.change_item(viewer, found, asked.get("item", ""), note=asked.get("note", ""))
        case "up":
            place = max(0, (whole_number(asked.get("position", "")) or 0) - 1)
            collections.change_item(viewer, found, asked.get("item", ""), position=place)
        case "remove":
            collections.remove(viewer, found, asked.get("item", ""))
        case "delete":
            collections.delete(viewer, found)
        case _:
            raise BadRequest(_("This form is not one of this page."))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def collect(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Put a repo into one of one's collections, or into a new one."""
    place = find_repo(viewer, repo_name(kind, repo))
    if viewer.user is None:
        raise SignInNeeded("Sign in to gather this in a collection.")
    error = ""
    if request.method == "POST":
        try:
            chosen = request.POST.get("collection", "")
            found = collections.find(viewer, chosen) if chosen else _created(request, viewer)
            collections.add(viewer, found, place, note=request.POST.get("note", ""))
            messages.success(request, _("%(name)s is in this collection now.") % {"name": place.full_name})
            return HttpResponseRedirect(_url(found))
        except _TROUBLE as trouble:
            error = said(trouble)
    spaces = founding.namespaces_of(viewer)
    mine = collections.visible(viewer).filter(namespace__in=spaces)
    context = {
        "repo": place,
        "mine": list(mine[:200]),
        "spaces": spaces,
        "error": error,
        "posted": request.POST,
    }
    return render(request, "collections/collect.html", context, status=400 if error else 200)
