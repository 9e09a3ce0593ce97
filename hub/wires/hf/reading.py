"""Reading requests of the Hub protocol: ids, revisions in raw paths, query values, JSON bodies."""

import json
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog.errors import BadRequest, RepoNotFound, RevisionNotFound
from hub.catalog.lookups import Located, find_repo, locate
from hub.catalog.models import Ref, Repo
from hub.catalog.names import RepoName, is_pull_ref
from hub.wires.base import unescape

MAX_PAGE = 1000


def repo_name(kind: str, text: str) -> RepoName:
    """Return the id in an address; one that no repo can have is a repo that does not exist."""
    try:
        return RepoName.parse(kind, text)
    except BadRequest:
        raise RepoNotFound("Repository not found") from None


def get_repo(viewer: Viewer, kind: str, repo: str) -> Repo:
    """Return the repo in an address, for a viewer who may read it."""
    return find_repo(viewer, repo_name(kind, repo))


def locate_rest(viewer: Viewer, name: RepoName, rest: str) -> tuple[Located, str]:
    """Split ``revision/path`` of a still escaped address and locate the revision; the path may be empty.

    An encoded slash settles it.  A decoded one leaves a single reading, because no ref is a folder of another.
    """
    segments = rest.split("/")
    taken = 3 if segments[0] == "refs" and is_pull_ref("/".join(segments[:3])) else 1
    if segments[0] == "refs" and len(segments) > 2 and segments[1] in ("heads", "tags", "convert"):
        taken = 3
    try:
        return _located(viewer, name, segments, taken)
    except RevisionNotFound:
        longer = _longer_ref(viewer, name, segments)
        if longer is None:
            raise
        return _located(viewer, name, segments, longer)


def _located(viewer: Viewer, name: RepoName, segments: list[str], taken: int) -> tuple[Located, str]:
    revision = "/".join(unescape(segment) for segment in segments[:taken])
    path = "/".join(unescape(segment) for segment in segments[taken:])
    return locate(viewer, name, revision), path


def _longer_ref(viewer: Viewer, name: RepoName, segments: list[str]) -> int | None:
    """Return how many segments name a branch or tag with slashes in it, or None."""
    parts = [unescape(segment) for segment in segments]
    full = parts[0] == "refs"
    lengths = {}
    for taken in range(2, min(len(parts), 20) + 1):
        short = "/".join(parts[:taken])
        for ref in [short] if full else [f"refs/heads/{short}", f"refs/tags/{short}"]:
            lengths[ref] = taken
    found = (
        Ref.objects.filter(repo=find_repo(viewer, name), name__in=lengths)
        .values_list("name", flat=True)
        .first()
    )
    return lengths[found] if found else None


def flag(request: HttpRequest, key: str) -> bool:
    """Return a yes/no query value."""
    return request.GET.get(key, "").lower() in ("true", "1", "yes")


def page_limit(request: HttpRequest, default: int, most: int = MAX_PAGE) -> int:
    """Return the page size asked for, within bounds; raises BadRequest for what is no number."""
    text = request.GET.get("limit", "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise BadRequest(f"limit must be a whole number, not {text!r}.")
    return max(1, min(int(text), most))


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
