"""Brings the shipped catalogue into the rows, as often as one likes, and leaves alone what people here have written.

A field of a licence that is named in its `edited`, a term and an upstream model marked `edited` stay as they are; a
term remembers beside that what the shipped reading states now.  Rows of licences that no longer ship stay as well.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from licenses.models import Alias, Document, License, Term, Threshold, UpstreamModel
from licenses.terms import Reading
from licenses.terms import Term as ReadTerm
from licenses.upstream import Upstream
from licenses.words import split_words

FIELDS = (
    "name", "family", "category", "confidence", "spdx", "steward", "version", "url", "osi", "osaid", "contact",
    "source", "flags", "display", "display_on", "name_prefix", "notice", "geography_scope", "adapters",
)  # fmt: skip
TERM_FIELDS = ("value", "note", "items", "passage")
THRESHOLD_FIELDS = ("metric", "value", "currency", "window", "scope", "effect")
_LOCK = 0x6C6963


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows a load made, changed, and left alone because a person wrote them."""

    made: int
    changed: int
    kept: int


@transaction.atomic
def load_catalogue(readings: Mapping[str, Reading]) -> Loaded:
    """Bring the licences with their terms, thresholds and aliases up to these readings."""
    _alone()
    licenses = {row.slug: row for row in License.objects.select_for_update()}
    made = [
        License(slug=one.id, shipped=True, **_fields(one))
        for one in readings.values()
        if one.id not in licenses
    ]
    changed = [row for row in licenses.values() if _take(row, readings.get(row.slug))]
    License.objects.bulk_create(made)
    License.objects.bulk_update(changed, [*FIELDS, "shipped", "updated_at"], batch_size=200)
    rows = License.objects.in_bulk(list(readings), field_name="slug")
    terms = _load_terms(rows, readings)
    _load_parts(rows, readings)
    kept = sum(bool(row.edited) for row in rows.values()) + terms.kept
    return Loaded(len(made) + terms.made, len(changed) + terms.changed, kept)


@transaction.atomic
def load_texts(texts: Mapping[str, str], readings: Mapping[str, Reading], *, source: str) -> int:
    """Keep the canonical texts that the readings name; return how many are new."""
    _alone()
    rows = License.objects.in_bulk(list(readings), field_name="slug")
    there = set(Document.objects.values_list("license_id", "sha256"))
    new = [
        _document(
            rows[one.id], document.kind, document.version, texts[document.key], f"{source}: {document.key}"
        )
        for one in readings.values()
        for document in one.documents
        if document.key in texts
    ]
    new = [row for row in new if (row.license_id, row.sha256) not in there]
    Document.objects.bulk_create(new)
    return len(new)


@transaction.atomic
def load_upstream(entries: Iterable[Upstream]) -> Loaded:
    """Bring the models elsewhere up to these entries; shipped ones that are gone go, unless a person changed them."""
    _alone()
    slugs = dict(License.objects.values_list("slug", "pk"))
    there = {row.pattern: row for row in UpstreamModel.objects.select_for_update()}
    wanted = {entry.pattern: entry for entry in entries}
    made, changed = [], []
    for entry in wanted.values():
        fields = {
            "license_id": slugs[entry.license],
            "modality": entry.modality,
            "evidence": entry.evidence,
            "confidence": str(entry.confidence),
        }
        row = there.get(entry.pattern)
        if row is None:
            made.append(UpstreamModel(pattern=entry.pattern, shipped=True, **fields))
        elif not row.edited and _set(row, fields):
            changed.append(row)
    UpstreamModel.objects.bulk_create(made)
    UpstreamModel.objects.bulk_update(changed, ["license", "modality", "evidence", "confidence"])
    UpstreamModel.objects.filter(shipped=True, edited=False).exclude(pattern__in=wanted).delete()
    return Loaded(len(made), len(changed), sum(row.edited for row in there.values()))


def _alone() -> None:
    """Wait for any other load: two starting processes bring the same rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _fields(reading: Reading) -> dict[str, Any]:
    values = {name: getattr(reading, name) for name in FIELDS}
    return {name: list(value) if isinstance(value, tuple) else str(value) for name, value in values.items()}


def _take(row: License, reading: Reading | None) -> bool:
    """Write a reading's fields into a row, except what a person wrote; say whether anything changed."""
    fields: dict[str, Any] = {"shipped": reading is not None}
    if reading is not None:
        fields |= {name: value for name, value in _fields(reading).items() if name not in row.edited}
    return _set(row, fields)


def _set(row: Any, fields: Mapping[str, Any]) -> bool:
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _load_terms(rows: Mapping[str, License], readings: Mapping[str, Reading]) -> Loaded:
    there = {(row.license_id, row.key): row for row in Term.objects.select_for_update()}
    made, changed, wanted = [], [], set()
    for slug, reading in readings.items():
        for key, term in reading.terms.items():
            stated = _stated(term)
            place = (rows[slug].pk, key)
            wanted.add(place)
            row = there.get(place)
            if row is None:
                made.append(Term(license=rows[slug], key=key, stated=stated, **stated))
            elif _set(row, {"stated": stated} | ({} if row.edited else stated)):
                changed.append(row)
    Term.objects.bulk_create(made, batch_size=1000)
    Term.objects.bulk_update(changed, [*TERM_FIELDS, "stated"], batch_size=500)
    shipped = {row.pk for row in rows.values()}
    gone = [
        row
        for place, row in there.items()
        if place not in wanted and place[0] in shipped and row.stated is not None and not row.edited
    ]
    Term.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return Loaded(len(made), len(changed) + len(gone), sum(row.edited for row in there.values()))


def _stated(term: ReadTerm) -> dict[str, Any]:
    return {
        "value": str(term.value), "note": term.note, "items": list(term.items), "passage": term.passage
    }  # fmt: skip


def _load_parts(rows: Mapping[str, License], readings: Mapping[str, Reading]) -> None:
    """Write thresholds and aliases anew where they differ and no person has written them."""
    thresholds: dict[int, list[tuple[Any, ...]]] = {}
    for pk, *values in Threshold.objects.order_by("pk").values_list("license_id", *THRESHOLD_FIELDS):
        thresholds.setdefault(pk, []).append(tuple(values))
    aliases: dict[int, set[str]] = {}
    for pk, name in Alias.objects.values_list("license_id", "name"):
        aliases.setdefault(pk, set()).add(name)
    for slug, reading in readings.items():
        row = rows[slug]
        wanted = [tuple(getattr(one, name) for name in THRESHOLD_FIELDS) for one in reading.thresholds]
        if "thresholds" not in row.edited and thresholds.get(row.pk, []) != wanted:
            write_thresholds(row, wanted)
        if "aliases" not in row.edited and aliases.get(row.pk, set()) != set(reading.aliases):
            write_aliases(row, reading.aliases)


def write_thresholds(row: License, values: Iterable[tuple[Any, ...]]) -> None:
    """Replace a licence's thresholds, each given in the order of `THRESHOLD_FIELDS`."""
    row.thresholds.all().delete()
    Threshold.objects.bulk_create(
        Threshold(license=row, **dict(zip(THRESHOLD_FIELDS, one, strict=True))) for one in values
    )


def write_aliases(row: License, names: Iterable[str]) -> None:
    """Replace a licence's other names."""
    row.aliases.all().delete()
    Alias.objects.bulk_create(Alias(license=row, name=name) for name in dict.fromkeys(names))


def _document(row: License, kind: str, version: str, text: str, source: str) -> Document:
    return Document(
        license=row,
        kind=kind,
        version=version,
        text=text,
        source=source,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        normalized_sha256=split_words(text).sha256,
    )
