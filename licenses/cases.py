"""A case by itself: opened for a revision set, settled by policy, stale when what it rests on changes or runs out.

What people decide stands in `licenses.reviews`.  Every verb locks the case's row, looks again, and adds a decision
where the state changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from licenses.errors import WrongState
from licenses.findings import Code
from licenses.models import Case, Decision
from licenses.policy import State as Outcome

State, Verb = Case.State, Decision.Verb

RELEASING = (State.CLEAR, State.DECLARED, State.APPROVED)
# Where a person is awaited; what a scan finds meanwhile does not take the case away from them.
WAITING = (State.IN_REVIEW, State.SECOND_REVIEW, State.NEEDS_INFO, State.APPEALED, State.STALE)
# What people settled stays settled when the same revision set comes back.
_KEPT = (State.APPROVED, State.REJECTED, State.APPEALED, State.SUSPENDED, State.WITHDRAWN)
_BY_OUTCOME = {
    Outcome.CLEAR: State.CLEAR,
    Outcome.DECLARED: State.DECLARED,
    Outcome.BLOCKED: State.BLOCKED,
}
_HOLDS = ("block", "fix")


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found, as the columns of a case keep it, and what the policies made of it.

    ``changed`` says that the texts are not those that the last decision on this subject rested on; ``lasts_until`` is
    the end of the waivers and precedents that the outcome rests on.
    """

    outcome: Outcome
    columns: dict[str, Any]
    policies: list[dict[str, Any]]
    first_seen: bool = False
    changed: bool = False
    lasts_until: datetime | None = None


def current_case(subject: str) -> Case | None:
    """Return the case of what the subject is now, or None where it was never opened."""
    return Case.objects.filter(subject=subject, current=True).first()


def current_cases(subjects: Sequence[str]) -> dict[str, Case]:
    """Return the current cases of these subjects, by subject."""
    return {case.subject: case for case in Case.objects.filter(subject__in=subjects, current=True)}


def locked(case: Case, *, expected: str = "") -> Case:
    """Return the case under a lock; raises WrongState unless it is current and in the state that was seen."""
    row = Case.objects.select_for_update().get(pk=case.pk)
    if not row.current:
        raise WrongState("A newer revision has taken the place of this case; decide on that one.", row.state)
    if expected and row.state != expected:
        raise WrongState(
            f"The case is {row.state} by now, not {expected}: somebody acted on it meanwhile. Look again.",
            row.state,
        )
    return row


@transaction.atomic
def open_case(*, subject: str, label: str, commit: str, digest: str, now: datetime) -> Case:
    """Make the case of this revision set the subject's current one; one that people settled keeps its state."""
    before = Case.objects.select_for_update().filter(subject=subject, current=True).first()
    if before is not None and before.digest != digest:
        before.current = False
        before.save(update_fields=["current"])
    row, made = Case.objects.select_for_update().get_or_create(
        subject=subject, digest=digest, defaults={"label": label, "commit": commit, "opened_at": now}
    )
    if not made:
        row.label, row.commit = label, commit
        if not row.current and row.state not in _KEPT:
            row.state, row.opened_at = State.SCANNING, now
        row.current = True
        row.save(update_fields=["label", "commit", "state", "opened_at", "current"])
    return row


@transaction.atomic
def settle(*, case: Case, found: Found, now: datetime) -> Case:
    """Write what a scan found into a case, and the state that follows from it."""
    row = locked(case)
    target = _target(row, found)
    for name, value in found.columns.items():
        # What a person concluded stands as long as their approval does.
        if name != "concluded" or target != State.APPROVED:
            setattr(row, name, value)
    row.policies, row.first_seen = found.policies, found.first_seen
    if target not in _KEPT:
        # Also where a person decides next: nothing lasts longer than the waivers that it rests on.
        row.expires_at = found.lasts_until
    if target != row.state:
        verb = Verb.STALE if target == State.STALE else Verb.SCAN
        note(row, verb=verb, to=target, now=now, reasons=codes(row.findings))
    row.save()
    return row


