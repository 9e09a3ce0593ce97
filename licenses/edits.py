"""What people change in the catalogue: verbs with named arguments.  Each change is marked and survives upgrades."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from licenses.loader import FIELDS, THRESHOLD_FIELDS, write_aliases, write_thresholds
from licenses.models import Document, License, Term, UpstreamModel
from licenses.terms import CATEGORIES, DOCUMENT_KINDS, TERMS, Confidence, Threshold, Value
from licenses.words import Unreadable, split_words

_SLUG = re.compile(r"[a-z0-9][a-z0-9.+-]{0,98}[a-z0-9+]")


class BadEdit(ValueError):
    """A change that cannot be kept; the message names the field and the way out."""


@transaction.atomic
def edit_license(*, of: License, changes: Mapping[str, Any]) -> License:
    """Change fields of a licence; raises BadEdit for a field that is none."""
    if odd := set(changes) - set(FIELDS):
        raise BadEdit(f"{', '.join(sorted(odd))} is no field of a licence.")
    row = License.objects.select_for_update().get(pk=of.pk)
    for name, value in changes.items():
        setattr(row, name, value)
    _mark(row, changes)
    row.full_clean(exclude=["flags", "display", "edited"])
    row.save()
    return row


@transaction.atomic
def add_license(
    *, slug: str, name: str, category: str, steward: str = "", version: str = "", url: str = ""
) -> License:
    """Take a licence into the catalogue that does not ship; raises BadEdit.  Its terms are unknown until answered."""
    if not _SLUG.fullmatch(slug):
        raise BadEdit(
            "id: a licence is called by lower-case letters, digits, dots and dashes, such as quay-1.0."
        )
    if not name.strip():
        raise BadEdit("name: the licence needs a name for people.")
    if category not in CATEGORIES:
        raise BadEdit(f"category is {category!r}, but must be one of {', '.join(CATEGORIES)}.")
    row, made = License.objects.get_or_create(
        slug=slug,
        defaults={
            "name": name.strip(), "family": slug[:60], "category": category, "confidence": str(Confidence.HIGH),
            "steward": steward, "version": version[:100], "url": url, "source": "read here", "edited": sorted(FIELDS),
        },
    )  # fmt: skip
    if not made:
        raise BadEdit(f"id: {slug} is in the catalogue already, as {row.name}.")
    return row


@transaction.atomic
def edit_term(
    *,
    of: License,
    key: str,
    value: Value,
    note: str,
    passage: str,
    by: AbstractBaseUser,
    at: datetime,
) -> Term:
    """Answer a term after reading the text: it counts from now on, whatever the shipped reading's confidence."""
    if key not in TERMS:
        raise BadEdit(f"{key!r} is no term; the terms are {', '.join(TERMS)}.")
    License.objects.select_for_update().get(pk=of.pk)
    row, _ = Term.objects.update_or_create(
        license=of,
        key=key,
        defaults={
            "value": str(value),
            "note": note,
            "passage": passage,
            "edited": True,
            "verified_by_id": by.pk,
            "verified_at": at,
        },
    )
    return row


@transaction.atomic
def take_back_term(*, term: Term) -> None:
    """Return a term to what the shipped reading states; one that does not ship goes."""
    row = Term.objects.select_for_update().get(pk=term.pk)
    if row.stated is None:
        row.delete()
        return
    for name, value in row.stated.items():
        setattr(row, name, value)
    row.edited, row.verified_by, row.verified_at = False, None, None
    row.save()


@transaction.atomic
def set_thresholds(*, of: License, thresholds: Sequence[Threshold]) -> None:
    """Replace a licence's thresholds by what a person read."""
    row = License.objects.select_for_update().get(pk=of.pk)
    write_thresholds(row, [tuple(getattr(one, name) for name in THRESHOLD_FIELDS) for one in thresholds])
    _mark(row, ["thresholds"])
    row.save()


@transaction.atomic
def set_aliases(*, of: License, names: Sequence[str]) -> None:
    """Replace the other names of a licence."""
    row = License.objects.select_for_update().get(pk=of.pk)
    write_aliases(row, names)
    _mark(row, ["aliases"])
    row.save()


@transaction.atomic
def confirm_text(
    *, of: License, kind: str, version: str, text: str, source: str, by: AbstractBaseUser, at: datetime
) -> Document:
    """Keep a text that came with an upload as canonical, on a person's word; raises BadEdit.

    The same bytes are kept once per licence; confirming them again changes nothing.
    """
    if kind not in DOCUMENT_KINDS:
        raise BadEdit(f"kind is {kind!r}, but must be one of {', '.join(DOCUMENT_KINDS)}.")
    try:
        words = split_words(text)
    except Unreadable as error:
        raise BadEdit(str(error)) from error
    if not words.words:
        raise BadEdit("The text has no words; a canonical text must have some.")
    License.objects.select_for_update().get(pk=of.pk)
    row, _ = Document.objects.get_or_create(
        license=of,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        defaults={
            "kind": kind,
            "version": version,
            "text": text,
            "normalized_sha256": words.sha256,
            "source": source,
            "confirmed_by_id": by.pk,
            "confirmed_at": at,
        },
    )
    return row


def record_upstream(
    *,
    pattern: str,
    of: License,
    evidence: str,
    confidence: Confidence,
    modality: str = "",
) -> UpstreamModel:
    """Note once, for all descendants, what terms a model elsewhere is under; raises BadEdit."""
    if pattern.count("/") != 1 or pattern.startswith("*"):
        raise BadEdit("The pattern must be namespace/name, where only the name may hold *.")
    if not evidence.strip():
        raise BadEdit("The evidence is missing; say where the terms were read.")
    row, _ = UpstreamModel.objects.update_or_create(
        pattern=pattern,
        defaults={
            "license": of,
            "evidence": evidence,
            "confidence": str(confidence),
            "modality": modality,
            "edited": True,
        },
    )
    return row


def _mark(row: License, names: Iterable[str]) -> None:
    row.edited = sorted({*row.edited, *names})
