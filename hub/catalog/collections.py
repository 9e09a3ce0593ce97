"""Collections: lists of repos with a note on each, kept by a user or an organization."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.accounts.people import find_namespace
from hub.catalog import access
from hub.catalog.errors import BadRequest, EntryNotFound, NameTaken, NotAllowed, TooLarge
from hub.catalog.models import Collection, CollectionItem, Repo

MAX_TITLE, MAX_DESCRIPTION, MAX_NOTE, MAX_ITEMS = 60, 150, 500, 1000
THEMES = ("orange", "blue", "green", "purple", "pink", "indigo")


def slug_of(collection: Collection) -> str:
    """Return ``namespace/words-of-the-title-id``.  Only the id counts when it is read back."""
    plain = unicodedata.normalize("NFKD", collection.title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    tail = f"{words}-{collection.pk.hex}" if words else collection.pk.hex
    return f"{collection.namespace.name}/{tail}"


def may_change(viewer: Viewer, collection: Collection) -> bool:
    """May the viewer change a collection?  Whoever may make repos beside it may."""
    return access.may_create_in(viewer, collection.namespace)


def visible(viewer: Viewer) -> QuerySet[Collection]:
    """Return the collections that the viewer may know of, newest first."""
    found = Collection.objects.select_related("namespace__user", "namespace__organization").order_by(
        "-updated_at", "pk"
    )
    access.require_welcome(viewer)
    if viewer.is_staff:
        return found
    if viewer.user is None or viewer.is_narrowed:
        return found.filter(private=False)
    mine = Q(namespace__user=viewer.user) | Q(namespace__organization__members=viewer.user)
    return found.filter(Q(private=False) | mine).distinct()


def find(viewer: Viewer, tail: str) -> Collection:
    """Return the collection whose slug ends like this; raises EntryNotFound."""
    digits = tail.rpartition("-")[2]
    try:
        found = visible(viewer).filter(pk=UUID(hex=digits)).first()
    except ValueError:
        found = None
    if found is None:
        raise EntryNotFound("There is no such collection, or it is private.")
    return found


def items_of(viewer: Viewer, collections: Sequence[Collection]) -> dict[UUID, list[CollectionItem]]:
    """Return the items of collections, without repos that the viewer may not know of."""
    rows = CollectionItem.objects.filter(
        collection__in=[item.pk for item in collections], repo__in=access.visible_repos(viewer)
    ).select_related("repo__namespace", "repo__text")
    found: dict[UUID, list[CollectionItem]] = {item.pk: [] for item in collections}
    for row in rows.defer("repo__text__vector").order_by("position", "pk"):
        found[row.collection_id].append(row)
    return found


def _require_change(viewer: Viewer, collection: Collection) -> None:
    access.require_person(viewer, "change a collection")
    if not may_change(viewer, collection):
        raise NotAllowed("You may not change this collection.")


def _checked(**values: Any) -> dict[str, Any]:
    bounds = {"title": MAX_TITLE, "description": MAX_DESCRIPTION, "note": MAX_NOTE}
    for key, value in values.items():
        if key in bounds and len(value) > bounds[key]:
            raise BadRequest(f"{key} may have {bounds[key]} characters.")
    if values.get("title") == "":
        raise BadRequest("title must not be empty.")
    if "theme" in values and values["theme"] not in THEMES:
        raise BadRequest(f"theme must be one of {', '.join(THEMES)}.")
    return values


def create(
    viewer: Viewer, *, namespace: str, title: str, description: str = "", private: bool = False
) -> Collection:
    """Make a collection; raises BadRequest, NameTaken (with the slug of the one that is there) or NotAllowed."""
    access.require_person(viewer, "make a collection")
    space = find_namespace(namespace)
    if space is None or not access.may_create_in(viewer, space):
        raise NotAllowed(f"You may not make collections in {namespace[:100]!r}.")
    values = _checked(title=title.strip(), description=description.strip(), private=private)
    with transaction.atomic():
        # Two who send the same form make one collection.
        Namespace.objects.select_for_update(no_key=True).get(pk=space.pk)
        known = Collection.objects.filter(namespace=space, title__iexact=values["title"]).first()
        if known is not None:
            raise NameTaken(f"There is a collection called {known.title!r} already.", slug_of(known))
        return Collection.objects.create(namespace=space, **values)


def update(viewer: Viewer, collection: Collection, **values: Any) -> Collection:
    """Change title, description, visibility or theme."""
    _require_change(viewer, collection)
    changes = {key: value.strip() if isinstance(value, str) else value for key, value in values.items()}
    for key, value in _checked(**changes).items():
        setattr(collection, key, value)
    collection.updated_at = timezone.now()
    collection.save(update_fields=[*changes, "updated_at"])
    return collection


def delete(viewer: Viewer, collection: Collection) -> None:
    """Delete a collection; the repos stay."""
    _require_change(viewer, collection)
    collection.delete()


@transaction.atomic
def add(viewer: Viewer, collection: Collection, repo: Repo, *, note: str = "") -> CollectionItem:
    """Put a repo at the end of a collection; raises NameTaken where it is in it already."""
    _require_change(viewer, collection)
    access.require_read(viewer, repo)
    values = _checked(note=note.strip())
    Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
    if collection.items.count() >= MAX_ITEMS:
        raise TooLarge(f"A collection holds at most {MAX_ITEMS} repositories.")
    last = collection.items.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    try:
        with transaction.atomic():
            item = CollectionItem.objects.create(
                collection=collection, repo=repo, position=position, **values
            )
    except IntegrityError:
        raise NameTaken(f"{repo.full_name} is in this collection already.") from None
    _touch(collection)
    return item


def item_in(viewer: Viewer, collection: Collection, item_id: str) -> CollectionItem:
    """Return an item of a collection that the viewer may change; raises EntryNotFound."""
    _require_change(viewer, collection)
    number = int(item_id) if item_id.isascii() and item_id.isdigit() and len(item_id) < 18 else 0
    item = collection.items.filter(pk=number).first()
    if item is None:
        raise EntryNotFound("This is not in the collection.")
    return item


@transaction.atomic
def change_item(
    viewer: Viewer,
    collection: Collection,
    item_id: str,
    *,
    note: str | None = None,
    position: int | None = None,
) -> None:
    """Change the note of an item, or put it at another place, counted from 0."""
    item = item_in(viewer, collection, item_id)
    if note is not None:
        item.note = _checked(note=note.strip())["note"]
        item.save(update_fields=["note"])
    if position is not None:
        order = [row for row in collection.items.select_for_update() if row.pk != item.pk]
        order.insert(max(0, position), item)
        for place, row in enumerate(order):
            row.position = place
        CollectionItem.objects.bulk_update(order, ["position"])
    _touch(collection)


def remove(viewer: Viewer, collection: Collection, item_id: str) -> None:
    """Take an item out."""
    item_in(viewer, collection, item_id).delete()
    _touch(collection)


def _touch(collection: Collection) -> None:
    Collection.objects.filter(pk=collection.pk).update(updated_at=timezone.now())
