"""The five measures at the head of a case: declared, detected, lineage, duties, concluded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.catalog.desk import Desk
from hub.catalog.deskfacts import Ancestor
from hub.catalog.desktexts import CARD, Text
from licenses.findings import Severity
from licenses.matches import Detection, Status
from licenses.models import Case
from licenses.proofs import Met
from licenses.records import declared_from_json, detection_from_json

_STATES = {
    "scanning": ("pending", "being read"), "clear": ("proven", "clear by policy"),
    "declared": ("declared", "clear as declared"), "blocked": ("rejected", "blocked by policy"),
    "in-review": ("pending", "open"), "second-review": ("pending", "needs a second person"),
    "needs-info": ("pending", "waits for its owner"), "appealed": ("pending", "appealed"),
    "stale": ("warn", "to be read again"), "approved": ("proven", "approved"), "rejected": ("rejected", "rejected"),
    "suspended": ("rejected", "suspended"), "withdrawn": ("rejected", "withdrawn"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the five: ``seal`` is the state's drawing, ``count`` how much of it is open."""

    title: str
    seal: str
    value: str
    sub: str
    count: int = 0


def state_words(state: str) -> str:
    """Return a case's state as people read it."""
    return _STATES.get(state, ("unknown", state))[1]


def state_seal(state: str) -> str:
    """Return the seal of a case's state."""
    return _STATES.get(state, ("unknown", state))[0]


def strip(case: Case, desk: Desk, texts: Sequence[Text], ancestors: Sequence[Ancestor]) -> Sequence[Measure]:
    """Return the measures in the order in which they are read."""
    return [
        _declared(case, desk, texts), _detected(case, desk), _lineage(desk, ancestors), _duties(desk),
        _concluded(case),
    ]  # fmt: skip


def _open(desk: Desk, *prefixes: str, in_text: bool | None = None) -> list[Severity]:
    """Return how grave the findings of these codes are; ``in_text``: those about a file, or about the card."""
    return [
        one.finding.severity
        for one in desk.findings
        if one.finding.holds
        and one.finding.code.startswith(prefixes)
        and (in_text is None or bool(one.finding.subject) is in_text)
    ]


def _declared(case: Case, desk: Desk, texts: Sequence[Text]) -> Measure:
    declared = declared_from_json(case.declared)
    value = ", ".join(declared.ids) or declared.name or ", ".join(declared.raw)
    line = next((number for number, text in _card_lines(texts) if text.startswith("license")), 0)
    found = len(_open(desk, "LIC-MISMATCH", "LIC-AMBIGUOUS", in_text=False))
    where = f"a claim, {CARD}:{line}" if line else "the card says nothing"
    return Measure("Declared", "warn" if found or not value else "unknown", value or "nothing", where, found)


def _card_lines(texts: Sequence[Text]) -> Iterator[tuple[int, str]]:
    card = next((one for one in texts if one.path == CARD), None)
    yield from enumerate(card.words.splitlines()[:400] if card else [], start=1)


def _detected(case: Case, desk: Desk) -> Measure:
    found = [(str(one["path"]), detection_from_json(one)) for one in case.detected]
    if not found:
        return Measure("Detected", "missing", "no text", "no license file was found", 1)
    path, worst = next(((path, one) for path, one in found if not one.is_clean), found[0])
    count = len(_open(desk, "LIC-ALTERED", "LIC-AMBIGUOUS", in_text=True))
    return Measure(
        "Detected", "proven" if worst.is_clean else "missing", _matched(worst), _measured(path, worst), count
    )


def _matched(found: Detection) -> str:
    names = ", ".join(found.licenses) or "unknown text"
    if found.status is Status.ADDED:
        return f"{names} and {sum(passage.length for passage in found.residue)} words"
    return f"{names}, altered" if found.status is Status.ALTERED else names


def _measured(path: str, found: Detection) -> str:
    recall = (
        f"{found.matches[0].recall:.1%} of the known words"
        if found.matches
        else found.note or "no text known here"
    )
    longest = f", longest addition {found.longest_run} words" if found.longest_run and found.matches else ""
    return f"{path}: {recall}{longest}"[:160]


def _lineage(desk: Desk, ancestors: Sequence[Ancestor]) -> Measure:
    found = _open(desk, "LIN-", "OUTPUT-")
    seal = "rejected" if Severity.BLOCK in found else ("missing" if found else "proven")
    if not ancestors:
        return Measure("Lineage", seal if found else "unknown", "no ancestor named", "", len(found))
    first = ancestors[0]
    value = first.name.rpartition("/")[2] if len(ancestors) == 1 else f"{len(ancestors)} ancestors"
    return Measure("Lineage", seal, value, f"{first.relation}, by {first.evidence[0]}", len(found))


def _duties(desk: Desk) -> Measure:
    missing = sum(one.state is Met.MISSING for one in desk.duties)
    if not desk.duties:
        return Measure("Duties", "proven", "none inherited", "")
    value = f"{missing} of {len(desk.duties)} missing" if missing else f"all {len(desk.duties)} met"
    return Measure(
        "Duties", "missing" if missing else "proven", value, "its owner can mend them" if missing else "", missing
    )  # fmt: skip


def _concluded(case: Case) -> Measure:
    seal, words = _STATES.get(case.state, ("unknown", case.state))
    sub = case.concluded or "nothing concluded yet"
    return Measure(
        "Concluded", seal, words, f"proposed: {sub}" if seal == "pending" and case.concluded else sub
    )
