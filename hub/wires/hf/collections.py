"""Collections by the Hub protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import collections
from hub.catalog.errors import BadRequest, NameTaken
from hub.catalog.lookups import find_repo
from hub.catalog.models import Collection, CollectionItem
from hub.catalog.names import RepoName
from hub.web import whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.reading import checked, json_body, page_limit


class CollectionBody(serializers.Serializer[Any]):
    """`POST /api/collections`."""

    title = serializers.CharField(max_length=60)
    namespace = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=150, required=False, allow_blank=True, allow_null=True)
    private = serializers.BooleanField(default=False)
    item = serializers.DictField(required=False)


class ChangesBody(serializers.Serializer[Any]):
    """`PATCH /api/collections/{slug}`; the place of a collection among others is not kept."""

    title = serializers.CharField(max_length=60, required=False)
    description = serializers.CharField(max_length=150, required=False, allow_blank=True)
    private = serializers.BooleanField(required=False)
    theme = serializers.CharField(max_length=10, required=False)


class ItemBody(serializers.Serializer[Any]):
    """`POST /api/collections/{slug}/items`."""

    item = serializers.DictField()
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True)


class ItemChangesBody(serializers.Serializer[Any]):
    """`PATCH /api/collections/{slug}/items/{id}`."""

    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    position = serializers.IntegerField(min_value=0, max_value=100_000, required=False)


def _item(row: CollectionItem) -> dict[str, Any]:
    repo = row.repo
    shape = {**shapes.identity(repo), **shapes.repo_facts(repo), "_id": str(row.pk), "type": repo.type,
             "repoType": repo.type}  # fmt: skip
    if row.note:
        shape["note"] = {"text": row.note}
    return {**shape, "position": row.position}


def _shape(collection: Collection, items: list[CollectionItem]) -> dict[str, Any]:
    space = collection.namespace
    holder = space.user or space.organization
    return {
        "slug": collections.slug_of(collection), "title": collection.title, "description": collection.description,
        "owner": {"name": space.name, "fullname": holder.fullname if holder else "", "avatarUrl": "",
                  "type": "user" if space.user_id else "org", "isPro": False, "isHf": False},
        "items": [_item(row) for row in items], "lastUpdated": shapes.iso(collection.updated_at),
        "private": collection.private, "theme": collection.theme, "upvotes": 0, "gating": False,
    }  # fmt: skip


def _one(viewer: Viewer, collection: Collection) -> dict[str, Any]:
    found = collections.visible(viewer).get(pk=collection.pk)
    return {**_shape(found, collections.items_of(viewer, [found])[found.pk]), "position": 0}


def _named(viewer: Viewer, item: dict[str, Any]) -> Any:
    kind, full = item.get("type", "model"), item.get("id", "")
    if kind not in ("model", "dataset") or not isinstance(full, str):
        raise BadRequest("item: only models and data sets are gathered here, by their ids.")
    return find_repo(viewer, RepoName.parse(kind, full))


def listing(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/collections`."""
    found = collections.visible(viewer)
    if owners := request.GET.getlist("owner"):
        found = found.filter(namespace__key__in=[name.lower() for name in owners])
    for text in request.GET.getlist("item"):
        kind, _, full = text.partition("/")
        found = found.filter(items__repo__type=kind.removesuffix("s"), items__repo__key=full.lower())
    limit, start = page_limit(request, 20, 100), whole_number(request.GET.get("skip", "")) or 0
    rows = list(found[start : start + limit + 1])
    items = collections.items_of(viewer, rows[:limit])
    # The client counts the collections of a list itself and takes no second position.
    answer = json_answer([_shape(row, items[row.pk][:4]) for row in rows[:limit]])
    if len(rows) > limit:
        answer["Link"] = next_link(request, skip=str(start + limit))
    return answer


def create(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/collections`; where one of that title is there, 409 names it."""
    body = checked(CollectionBody, json_body(request))
    first = _named(viewer, body["item"]) if "item" in body else None
    try:
        made = collections.create(
            viewer, namespace=body["namespace"], title=body["title"], description=body.get("description") or "",
            private=body["private"],
        )  # fmt: skip
    except NameTaken as error:
        return json_answer({"error": str(error), "slug": error.full_name}, status=409)
    if first is not None:
        collections.add(viewer, made, first)
    return json_answer(_one(viewer, made))


def show(request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str) -> HttpResponse:
    """`GET /api/collections/{slug}`."""
    return json_answer(_one(viewer, collections.find(viewer, tail)))


def change(request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str) -> HttpResponse:
    """`PATCH /api/collections/{slug}`."""
    body = checked(ChangesBody, json_body(request))
    found = collections.update(viewer, collections.find(viewer, tail), **body)
    return json_answer({"success": True, "data": _one(viewer, found)})


def delete(request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str) -> HttpResponse:
    """`DELETE /api/collections/{slug}`."""
    collections.delete(viewer, collections.find(viewer, tail))
    return json_answer({"success": True})


def add_item(request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str) -> HttpResponse:
    """`POST /api/collections/{slug}/items`."""
    body = checked(ItemBody, json_body(request))
    found = collections.find(viewer, tail)
    try:
        collections.add(viewer, found, _named(viewer, body["item"]), note=body.get("note") or "")
    except NameTaken as error:
        return json_answer({"error": str(error)}, status=409)
    return json_answer(_one(viewer, found))


def change_item(
    request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str, item: str
) -> HttpResponse:
    """`PATCH /api/collections/{slug}/items/{id}`."""
    body = checked(ItemChangesBody, json_body(request))
    collections.change_item(
        viewer, collections.find(viewer, tail), item, note=body.get("note"), position=body.get("position")
    )
    return json_answer({"success": True})


def remove_item(
    request: HttpRequest, viewer: Viewer, *, namespace: str, tail: str, item: str
) -> HttpResponse:
    """`DELETE /api/collections/{slug}/items/{id}`."""
    collections.remove(viewer, collections.find(viewer, tail), item)
    return json_answer({"success": True})
