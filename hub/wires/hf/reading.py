"""Reading requests of the Hub protocol: repos, query values, JSON bodies."""

import json
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog.errors import BadRequest
from hub.catalog.lookups import find_repo
from hub.catalog.models import Repo
from hub.web import repo_name, whole_number

MAX_PAGE = 1000


def get_repo(viewer: Viewer, kind: str, repo: str) -> Repo:
    """Return the repo in an address, for a viewer who may read it."""
    return find_repo(viewer, repo_name(kind, repo))


def flag(request: HttpRequest, key: str) -> bool:
    """Return a yes/no query value."""
    return request.GET.get(key, "").lower() in ("true", "1", "yes")


def page_limit(request: HttpRequest, default: int, most: int = MAX_PAGE) -> int:
    """Return the page size asked for, within bounds; raises BadRequest for what is no number."""
    text = request.GET.get("limit", "")
    if not text:
        return default
    number = whole_number(text)
    if number is None:
        raise BadRequest(f"limit must be a whole number, not {text[:80]!r}.")
    return max(1, min(number, most))


def json_body(request: HttpRequest) -> Any:
    """Return the request's JSON; an empty body counts as ``{}``; raises BadRequest."""
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The request body is not JSON: {error}") from None


def checked(serializer: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the valid fields of a body; raises BadRequest naming each field and its fault."""
    reader = serializer(data=data)
    if not reader.is_valid():
        raise BadRequest(_faults(reader.errors))
    return dict(reader.validated_data)


def _faults(errors: Any, field: str = "") -> str:
    if isinstance(errors, dict):
        return " ".join(
            _faults(inner, f"{field}.{key}" if field else str(key)) for key, inner in errors.items()
        )
    if isinstance(errors, list):
        return " ".join(text for text in (_faults(inner, field) for inner in errors) if text)
    return f"{field}: {errors}" if field and field != "non_field_errors" else str(errors)
