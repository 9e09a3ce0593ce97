"""The five measures at the head of a case: declared, detected, lineage, duties, concluded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.desk import Desk
from hub.catalog.deskfacts import Ancestor
from hub.catalog.desktexts import CARD, Text
from hub.pages.languages import numeral
from hub.pages.saying import said
from hub.pages.standing import seal_of_state
from licenses.cases import State
from licenses.findings import Severity
from licenses.matches import Detection, Status
from licenses.models import Case
from licenses.proofs import Met
from licenses.records import declared_from_json, detection_from_json

_STATES = {
    "scanning": gettext_noop("being read"), "clear": gettext_noop("clear by policy"),
    "declared": gettext_noop("clear as declared"), "blocked": gettext_noop("blocked by policy"),
    "in-review": gettext_noop("open"), "second-review": gettext_noop("needs a second person"),
    "needs-info": gettext_noop("waits for its owner"), "appealed": gettext_noop("appealed"),
    "stale": gettext_noop("to be read again"), "approved": gettext_noop("approved"),
    "rejected": gettext_noop("rejected"), "suspended": gettext_noop("suspended"),
    "withdrawn": gettext_noop("withdrawn"),
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
    return _(_STATES.get(state, state))


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
    where = _("a claim, %(place)s") % {"place": f"{CARD}:{line}"} if line else _("the card says nothing")
    return Measure(
        _("Declared"), "warn" if found or not value else "unknown", value or _("nothing"), where, found
    )


def _card_lines(texts: Sequence[Text]) -> Iterator[tuple[int, str]]:
    card = next((one for one in texts if one.path == CARD), None)
    yield from enumerate(card.words.splitlines()[:400] if card else [], start=1)


def _detected(case: Case, desk: Desk) -> Measure:
    found = [(str(one["path"]), detection_from_json(one)) for one in case.detected]
    if not found:
        return Measure(_("Detected"), "missing", _("no text"), _("no licence file was found"), 1)
    path, worst = next(((path, one) for path, one in found if not one.is_clean), found[0])
    count = len(_open(desk, "LIC-ALTERED", "LIC-AMBIGUOUS", in_text=True))
    return Measure(
        _("Detected"),
        "proven" if worst.is_clean else "missing",
        _matched(worst),
        _measured(path, worst),
        count,
    )


def _matched(found: Detection) -> str:
    names = ", ".join(found.licenses) or _("unknown text")
    if found.status is Status.ADDED:
        number = sum(passage.length for passage in found.residue)
        return _("%(names)s and %(number)s words") % {"names": names, "number": number}
    return _("%(names)s, altered") % {"names": names} if found.status is Status.ALTERED else names


def _measured(path: str, found: Detection) -> str:
    recall = (
        _("%(share)s of the known words") % {"share": numeral(f"{found.matches[0].recall:.1%}")}
        if found.matches
        else said(found.note) or _("no text known here")
    )
    if found.longest_run and found.matches:
        recall += _(", longest addition %(number)s words") % {"number": found.longest_run}
    return f"{path}: {recall}"[:160]


def _lineage(desk: Desk, ancestors: Sequence[Ancestor]) -> Measure:
    found = _open(desk, "LIN-", "OUTPUT-")
    # The worst of what it comes from decides, and what is not known is no yes.
    open_now = len(found) or sum(bool(one.open) for one in ancestors)
    seal = "proven" if all(one.licenses or one.is_denied for one in ancestors) else "unknown"
    seal = "rejected" if Severity.BLOCK in found else ("missing" if open_now else seal)
    if not ancestors:
        return Measure(_("Lineage"), seal if found else "unknown", _("no ancestor named"), "", len(found))
    first = ancestors[0]
    several = _("%(number)s ancestors") % {"number": len(ancestors)}
    value = first.name.rpartition("/")[2] if len(ancestors) == 1 else several
    sub = _("%(relation)s, by %(evidence)s") % {
        "relation": said(str(first.relation).replace("_", " ")), "evidence": said(first.evidence[0]),
    }  # fmt: skip
    return Measure(_("Lineage"), seal, value, sub, open_now)


def _duties(desk: Desk) -> Measure:
    missing = sum(one.state is Met.MISSING for one in desk.duties)
    if not desk.duties:
        return Measure(_("Duties"), "proven", _("none inherited"), "")
    text = _("%(missing)s of %(all)s missing") if missing else _("all %(all)s met")
    value = text % {"missing": missing, "all": len(desk.duties)}
    return Measure(
        _("Duties"), "missing" if missing else "proven", value, _("its owner can mend them") if missing else "", missing
    )  # fmt: skip


def _concluded(case: Case) -> Measure:
    seal, words = seal_of_state(case.state), state_words(case.state)
    sub = case.concluded or _("nothing concluded yet")
    is_proposed = seal == "pending" and case.concluded and case.state != State.STALE
    return Measure(
        _("Concluded"), seal, words, _("proposed: %(terms)s") % {"terms": sub} if is_proposed else sub
    )
