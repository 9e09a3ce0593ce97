"""Adding to the chain.

An entry belongs to the transaction of the act that it tells of: both stand, or neither does.  Its place in the chain is
given by the database at the commit, under a lock that is held no longer than the commit takes; so an entry may be
written at any point of a transaction, and transactions that also lock rows cannot block each other by it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction

from hub.audit.canonical import content_digest, personal_digest
from hub.audit.models import Entry, Personal

# JSON without fractions: None, bool, int, str, and lists and objects of these.
Json = Any
_LONG = 200


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by number (the name is kept beside the chain), a policy by slug, or a part of the hub."""

    kind: str
    key: str
    person: int | None = None
    name: str = ""


def person(user: AbstractBaseUser) -> Actor:
    """Return the actor for a user."""
    return Actor(Entry.ActorKind.PERSON, str(user.pk), user.pk, user.get_username())


def policy(slug: str) -> Actor:
    """Return the actor for a policy that settled something by itself."""
    return Actor(Entry.ActorKind.POLICY, slug)


def system(part: str) -> Actor:
    """Return the actor for what the hub does of itself, such as ``expiry``."""
    return Actor(Entry.ActorKind.SYSTEM, part)


def append(
    *,
    act: str,
    actor: Actor,
    role: str = "",
    subject: str = "",
    label: str = "",
    data: Mapping[str, Json] | None = None,
    personal: Mapping[str, Json] | None = None,
    about: Mapping[int, Mapping[str, Json]] | None = None,
) -> Entry:
    """Add an entry, in the caller's transaction; see `hub.audit.acts` for what each act says.

    ``personal`` holds what tells of the actor (address, user agent, private note; the name is added), ``about`` the
    same of other users by their number.  Neither belongs into ``data`` or ``label``, which cannot be erased.  Raises
    TypeError for what is no plain JSON.
    """
    of_actor = {**({"name": actor.name} if actor.name else {}), **(personal or {})}
    told: list[tuple[int | None, Mapping[str, Json]]] = [(actor.person, of_actor)] if of_actor else []
    told += list((about or {}).items())
    details = [_detail(who, words) for who, words in told]
    entry = Entry(
        act=act, actor_kind=actor.kind, actor=actor.key, role=role, subject=subject, label=label[:_LONG],
        data=dict(data or {}),
        personal=sorted(personal_digest(detail.salt, detail.data) for detail in details),
    )  # fmt: skip
    entry.content = content_digest(vars(entry))
    with transaction.atomic(savepoint=False):
        entry.save(force_insert=True)
        for detail in details:
            detail.entry = entry
        Personal.objects.bulk_create(details)
    return entry


def _detail(who: int | None, words: Mapping[str, Json]) -> Personal:
    return Personal(person=who, salt=secrets.token_hex(16), data=dict(words))


def settle() -> None:
    """Give the entries of this transaction their places now, not at its end; the chain's lock is held from here on."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS audit_sealed IMMEDIATE")
        cursor.execute("SET CONSTRAINTS audit_sealed DEFERRED")
