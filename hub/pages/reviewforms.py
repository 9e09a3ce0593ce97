"""What a reviewer's form says, as the answer that is kept with the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from hub.catalog.desk import Desk
from licenses.findings import Code
from licenses.reviews import APPROVAL_DAYS, Answer
from licenses.terms import TERMS

MAX_NOTE, MAX_WORDS, MAX_CONDITIONS = 20_000, 1000, 20
MAX_DAYS = 3650
_ANSWERED = ("finding:", "term:", "check:")


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was sent, to be kept or to be shown again."""

    answers: Mapping[str, str]
    conditions: tuple[str, ...] = ()
    concluded: str = ""
    days: int = APPROVAL_DAYS
    message: str = ""
    note_public: str = ""
    note_private: str = ""
    cited: tuple[str, ...] = ()
    code: str = ""
    cite_license: str = ""
    cite_term: str = ""

    @property
    def explained(self) -> bool:
        return bool(self.conditions or self.note_public.strip())


def fresh(desk: Desk) -> Filled:
    """Return an empty form: only the message and the expression that the scan proposes are filled in."""
    return Filled({}, concluded=desk.case.concluded, message=desk.request())


def read(post: QueryDict) -> Filled:
    """Return what was sent, every text cut to what may be kept."""
    days = post.get("days", "")
    return Filled(
        answers={
            key: value.strip()[:MAX_WORDS]
            for key, value in post.items()
            if isinstance(value, str) and key.startswith(_ANSWERED) and len(key) <= 200 and value.strip()
        },
        conditions=tuple(
            line.strip()[:MAX_WORDS] for line in post.get("conditions", "").splitlines() if line.strip()
        )[:MAX_CONDITIONS],
        concluded=post.get("concluded", "").strip()[:MAX_WORDS],
        days=min(max(int(days), 1), MAX_DAYS) if days.isdecimal() and len(days) < 6 else APPROVAL_DAYS,
        message=post.get("message", "").strip()[:MAX_NOTE],
        note_public=post.get("note_public", "").strip()[:MAX_NOTE],
        note_private=post.get("note_private", "").strip()[:MAX_NOTE],
        cited=tuple(post.getlist("cite")[:50]),
        code=post.get("code", "") if post.get("code", "") in [*Code] else "",
        cite_license=post.get("cite_license", "").strip()[:100],
        cite_term=post.get("cite_term", "") if post.get("cite_term", "") in TERMS else "",
    )


def answer_of(filled: Filled, desk: Desk, *, public: str | None = None) -> Answer:
    """Return the answer to keep; ``public`` takes the place of the public note where the message is one of its own."""
    cited = _cited(filled, desk)
    reasons = dict.fromkeys([*(one["code"] for one in cited), *([filled.code] if filled.code else [])])
    return Answer(
        reasons=list(reasons),
        cited=[{key: value for key, value in one.items() if key != "code"} for one in cited],
        checklist={"list": str(desk.checklist), **filled.answers},
        conditions=list(filled.conditions),
        concluded=filled.concluded,
        note_public=filled.note_public if public is None else public,
        note_private=filled.note_private,
    )


def _cited(filled: Filled, desk: Desk) -> Sequence[dict[str, str]]:
    """Return the terms that are cited: those of the ticked findings, and one that was named by hand."""
    cited = [
        {
            "code": str(one.finding.code), "license": one.finding.license, "term": one.finding.term,
            "passage": _passage(desk, one.finding.license, one.finding.term),
        }
        for one in desk.findings
        if one.key in filled.cited
    ]  # fmt: skip
    if filled.code and (filled.cite_license or filled.cite_term):
        passage = _passage(desk, filled.cite_license, filled.cite_term)
        cited.append(
            {
                "code": filled.code,
                "license": filled.cite_license,
                "term": filled.cite_term,
                "passage": passage,
            }
        )
    return cited


def _passage(desk: Desk, license_id: str, term: str) -> str:
    reading = desk.readings.get(license_id)
    found = reading.terms.get(term) if reading else None
    return found.passage[:2000] if found else ""
