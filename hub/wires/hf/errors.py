"""The domain's errors in the words of the Hub protocol: status, ``X-Error-Code`` and ``X-Error-Message``.

Headers decide for the client, not the body: an answer to HEAD has none.
"""

from django.core.exceptions import BadRequest as DjangoBadRequest
from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseRedirectBase

from hub.accounts.identity import BadCredentials
from hub.catalog import errors
from hub.catalog.lookups import Moved
from hub.web import header_text
from hub.wires.base import UNKEEPABLE, json_answer, moved_to
from licenses import errors as review_errors
from licenses.errors import ReviewError
from licenses.policy import BadPolicy
from licenses.records import findings_to_json

_PLAIN: dict[type[Exception], tuple[int, str]] = {
    errors.RevisionNotFound: (404, "RevisionNotFound"),
    errors.EntryNotFound: (404, "EntryNotFound"),
    errors.RepoDisabled: (403, ""),
    errors.NotAllowed: (403, ""),
    errors.SignInNeeded: (401, ""),
    errors.BadPath: (422, ""),
    errors.TooLarge: (413, ""),
    errors.BytesMissing: (422, ""),
    errors.BadRequest: (400, ""),
    errors.NameTaken: (409, ""),
    errors.StaleParent: (412, ""),
    errors.MergeConflict: (409, ""),
    errors.TooManyAtOnce: (429, ""),
    errors.NoRoom: (507, ""),
}


# What can go wrong when terms are decided on and agreed to.
_REVIEWS: dict[type[ReviewError], int] = {
    review_errors.WrongState: 409,
    review_errors.StaleTerms: 409,
    review_errors.NotYours: 403,
    review_errors.SecondPersonNeeded: 403,
    review_errors.UseRefused: 403,
}


class TemporaryRedirect(HttpResponseRedirectBase):
    """307: the method and body stay as they were."""

    status_code = 307


def refuse(status: int, message: str, code: str = "", **extra: object) -> HttpResponse:
    """Return an error answer that every client of this protocol understands."""
    headers = {"X-Error-Message": header_text(message)}
    if code:
        headers["X-Error-Code"] = code
    return json_answer({"error": message, **extra}, status=status, headers=headers)


def translate(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the answer to an error, or None for one that is a fault of ours."""
    match error:
        case BadCredentials():
            return refuse(401, "Invalid credentials in Authorization header")
        case Moved():
            return _redirect(request, error)
        case errors.RepoNotFound():
            # A stranger might have rights after signing in, hence 401; the code says the same to the client.
            return refuse(404 if request.headers.get("Authorization") else 401, str(error), "RepoNotFound")
        case errors.AccessRestricted():
            return refuse(403 if request.headers.get("Authorization") else 401, str(error), "GatedRepo")
        case errors.BeingProven():
            return _with_commit(refuse(503, str(error)), error.commit, retry_after=error.retry_after)
        case errors.TooOften():
            return _with_commit(refuse(429, str(error)), "", retry_after=error.retry_after)
        case errors.StoreTrouble():
            return _with_commit(refuse(503, str(error)), "", retry_after=5)
        case ReviewError():
            return refuse(_REVIEWS.get(type(error), 422), str(error), "", **_beside(error))
        case BadPolicy():
            return refuse(422, str(error))
        case RequestDataTooBig():
            return refuse(413, "The request body is larger than this address takes.")
        case DjangoBadRequest():
            return refuse(400, str(error))
        case DataError() | UnicodeEncodeError():
            return refuse(400, UNKEEPABLE)
    for kind, (status, code) in _PLAIN.items():
        if isinstance(error, kind):
            answer = refuse(status, str(error), code)
            return _with_commit(answer, getattr(error, "commit", ""))
    return None


def _beside(error: ReviewError) -> dict[str, object]:
    """Return what a program needs to go on, beside the words."""
    match error:
        case review_errors.WrongState():
            return {"state": error.state}
        case review_errors.BadAnswer():
            return {"field": error.field}
        case review_errors.UseRefused():
            return {"findings": findings_to_json(error.findings)}
        case _:
            return {}


def _with_commit(answer: HttpResponse, commit: str, retry_after: int = 0) -> HttpResponse:
    if commit:
        # With the commit the client can remember that the file is absent there.
        answer["X-Repo-Commit"] = commit
    if retry_after:
        answer["Retry-After"] = str(retry_after)
    return answer


def _redirect(request: HttpRequest, moved: Moved) -> HttpResponseRedirect | HttpResponse:
    """Lead to the same address under the new id; 307 keeps method and body."""
    target = moved_to(request, moved.repo.full_name)
    # A body that names the former id cannot be led on: the same request would come again.
    return TemporaryRedirect(target) if target else refuse(404, str(moved), "RepoNotFound")