def _target(row: Case, found: Found) -> str:
    """Say where a scan leads from where the case stands."""
    state, outcome = row.state, found.outcome
    if state in (State.REJECTED, State.APPEALED, State.SUSPENDED, State.WITHDRAWN):
        return state
    if state == State.APPROVED and outcome != Outcome.BLOCKED:
        return State.STALE if outcome == Outcome.HELD and _is_news(row, found) else state
    if outcome in _BY_OUTCOME:
        return state if state == State.NEEDS_INFO and outcome == Outcome.BLOCKED else _BY_OUTCOME[outcome]
    if state == State.SECOND_REVIEW and _is_news(row, found):
        # The first answer was about something else.
        return State.IN_REVIEW
    if state in (State.STALE, State.NEEDS_INFO, State.SECOND_REVIEW):
        return state
    return State.STALE if found.changed else State.IN_REVIEW


def _is_news(row: Case, found: Found) -> bool:
    """True where texts or grave findings are not those that are in front of, or behind, the people who decide."""
    if sorted(row.texts) != sorted(found.columns.get("texts", ())):
        return True
    return not _grave(found.columns.get("findings", ())) <= _grave(row.findings)


def _grave(findings: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (one["code"], one["severity"], one["license"], one["subject"])
        for one in findings
        # That a text changed follows from the texts themselves.
        if one["severity"] in _HOLDS and one["code"] != Code.TEXT_CHANGED
    }


def codes(findings: Iterable[dict[str, Any]]) -> list[str]:
    """Return the reason codes of the findings that hold, each once."""
    return list(dict.fromkeys(one["code"] for one in findings if one["severity"] in _HOLDS))


def note(row: Case, *, verb: str, to: str, now: datetime, **fields: Any) -> Decision:
    """Add a decision and move the locked case to its new state; the caller saves the case."""
    done = Decision.objects.create(
        case=row, verb=verb, from_state=row.state, to_state=to, at=now, texts=sorted(row.texts),
        licenses=list(row.licenses), **fields,
    )  # fmt: skip
    row.state, row.decided_at = to, now
    return done


@transaction.atomic
def mark_stale(*, case: Case, now: datetime, reasons: Sequence[str], note_public: str = "") -> Case:
    """Say that what a released case rests on is no longer so; raises WrongState for one that releases nothing."""
    row = locked(case)
    if row.state not in RELEASING:
        raise WrongState(f"Only what was cleared can become stale; the case is {row.state}.", row.state)
    note(row, verb=Verb.STALE, to=State.STALE, now=now, reasons=list(reasons), note_public=note_public)
    row.save(update_fields=["state", "decided_at"])
    return row


def due(now: datetime) -> QuerySet[Case]:
    """Return the cases whose clearance has run out."""
    return Case.objects.filter(current=True, state__in=RELEASING, expires_at__lte=now).order_by("subject")


@transaction.atomic
def expire(*, case: Case, now: datetime) -> Case:
    """End a clearance that has run out; one that was prolonged meanwhile is left alone."""
    row = locked(case)
    if row.state in RELEASING and row.expires_at is not None and row.expires_at <= now:
        note(row, verb=Verb.EXPIRE, to=State.STALE, now=now)
        row.save(update_fields=["state", "decided_at"])
    return row


def precedent_of(texts: Sequence[str], licenses: Sequence[str], *, now: datetime) -> Decision | None:
    """Return the last word of a person on these texts under these licenses, or None.

    Approvals that have run out, or were taken back, are none.  Without texts nothing is the same.
    """
    if not texts:
        return None
    settled = Decision.objects.filter(verb__in=[Verb.APPROVE, Verb.REJECT]).exclude(
        to_state=State.SECOND_REVIEW
    )
    same = settled.filter(precedent=None, texts=sorted(texts), licenses=list(licenses))
    last = same.select_related("case").order_by("-at", "-pk").first()
    if last is None or (last.expires_at is not None and last.expires_at <= now):
        return None
    return None if last.case.state in (State.SUSPENDED, State.WITHDRAWN) else last


def is_first_seen(texts: Sequence[str], licenses: Sequence[str]) -> bool:
    """True where nobody here has approved these licenses with these texts, or these licenses where there is no text."""
    approved = Decision.objects.filter(verb=Verb.APPROVE, to_state=State.APPROVED, licenses=list(licenses))
    return not (approved.filter(texts=sorted(texts)) if texts else approved).exists()


def reviewed_texts(subject: str) -> frozenset[str] | None:
    """Return the texts that the last approval of a subject rested on, None where it was never approved."""
    approved = Decision.objects.filter(case__subject=subject, verb=Verb.APPROVE, to_state=State.APPROVED)
    last = approved.order_by("-at", "-pk").first()
    return frozenset(last.texts) if last else None
