"""What every wire shares: raw paths, request ids, who is asking, absolute addresses, and the door itself."""

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from psycopg_pool import PoolTimeout

from hub.accounts.identity import ANONYMOUS, Viewer, identify
from hub.catalog import errors
from hub.web import escaped_path, header_text, public_base, session_viewer, unescape

_log = logging.getLogger(__name__)

Handler = Callable[..., HttpResponseBase]
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_SAFE = ("GET", "HEAD", "OPTIONS")
UNKEEPABLE = "A text in the request is too long or holds characters that cannot be kept: NUL, or half a surrogate pair."

# Where only a status and one line of text are understood: what the client may try again is 429 or 5xx.
STATUS: dict[type[Exception], int] = {
    errors.RepoNotFound: 403,
    errors.AccessRestricted: 403,
    errors.RepoDisabled: 403,
    errors.NotAllowed: 403,
    errors.SignInNeeded: 403,
    errors.EntryNotFound: 404,
    errors.BytesMissing: 404,
    errors.TooLarge: 413,
    errors.BadRequest: 400,
    errors.TooManyAtOnce: 429,
    errors.StoreTrouble: 503,
}
RETRY_AFTER = "5"


class RawPathMiddleware:
    """Route on the path as it was sent, so that ``refs%2Fpr%2F1`` stays one segment.

    WSGI hands over a decoded path, in which an encoded slash cannot be told from a real one.  gunicorn keeps the raw
    one in ``RAW_URI``.  The path that Django routes on is decoded except for ``%2F`` and ``%25``; `hub.web.unescape`
    undoes these two in a single segment.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        raw = request.META.get("RAW_URI") or quote(request.path_info, safe="/%:@!$&'()*+,;=~")
        # A proxy may send the whole address; what follows works with the path and the query alone.
        whole = _ORIGIN.match(raw)
        if whole:
            raw = "/" + raw[whole.end() :].removeprefix("/")
        request.META["RAW_URI"] = raw
        request.path_info = escaped_path(raw)
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            # The database keeps no NUL character, so no name, path or query can hold one.
            return _refuse_nul()
        return self.get_response(request)


def _refuse_nul() -> HttpResponse:
    """Return the answer to an address with a NUL character in it."""
    message = "The address contains a NUL character (%00)."
    return json_answer({"error": message}, status=400, headers={"X-Error-Message": message})


class RequestIdMiddleware:
    """Name every answer with ``X-Request-Id``, so that a user's error message leads to our log line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get("X-Amzn-Trace-Id", "")
        request_id = sent if re.fullmatch(r"[A-Za-z0-9=;:_-]{1,100}", sent) else uuid.uuid4().hex
        request.META["weighhouse.request_id"] = request_id
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who is asking: by token, or by the session of a browser for reading only; raises BadCredentials.

    A session may not write here: these doors take no CSRF token, since programs send none.
    """
    header = request.headers.get("Authorization")
    if header:
        return identify(header)
    if request.method in _SAFE and settings.SESSION_COOKIE_NAME in request.COOKIES:
        return session_viewer(request)
    return ANONYMOUS


def next_link(request: HttpRequest, **changes: str) -> str:
    """Return a ``Link`` header to the next page: absolute and with every parameter, because clients send it as is."""
    query = request.GET.copy()
    for key, value in changes.items():
        query[key] = value
    pairs = [(key, value) for key, values in query.lists() for value in values]
    path = request.META.get("RAW_URI", request.path).split("?", 1)[0]
    return f'<{public_base(request)}{path}?{urlencode(pairs)}>; rel="next"'


def moved_to(request: HttpRequest, full_name: str) -> str | None:
    """Return the address of a request under another repo id; None where the repo is not named in the address.

    Segments are replaced as they were sent, so that an id in another case or with escapes leads on as well.
    """
    match = request.resolver_match
    before, placed, behind = (match.route if match else "").partition("<repo:repo>")
    former = str(match.kwargs.get("repo", "")) if match else ""
    if not placed or not former:
        return None
    suffix = behind.partition("/")[0]
    path, question, query = request.META["RAW_URI"].partition("?")
    segments, decoded = path.split("/"), [unescape(segment) for segment in request.path_info.split("/")]
    at = 1 + before.count("/")
    taken = 1 if decoded[at] == former + suffix else 2
    segments[at : at + taken] = [full_name + suffix]
    target: str = public_base(request) + "/".join(segments) + question + query
    return target


def json_answer(data: object, *, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """Return JSON without needless blanks."""
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False, default=str)
    # A message that quotes what was sent may hold half a surrogate pair, which no encoding writes.
    return HttpResponse(
        body.encode("utf-8", "replace"), status=status, content_type="application/json", headers=headers
    )


def status_of(error: Exception) -> int | None:
    """Return the status that `STATUS` has for an error."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), None)


def plain_refusal(error: Exception, status: int) -> HttpResponse:
    """Return the answer to an error: a status and one line, as a store would."""
    answer = json_answer(
        {"error": str(error)}, status=status, headers={"X-Error-Message": header_text(str(error))}
    )
    if status in (429, 503):
        answer["Retry-After"] = str(error.retry_after) if isinstance(error, errors.TooOften) else RETRY_AFTER
    return answer


def door(
    translate: Callable[[HttpRequest, Exception], HttpResponseBase | None], **methods: Handler
) -> Handler:
    """Make a view of one handler per HTTP method; ``translate`` turns errors into the wire's own answers.

    Handlers get the request and the viewer.  HEAD is answered by GET's handler unless it has its own.
    """
    if "GET" in methods:
        methods.setdefault("HEAD", methods["GET"])

    def view(request: HttpRequest, **captured: Any) -> HttpResponseBase:
        handler = methods.get(request.method or "")
        if handler is None:
            return _wrong_method(methods)
        try:
            answer = handler(request, viewer_of(request), **captured)
        except Exception as error:
            translated = translate(request, known_trouble(error))
            if translated is None:
                raise
            answer = translated
        # What is answered depends on who asks, and a cookie keeps no cache between the two from keeping it.
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        return _without_body(answer) if request.method == "HEAD" else answer

    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def known_trouble(error: Exception) -> Exception:
    """Return what an error means: a database that is away, or has no connection left to give, is trouble that passes.

    Two who waited for each other in it are such trouble too: one of them was sent away, and may come again.
    """
    if isinstance(error, OperationalError | PoolTimeout):
        _log.warning("The database did not answer: %s", error)
        return errors.StoreTrouble("The hub is busy; nothing was changed. Try again soon.")
    return error


def _without_body(answer: HttpResponseBase) -> HttpResponseBase:
    """An answer to HEAD tells the length of the body that GET would have, and carries none."""
    if isinstance(answer, HttpResponse) and answer.content:
        answer.headers.setdefault("Content-Length", str(len(answer.content)))
        answer.content = b""
    return answer


def _wrong_method(methods: Iterable[str]) -> HttpResponse:
    allowed = ", ".join(sorted(methods))
    message = f"This address answers {allowed}."
    return json_answer({"error": message}, status=405, headers={"Allow": allowed, "X-Error-Message": message})
