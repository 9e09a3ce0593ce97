"""Bodies and errors of the git-lfs wire: JSON of its own media type, with ``message`` for an error."""

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import BadCredentials
from hub.catalog import errors
from hub.catalog.errors import BadRequest
from hub.catalog.lookups import Moved
from hub.web import header_text
from hub.wires.base import UNKEEPABLE, moved_to

MEDIA_TYPE = "application/vnd.git-lfs+json"

# Status and the Hub protocol's code: the stock client reads its headers here too.
_STATUS: dict[type[Exception], tuple[int, str]] = {
    errors.AccessRestricted: (403, "GatedRepo"),
    errors.RepoDisabled: (403, ""),
    errors.NotAllowed: (403, ""),
    errors.SignInNeeded: (401, ""),
    errors.EntryNotFound: (404, "EntryNotFound"),
    errors.BytesMissing: (404, ""),
    errors.TooLarge: (413, ""),
    errors.BadRequest: (422, ""),
    errors.StoreTrouble: (503, ""),
}


def lfs_answer(data: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Return JSON in git-lfs's media type."""
    return HttpResponse(json.dumps(data), status=status, content_type=MEDIA_TYPE)


def _refuse(status: int, message: str, code: str = "") -> HttpResponse:
    answer = lfs_answer({"message": message, "error": message}, status=status)
    answer["X-Error-Message"] = header_text(message)
    if code:
        answer["X-Error-Code"] = code
    if status == 401:
        # Git asks for a password only when it is told to.
        answer["WWW-Authenticate"] = 'Basic realm="Weighhouse", charset="UTF-8"'
        answer["LFS-Authenticate"] = 'Basic realm="Weighhouse", charset="UTF-8"'
    if status == 503:
        answer["Retry-After"] = "5"
    return answer


def translate(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the answer to an error in git-lfs's form, or None for a fault of ours."""
    if isinstance(error, BadCredentials):
        return _refuse(401, "Invalid credentials in Authorization header")
    if isinstance(error, errors.RepoNotFound):
        return _refuse(404 if request.headers.get("Authorization") else 401, str(error), "RepoNotFound")
    if isinstance(error, RequestDataTooBig):
        return _refuse(413, "The request body is larger than this address takes.")
    if isinstance(error, DataError | UnicodeEncodeError):
        return _refuse(422, UNKEEPABLE)
    if isinstance(error, Moved):
        answer = _refuse(307, str(error))
        answer["Location"] = moved_to(request, error.repo.full_name) or ""
        return answer
    for kind, (status, code) in _STATUS.items():
        if isinstance(error, kind):
            return _refuse(status, str(error), code)
    return None


def json_body(request: HttpRequest) -> Any:
    """Return the request's JSON; raises BadRequest."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not JSON: {error}") from None


def checked(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the valid fields of a body; raises BadRequest naming the faults."""
    reader = serializer(data=data)
    if not reader.is_valid():
        raise BadRequest(f"The body is not acceptable: {json.dumps(reader.errors, default=str)[:1000]}")
    return dict(reader.validated_data)
