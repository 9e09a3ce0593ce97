"""What a reviewer has in front of them: findings, terms, duties, the line of descent, and what is still open.

Everything here is read; deciding is `hub.catalog.reviewing`'s.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.catalog.desktexts import Comparison, Text, readable
from hub.catalog.lineage import private_names, without
from hub.catalog.models import Repo
from licenses.aligned import Kind
from licenses.cards import columns
from licenses.checklists import Item, List, Open, checklists, list_for, open_items
from licenses.errors import NeedsReason
from licenses.findings import Finding
from licenses.hints import touched
from licenses.models import Case, License, Term
from licenses.proofs import Proved, prove
from licenses.readings import readings_of
from licenses.records import findings_from_json, lineage_from_json
from licenses.requests import cite, compose
from licenses.reviews import Answer
from licenses.shown import shown
from licenses.terms import LIMITS, PERMISSIONS, TERMS, Confidence, Reading, Value

UNKNOWN = "unknown"
MAX_CARDS = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """A finding with the key under which it is answered, and what it rests on."""

    key: str
    finding: Finding
    cites: str

    @property
    def answer_name(self) -> str:
        return f"finding:{self.key}"


@dataclass(frozen=True, slots=True)
class TermCard:
    """One term of one licence: what counts, what is stated, on which words, and who has verified it when.

    ``marks`` are the letters of added words that may bear on it; ``is_lit``: its passage stands in the text shown.
    """

    key: str
    license: str
    name: str
    term: str
    says: str
    value: str
    stated: str
    note: str
    passage: str
    is_lit: bool
    is_open: bool
    verified_by: str
    verified_at: datetime | None
    marks: tuple[str, ...] = ()

    @property
    def answer_name(self) -> str:
        return f"term:{self.key}"

    @property
    def forbids(self) -> bool:
        """True for a permission that is not given; that there is no limit is no bad news."""
        return self.value == Value.NO and self.term in PERMISSIONS


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that is read before a decision; ``license_ids`` bind the model's use."""

    case: Case
    license_ids: tuple[str, ...]
    readings: Mapping[str, Reading]
    findings: tuple[Asked, ...]
    cards: tuple[TermCard, ...]
    duties: tuple[Proved, ...]
    checklist: List
    items: Sequence[Item]

    @property
    def asked_cards(self) -> list[TermCard]:
        """The cards that want to be looked at: what nobody has read, and what added words may bear on."""
        return [card for card in self.cards if card.is_open or card.marks]

    @property
    def plain_cards(self) -> list[TermCard]:
        return [card for card in self.cards if not (card.is_open or card.marks)]

    @property
    def unknown_terms(self) -> Mapping[str, str]:
        return {card.key: f"{card.says} ({card.name})" for card in self.cards if card.is_open}

    @property
    def holding(self) -> Mapping[str, str]:
        return {one.key: one.finding.message for one in self.findings if one.finding.holds}

    @property
    def is_uncertain(self) -> tuple[str, ...]:
        """Names of the licences of which only a reading of low confidence exists, or none."""
        return tuple(
            self.readings[one].name if one in self.readings else one
            for one in self.license_ids
            if one not in self.readings or self.readings[one].confidence is Confidence.LOW
        )

    def still_open(self, answers: Mapping[str, str], *, explained: bool) -> tuple[Open, ...]:
        """Return what these answers leave open; nothing is released before it is empty."""
        return open_items(
            findings=self.holding, unknown_terms=self.unknown_terms, items=self.items, answers=answers,
            explained=explained,
        )  # fmt: skip

    def request(self) -> str:
        """Return the message that asks for changes, to be read and changed before it is sent."""
        text = compose(self.case.label, [one.finding for one in self.findings], self.readings)
        # It is sent as a public note, and a reviewer reads names that others do not.
        names = [one for one in private_names(self.case.lineage) if one != self.case.label]
        return without(text, names, "a repository that is not public")


