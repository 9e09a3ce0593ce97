"""What people agree to: exact documents of one subject, kept for ever, counted while they stand.

A *document* is a JSON object with ``license``, ``kind``, ``version``, ``sha256``, ``title`` and ``source``.  The key of
a subject's documents names exactly these texts; consent to others never covers them.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet

from licenses.errors import NeedsReason, NotYours, StaleTerms, UseRefused
from licenses.findings import Severity
from licenses.lineage import Lineage
from licenses.models import Acceptance, Case, License
from licenses.records import Json, lineage_from_json
from licenses.uses import Requester, check_use

Method = Acceptance.Method
_NAMED = ("license", "kind", "version", "sha256")


@dataclass(frozen=True, slots=True)
class Person:
    """Who accepts, from where, and what they say of themselves; ``organization`` where they speak for one."""

    user: AbstractBaseUser
    method: str
    organization: str = ""
    country: str = ""
    address: str | None = None
    user_agent: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def required(case: Case) -> Sequence[Json]:
    """Return the documents that a case asks people to accept, in the order in which they are shown."""
    return list(case.consent)


def key_of(subject: str, documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of what is to be accepted: '' where that is nothing."""
    named = sorted([str(one.get(name, "")) for name in _NAMED] for one in documents)
    return hashlib.sha256(json.dumps([subject, named]).encode()).hexdigest() if named else ""


def shown_of(documents: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> str:
    """Return the digest of the terms as a person sees them: the documents in order, and what is asked besides."""
    told = json.dumps([[dict(one) for one in documents], [dict(one) for one in asked]], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


@transaction.atomic
def accept(
    *, case: Case, person: Person, key: str, shown: str, asked: Sequence[Mapping[str, Any]], now: datetime,
    expires_at: datetime | None = None,
) -> Acceptance:  # fmt: skip
    """Keep a person's yes to exactly what they were shown; earlier ones for the subject are superseded.

    Raises StaleTerms where the terms are others by now, UseRefused where the license excludes the country.
    """
    row = Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    documents = required(row)
    if (
        not row.current
        or not key
        or key != key_of(row.subject, documents)
        or shown != shown_of(documents, asked)
    ):
        raise StaleTerms("These are not the terms that apply now. Read them again, then accept.")
    refuse_excluded(lineage_from_json(row.lineage), person.country)
    made = Acceptance.objects.create(
        user_id=person.user.pk, organization=person.organization, subject=row.subject, label=row.label,
        commit=row.commit, key=key, documents=documents, shown_sha256=shown, fields=dict(person.fields),
        country=person.country, method=person.method, address=person.address, user_agent=person.user_agent[:300],
        at=now, expires_at=expires_at,
    )  # fmt: skip
    made.licenses.set(
        License.objects.filter(slug__in=[one["license"] for one in documents if one["license"]])
    )
    supersede(made)
    return made


def accept_for_organization(
    *, case: Case, person: Person, officer: str, key: str, shown: str, asked: Sequence[Mapping[str, Any]],
    now: datetime, expires_at: datetime | None = None,
) -> Acceptance:  # fmt: skip
    """The same in an organization's name, by someone who says in which office they may bind it."""
    if not person.organization or not officer.strip():
        raise NeedsReason("Name the organization, and the office in which you may accept for it.")
    told = Person(
        person.user, person.method, person.organization, person.country, person.address, person.user_agent,
        {**person.fields, "officer": officer.strip()[:200]},
    )  # fmt: skip
    return accept(case=case, person=told, key=key, shown=shown, asked=asked, now=now, expires_at=expires_at)


def refuse_excluded(lineage: Lineage, country: str) -> None:
    """Raise UseRefused where a binding license excludes a country, or would have to know it."""
    found = check_use(lineage, Requester(country=country))
    if stops := [one for one in found if one.severity is Severity.BLOCK]:
        raise UseRefused(f"{stops[0].message} {stops[0].clear}", stops)


def asks_country(lineage: Lineage) -> bool:
    """Say whether a person's country decides, so that it has to be asked."""
    return any(not one.scope or not one.modality or one.modality == one.scope for one in lineage.geography)


def supersede(by: Acceptance) -> int:
    """Mark what the same person, or organization, accepted before for the subject as replaced by this one."""
    mine = Q(organization=by.organization) if by.organization else Q(user=by.user_id, organization="")
    earlier = Acceptance.objects.filter(mine, subject=by.subject, superseded_by=None, withdrawn_at=None)
    return earlier.exclude(pk=by.pk).update(superseded_by=by)


@transaction.atomic
def withdraw(*, acceptance: Acceptance, by: AbstractBaseUser, may: bool, now: datetime) -> Acceptance:
    """Take a yes back; the record stays.  ``may`` says whether the caller speaks for whoever gave it."""
    row = Acceptance.objects.select_for_update().get(pk=acceptance.pk)
    if not may:
        raise NotYours("Only who accepted, or who speaks for the organization, can take it back.")
    if row.withdrawn_at is None:
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
    return row


def standing(now: datetime) -> QuerySet[Acceptance]:
    """Return every acceptance that counts now."""
    lasting = Q(expires_at=None) | Q(expires_at__gt=now)
    return Acceptance.objects.filter(lasting, withdrawn_at=None, superseded_by=None)


def valid(
    *, user_id: int | None, subjects: Collection[str], key: str, organizations: Any, now: datetime
) -> Acceptance | None:
    """Return the acceptance on which a user may have a subject whose documents have this key, or None.

    ``organizations`` are the names of those that the user belongs to, as a collection or a query.
    """
    if user_id is None or not key:
        return None
    own = Q(user=user_id, organization="")
    shared = ~Q(organization="") & Q(organization__in=organizations)
    found = standing(now).filter(own | shared, subject__in=subjects, key=key)
    return found.order_by("-at").first()
