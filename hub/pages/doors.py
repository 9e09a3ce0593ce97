"""The door of every page: who is looking, strangers where none are wanted, and errors turned into pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import errors
from hub.catalog.lookups import Moved
from hub.pages.addresses import repo_url
from hub.web import header_text, session_viewer

View = Callable[..., HttpResponseBase]


class Redirect(HttpResponseRedirect):
    """307: come again this way with the same method."""

    status_code = 307


def page(view: View) -> View:
    """Make a page of ``view(request, viewer, **captured)``."""

    @wraps(view)
    def door(request: HttpRequest, **captured: Any) -> HttpResponseBase:
        viewer = session_viewer(request)
        if viewer.user is None and settings.HUB_ANONYMOUS == "none":
            return to_login(request)
        # PostgreSQL takes no NUL in a text, and nothing that a page is asked for has one.
        if "\x00" in request.path_info or any(
            "\x00" in text for pair in request.GET.items() for text in pair
        ):
            return trouble(request, 400)
        try:
            response = view(request, viewer, **captured)
        except errors.CatalogError as error:
            response = answer(request, viewer, error)
        # What a page shows depends on who looks, so nothing between the hub and its reader may keep it.
        patch_cache_control(response, private=True, no_cache=True)
        return response

    return door


# What a script on a page may do about it: sign in again, wait and repeat, or tell the person.
_STATUS: dict[type[errors.CatalogError], int] = {
    errors.SignInNeeded: 401,
    errors.RepoNotFound: 404,
    errors.RevisionNotFound: 404,
    errors.EntryNotFound: 404,
    errors.NotAllowed: 403,
    errors.AccessRestricted: 403,
    errors.RepoDisabled: 403,
    errors.NameTaken: 409,
    errors.StaleParent: 409,
    errors.BytesMissing: 410,
    errors.TooLarge: 413,
    errors.TooManyAtOnce: 429,
    errors.StoreTrouble: 503,
    errors.BeingProven: 503,
}


def json_page(view: View) -> View:
    """Make a door for the scripts of our own pages: the session says who asks, and errors are one sentence of JSON.

    Like every page that changes something it wants the CSRF token, which scripts send as a header.
    """

    @wraps(view)
    def door(request: HttpRequest, **captured: Any) -> HttpResponseBase:
        try:
            response = view(request, session_viewer(request), **captured)
        except errors.CatalogError as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
            response = JsonResponse({"error": str(error)}, status=status)
        patch_cache_control(response, private=True, no_store=True)
        return response

    return door


def member_page(view: View) -> View:
    """Make a page that only signed-in people have; ``view(request, user, **captured)``."""

    @wraps(view)
    def inner(request: HttpRequest, viewer: Viewer, **captured: Any) -> HttpResponseBase:
        if not isinstance(viewer.user, User):
            return to_login(request)
        return view(request, viewer.user, **captured)

    return page(inner)


def to_login(request: HttpRequest) -> HttpResponse:
    """Send a stranger to the login page and back here afterwards; a form that was sent is not repeated."""
    back = request.get_full_path() if request.method == "GET" else request.path
    return HttpResponseRedirect(f"{reverse('pages:login')}?{urlencode({'next': back})}")


def answer(request: HttpRequest, viewer: Viewer, error: errors.CatalogError) -> HttpResponse:
    """Return the page that says what went wrong."""
    if isinstance(error, Moved):
        return _follow(request, error)
    if isinstance(error, errors.SignInNeeded):
        return to_login(request)
    if isinstance(error, errors.RepoNotFound):
        return trouble(request, 404)
    if isinstance(error, errors.RevisionNotFound | errors.EntryNotFound):
        return trouble(request, 404, str(error))
    if isinstance(error, errors.NotAllowed | errors.AccessRestricted | errors.RepoDisabled):
        return trouble(request, 403, str(error))
    if isinstance(error, errors.StoreTrouble | errors.BeingProven):
        return trouble(request, 503, str(error))
    return trouble(request, 400, str(error))


def _follow(request: HttpRequest, error: Moved) -> HttpResponse:
    """Lead on to a renamed repo, with the rest of the address and the question."""
    segments = request.get_full_path().lstrip("/").split("/")
    rest = segments[3:] if segments[0] == "datasets" else segments[2:]
    query = "" if rest else request.get_full_path().partition("?")[2]
    target = "/".join([repo_url(error.repo), *rest]) + (f"?{query}" if query else "")
    return Redirect(target)


_TITLES = {
    400: "This request cannot be read",
    403: "Not for you, as you are",
    404: "Nothing is here",
    429: "Too many tries",
    503: "Come again in a moment",
}
_TEXTS = {
    404: "No page, model or file of this name, or it is private and you are not among its readers.",
    403: "You are not allowed to do this.",
    400: "Something in the address or the form is not as it should be.",
}


def is_for_programs(request: HttpRequest) -> bool:
    """True for addresses where a program asks, which cannot read a page."""
    programs = request.path.startswith(("/api/", "/lfs/", "/bytes/"))
    return programs or request.headers.get("Accept") == "application/json"


def trouble(request: HttpRequest, status: int, text: str = "", *, kept: str = "") -> HttpResponse:
    """Return an error page, or its sentence as JSON where a program asks; ``kept`` is what somebody had written."""
    if is_for_programs(request):
        message = text or _TITLES[status]
        return JsonResponse(
            {"error": message}, status=status, headers={"X-Error-Message": header_text(message)}
        )
    context = {
        "status": status,
        "title": _TITLES[status],
        "text": text or _TEXTS.get(status, ""),
        "kept": kept,
    }
    return render(request, "errors/trouble.html", context, status=status)