def desk_of(case: Case, repo: Repo, texts: Sequence[Text], comparison: Comparison | None = None) -> Desk:
    """Put together what a reviewer reads of a case."""
    lineage = lineage_from_json(case.lineage)
    ids = tuple(dict.fromkeys([*case.licenses, *lineage.use_licenses]))
    cited = [part.strip() for one in case.findings for part in str(one.get("license", "")).split(",")]
    wanted = {*ids, *filter(None, cited)}
    readings = readings_of(License.objects.filter(slug__in=wanted).order_by("slug"))
    findings = findings_from_json(case.findings)
    bound = [readings.get(one) for one in ids]
    checklist = list_for(bound, first_seen=case.first_seen)
    proved = prove(
        lineage.duties, name=repo.full_name, files=readable(texts),
        texts={one.path: one.detection.licenses for one in texts if one.detection}, findings=findings,
        readings=readings,
    )  # fmt: skip
    return Desk(
        case, ids, readings, tuple(Asked(finding_key(one), one, cite(one, readings)) for one in findings),
        tuple(_cards([one for one in bound if one], comparison))[:MAX_CARDS], tuple(proved), checklist,
        checklists()[checklist],
    )  # fmt: skip


def require_answered(case: Case, repo: Repo, answer: Answer) -> None:
    """Raise NeedsReason while anything that has to be answered before a release is not, in the answer's checklist."""
    answers = {key: value for key, value in answer.checklist.items() if isinstance(value, str)}
    left = desk_of(case, repo, ()).still_open(
        answers, explained=bool(answer.conditions or answer.note_public.strip())
    )
    if left:
        told = " ".join(f"[{one.kind}:{one.key}] {one.what}" for one in left[:5])
        more = f" And {len(left) - 5} more." if len(left) > 5 else ""
        raise NeedsReason(f"{len(left)} things need your answer in the checklist. {told}{more}")


def finding_key(finding: Finding) -> str:
    """Return the key under which a finding is answered: the same for the same finding in every scan."""
    # Keys were made when messages said "license"; answers that were given to them are found by the same key.
    message = finding.message.replace("licence", "license")
    told = f"{finding.code}\n{finding.license}\n{finding.term}\n{finding.subject}\n{message}"
    return f"{finding.code}.{hashlib.sha256(told.encode()).hexdigest()[:10]}"


def _cards(readings: Sequence[Reading], comparison: Comparison | None) -> Iterator[TermCard]:
    """Yield the cards, those that nobody has read first, then permissions, then limits that apply."""
    hints, lit = _hints(comparison), _lit(comparison)
    rows = {
        (row.license.slug, row.key): row
        for row in Term.objects.filter(license__slug__in=[one.id for one in readings]).select_related(
            "license", "verified_by"
        )
    }
    shown_license = comparison.document.license.slug if comparison and comparison.document else ""
    found = []
    for reading in readings:
        asked = {card.key for card in columns(reading).unknown}
        for place, term in enumerate([*PERMISSIONS, *LIMITS]):
            value = reading.value(term)
            row = rows.get((reading.id, term))
            marks = hints.get(term, ()) if reading.id == shown_license else ()
            if value is Value.NO and term in LIMITS and not marks:
                continue
            if value is Value.UNKNOWN and term not in asked:
                continue
            is_lit = reading.id == shown_license and term in lit
            card = _card(reading, term, row, is_lit=is_lit, marks=marks)
            found.append((not card.is_open, not card.marks, place, card))
    yield from (card for *_, card in sorted(found, key=lambda one: one[:3]))


def _card(reading: Reading, term: str, row: Term | None, *, is_lit: bool, marks: tuple[str, ...]) -> TermCard:
    value = reading.value(term)
    verified_by = row.verified_by.get_username() if row and row.verified_by else ""
    return TermCard(
        key=f"{reading.id}.{term}", license=reading.id, name=reading.name, term=term, says=TERMS[term].capitalize(),
        value=str(value), stated=row.value if row else UNKNOWN, note=row.note if row else "",
        passage=row.passage if row else "", is_lit=is_lit, is_open=value is Value.UNKNOWN, verified_by=verified_by,
        verified_at=row.verified_at if row else None, marks=marks,
    )  # fmt: skip


def _hints(comparison: Comparison | None) -> dict[str, tuple[str, ...]]:
    """Return the letters of added and changed words by the term on which they may bear."""
    found: dict[str, tuple[str, ...]] = {}
    for remark in comparison.alignment.remarks if comparison and comparison.alignment else ():
        if remark.kind is Kind.MISSING:
            continue
        for term in touched(shown(remark.text[:20_000]).keys):
            found[term] = (*found.get(term, ()), remark.mark)
    return found


def _lit(comparison: Comparison | None) -> set[str]:
    if comparison is None or comparison.alignment is None:
        return set()
    rows = comparison.alignment.rows
    return {term for row in rows for piece in (*row.left, *row.right) for term in piece.opens}
