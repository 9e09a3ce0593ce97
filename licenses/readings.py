"""Reads: the catalogue as it stands here, as the values that the pure rooms compare."""

from collections.abc import Iterable, Mapping

from django.db.models import Count, Max

from licenses.detect import Corpus
from licenses.matches import Canonical
from licenses.models import Document, License, Term, UpstreamModel
from licenses.terms import Confidence, Reading, Threshold, Value
from licenses.terms import Term as ReadTerm
from licenses.upstream import Upstream, UpstreamIndex


def all_readings() -> Mapping[str, Reading]:
    """Return every licence by its id, with the edits made here."""
    return readings_of(License.objects.order_by("slug"))


def readings_of(licenses: Iterable[License]) -> Mapping[str, Reading]:
    """Return these licences as readings, by id."""
    rows = list(licenses)
    terms: dict[int, dict[str, ReadTerm]] = {row.pk: {} for row in rows}
    for term in Term.objects.filter(license__in=terms):
        terms[term.license_id][term.key] = _term(term)
    return {row.slug: _reading(row, terms[row.pk]) for row in _with_parts(rows)}


def corpus() -> Corpus:
    """Return the index of all texts known here; it takes about a second to build, so keep it."""
    rows = Document.objects.select_related("license").order_by("license__slug", "pk")
    return Corpus(Canonical(row.license.slug, row.kind, row.version, row.text) for row in rows)


def edition() -> str:
    """Return a word that changes when texts, readings or models elsewhere were added or written anew."""
    texts = Document.objects.aggregate(count=Count("pk"), last=Max("pk"))
    licenses = License.objects.aggregate(count=Count("pk"), last=Max("updated_at"))
    models = UpstreamModel.objects.aggregate(count=Count("pk"), last=Max("pk"))
    return ":".join(str(part) for told in (texts, licenses, models) for part in told.values())


def upstream_index() -> UpstreamIndex:
    """Return what is known of models elsewhere."""
    rows = UpstreamModel.objects.select_related("license")
    return UpstreamIndex(
        Upstream(row.pattern, row.license.slug, row.evidence, Confidence(row.confidence), row.modality)
        for row in rows
    )


def _with_parts(rows: list[License]) -> Iterable[License]:
    return License.objects.filter(pk__in=[row.pk for row in rows]).prefetch_related("thresholds", "aliases")


def _term(row: Term) -> ReadTerm:
    return ReadTerm(
        key=row.key,
        value=Value(row.value),
        note=row.note,
        items=tuple(row.items),
        passage=row.passage,
        confirmed=row.verified_at is not None,
    )


def _reading(row: License, terms: Mapping[str, ReadTerm]) -> Reading:
    thresholds = sorted(row.thresholds.all(), key=lambda one: one.pk)
    return Reading(
        id=row.slug,
        name=row.name,
        category=row.category,
        confidence=Confidence(row.confidence),
        family=row.family,
        spdx=row.spdx,
        steward=row.steward,
        version=row.version,
        url=row.url,
        osi=Value(row.osi),
        osaid=row.osaid,
        contact=row.contact,
        aliases=tuple(sorted(alias.name for alias in row.aliases.all())),
        flags=tuple(row.flags),
        source=row.source,
        display=tuple(row.display),
        display_on=row.display_on,
        name_prefix=row.name_prefix,
        notice=row.notice,
        geography_scope=row.geography_scope,
        adapters=row.adapters,
        thresholds=tuple(
            Threshold(one.metric, one.value, one.effect, one.currency, one.window, one.scope)
            for one in thresholds
        ),
        terms=terms,
    )
