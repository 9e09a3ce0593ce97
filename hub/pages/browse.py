"""The lists: models, data sets, and what belongs to one namespace."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, RetiredNamespace
from hub.accounts.people import find_namespace
from hub.catalog import access, facets, likes, quotas, ranking, search
from hub.catalog.collections import slug_of
from hub.catalog.collections import visible as visible_collections
from hub.catalog.errors import RepoNotFound
from hub.catalog.members import may_manage, storage_of
from hub.catalog.models import Collection, Repo
from hub.catalog.seeking import Hits
from hub.pages.doors import page
from hub.pages.offers import offered
from hub.pages.rows import rows_of
from hub.pages.wishes import Wish, address, chips

PAGE = 30
MOST_NAMED = 3
# What htmx replaces, and what it is given for that.
_TEMPLATES = {"results": "browse/results.html", "facets": "browse/counts.html"}


def _listing(request: HttpRequest, viewer: Viewer, type_: str) -> HttpResponse:
    """Answer with the whole page, or to htmx with its list alone, which asks for the counts of the filters then."""
    wish = Wish.read(request)
    query = wish.query(type_)
    context: dict[str, Any] = {
        "wish": wish, "type": type_, "here": request.path, "is_later": "after" in request.GET,
        "chips": chips(wish, request.GET, request.path), "query": address(request.GET),
        "first_query": address(request.GET, after=""),
    }  # fmt: skip
    part = request.headers.get("HX-Target", "")
    # One way for a list with and without its counts, so that its pages follow each other.
    hits = search.seek(viewer, query, rough=part != "facets")
    if part != "results":
        context |= _counts(viewer, wish, query, hits)
    if part != "facets":
        context |= _list(request, viewer, query, hits)
    response = render(request, _TEMPLATES.get(part, "browse/list.html"), context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _list(request: HttpRequest, viewer: Viewer, query: search.Query, hits: Hits) -> dict[str, Any]:
    found = ranking.find(viewer, query, limit=PAGE, cursor=request.GET.get("after", ""), found=hits)
    return {
        "rows": rows_of(found.repos, ram=query.fits), "near": hits.near,
        "next_query": address(request.GET, after=found.cursor) if found.cursor else "",
    }  # fmt: skip


def _counts(viewer: Viewer, wish: Wish, query: search.Query, hits: Hits) -> dict[str, Any]:
    counted = facets.counts(viewer, query, None if hits.more else hits)
    return {
        "counted": counted, "offered": offered(wish, counted, query.type),
        "left_out": _left_out(viewer, query, counted, hits),
    }  # fmt: skip


def _left_out(
    viewer: Viewer, query: search.Query, counted: facets.Counts, hits: Hits
) -> dict[str, Any] | None:
    """Return what would fit once it is proven: it is named below a list of proven ones, and not in it."""
    number = counted.values["state"].get("proving", 0) if "proven" in query.states else 0
    if not number:
        return None
    states = ["proving", *(state for state in query.states if state != "proven")]
    waiting = ranking.find(viewer, replace(query, states=states), limit=MOST_NAMED, found=hits)
    return {"number": number, "repos": waiting.repos, "more": number - len(waiting.repos)}


@page
def home(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The models that the viewer may see."""
    return _listing(request, viewer, Repo.Type.MODEL)


@page
def datasets(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The data sets that the viewer may see."""
    return _listing(request, viewer, Repo.Type.DATASET)


@page
def namespace(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """A user or an organization, and what of theirs the viewer may see."""
    space = find_namespace(name)
    if space is None:
        former = RetiredNamespace.objects.select_related("namespace").filter(key=name.lower()).first()
        if former is not None and former.namespace is not None:
            return HttpResponsePermanentRedirect(f"/{former.namespace.name}")
        raise RepoNotFound(name)
    return render(request, "browse/namespace.html", _about(viewer, space))


def _gathered(viewer: Viewer, space: Namespace) -> list[Collection]:
    return list(visible_collections(viewer).filter(namespace=space)[:8])


def _about(viewer: Viewer, space: Namespace) -> dict[str, Any]:
    found = [
        ranking.find(
            viewer, search.Query(type=type_, author=space.name, sort="lastModified"), limit=100
        ).repos
        for type_ in (Repo.Type.MODEL, Repo.Type.DATASET)
    ]
    rows = rows_of([*found[0], *found[1]])
    members = space.organization.memberships.select_related("user") if space.organization else None
    return {
        "space": space, "holder": space.user or space.organization, "models": rows[: len(found[0])],
        "datasets": rows[len(found[0]) :],
        "members": members.filter(user__is_active=True).order_by("user__username") if members else None,
        "is_me": viewer.user is not None and space.user_id == viewer.user.pk,
        "may_manage": space.organization is not None and may_manage(viewer, space.organization),
        "may_create": access.may_create_in(viewer, space), "storage": storage_of(viewer, space),
        "standing": quotas.standing(viewer, space),
        "liked": [item.repo for item in likes.likes_of(viewer, space.user)[:8]] if space.user else [],
        "gathered": [(item, f"/collections/{slug_of(item)}") for item in _gathered(viewer, space)],
    }  # fmt: skip
