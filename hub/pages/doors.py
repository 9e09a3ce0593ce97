"""The door of every page: who is looking, strangers where none are wanted, and errors turned into pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.catalog import errors
from hub.catalog.lookups import Moved, find_repo
from hub.pages.addresses import repo_url
from hub.pages.saying import said
from hub.web import header_text, repo_name, session_viewer

View = Callable[..., HttpResponseBase]

# What PostgreSQL and UTF-8 say of NUL, half a surrogate pair, or a number that is far too large.
_UNKEEPABLE = (DataError, UnicodeEncodeError)
UNKEEPABLE = gettext_noop("A text in the request is too long or holds characters that cannot be kept.")
_SECRETS = ("password", "token", "secret", "invite")


class Redirect(HttpResponseRedirect):
    """307: come again this way with the same method."""

    status_code = 307


def page(view: View) -> View:
    """Make a page of ``view(request, viewer, **captured)``."""
    return _door(view, is_personal=False)


def personal_page(view: View) -> View:
    """Make a page of a repo that shows some readers more than others: their rights, or relatives that are private."""
    return _door(view, is_personal=True)


def _door(view: View, *, is_personal: bool) -> View:
    @wraps(view)
    def door(request: HttpRequest, **captured: Any) -> HttpResponseBase:
        viewer = session_viewer(request)
        if viewer.user is None and settings.HUB_ANONYMOUS == "none":
            return to_login(request)
        try:
            response = view(request, viewer, **captured)
        except errors.CatalogError as error:
            response = answer(request, viewer, error)
        except _UNKEEPABLE:
            response = trouble(request, 400, _(UNKEEPABLE), kept=written(request).replace("\x00", ""))
        # What a page shows depends on who looks, so nothing between the hub and its reader may keep it.  What
        # strangers do not see is not kept by the reader's browser either, or Back would show it after logging out.
        if viewer.user is not None and (is_personal or not _is_for_everyone(captured)):
            patch_cache_control(response, private=True, no_store=True)
        else:
            patch_cache_control(response, private=True, no_cache=True)
        return response

    return door


def _is_for_everyone(captured: dict[str, Any]) -> bool:
    """True for pages of a repo that strangers may see; lists and the like show each reader more or less."""
    if "repo" not in captured:
        return False
    try:
        find_repo(ANONYMOUS, repo_name(captured.get("kind", "model"), captured["repo"]))
    except (errors.CatalogError, *_UNKEEPABLE):
        return False
    return True


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
    errors.MergeConflict: 409,
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
            response = JsonResponse({"error": said(error)}, status=status)
            if wait := wait_of(error):
                response.headers["Retry-After"] = str(wait)
        except _UNKEEPABLE:
            response = JsonResponse({"error": _(UNKEEPABLE)}, status=400)
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
    """Send a stranger to the login page and back here afterwards.

    A form that was sent is not repeated; what was written in it is given back instead.
    """
    if kept := written(request):
        return trouble(request, 401, kept=kept)
    back = request.get_full_path() if request.method == "GET" else _page_before(request)
    return HttpResponseRedirect(f"{reverse('pages:login')}?{urlencode({'next': back})}")


def _page_before(request: HttpRequest) -> str:
    """Return the page that a form was on, since not every address that takes a form shows one."""
    referrer = urlsplit(request.headers.get("Referer", ""))
    return referrer.path if referrer.netloc == request.get_host() and referrer.path else request.path


def written(request: HttpRequest) -> str:
    """Return what of a form was written and not chosen (more than a word), so that no refusal loses it; no secrets."""
    if request.method != "POST":
        return ""
    texts = [
        text for name in request.POST for text in request.POST.getlist(name)
        if len(text.split()) > 1 and not any(word in name for word in _SECRETS)
    ]  # fmt: skip
    return "\n\n".join(texts)


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
    if isinstance(error, errors.TooManyAtOnce):
        return trouble(request, 429, str(error), kept=written(request), wait=wait_of(error))
    return trouble(request, 400, str(error))


def wait_of(error: errors.CatalogError) -> int:
    """Return after how many seconds what was refused may be tried again, 0 where nobody knows."""
    return error.retry_after if isinstance(error, errors.TooOften) else 0


def _follow(request: HttpRequest, error: Moved) -> HttpResponse:
    """Lead on to a renamed repo, with the rest of the address and the question."""
    segments = request.get_full_path().lstrip("/").split("/")
    rest = segments[3:] if segments[0] == "datasets" else segments[2:]
    query = "" if rest else request.get_full_path().partition("?")[2]
    target = "/".join([repo_url(error.repo), *rest]) + (f"?{query}" if query else "")
    return Redirect(target)


_TITLES = {
    400: gettext_noop("This request cannot be read"),
    401: gettext_noop("You were logged out"),
    403: gettext_noop("Not for you, as you are"),
    404: gettext_noop("Nothing is here"),
    429: gettext_noop("Too many tries"),
    503: gettext_noop("Come again in a moment"),
}
_TEXTS = {
    404: gettext_noop(
        "No page, model or file of this name, or it is private and you are not among its readers."
    ),
    401: gettext_noop("Nothing was saved. Copy what you had written, log in, and send it again."),
    403: gettext_noop("You are not allowed to do this."),
    400: gettext_noop("Something in the address or the form is not as it should be."),
}


def is_for_programs(request: HttpRequest) -> bool:
    """True for addresses where a program asks, which cannot read a page."""
    programs = request.path.startswith(("/api/", "/lfs/", "/bytes/"))
    return programs or request.headers.get("Accept") == "application/json"


def trouble(
    request: HttpRequest, status: int, text: str = "", *, kept: str = "", wait: int = 0
) -> HttpResponse:
    """Return an error page, or its sentence as JSON where a program asks.

    ``kept`` is what somebody had written, ``wait`` after how many seconds they may try again.
    """
    headers = {"Retry-After": str(wait)} if wait else {}
    if is_for_programs(request):
        message = text or _TITLES[status]
        headers["X-Error-Message"] = header_text(message)
        return JsonResponse({"error": message}, status=status, headers=headers)
    context = {
        "status": status,
        "title": _(_TITLES[status]),
        "text": said(text or _TEXTS.get(status, "")),
        "kept": kept,
    }
    answer = render(request, "errors/trouble.html", context, status=status)
    for name, value in headers.items():
        answer.headers[name] = value
    return answer
