"""The tags to filter lists by."""

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog.tags import tags_by_kind
from hub.wires.base import json_answer


def by_type(request: HttpRequest, viewer: Viewer, *, kind: str) -> HttpResponse:
    """`GET /api/{kind}-tags-by-type`: the tags of public repos."""
    found = tags_by_kind(viewer, kind)
    return json_answer(
        {
            type_: [{"id": tag, "label": tag.removeprefix(f"{type_}:"), "type": type_} for tag in tags]
            for type_, tags in found.items()
        }
    )
