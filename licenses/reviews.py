"""What people decide on a case.  Verbs with named arguments; each locks the case, looks again and adds a decision.

The caller knows persons and repositories and says so: ``own`` is true for who wrote to the subject, ``alone`` where
nobody else may review, ``needed`` is how many must agree on what was never seen here.  ``expected`` is the state that
the person saw; ``seen`` the fingerprint of what they read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from licenses.cases import State, Verb, locked, note
from licenses.errors import NeedsReason, NotYours, SecondPersonNeeded, WrongState
from licenses.expressions import BadExpression, Expressions
from licenses.findings import Code
from licenses.models import Case, Decision
from licenses.readings import all_readings

APPROVAL_DAYS = 365
# Of licenses whose use policy their steward changes as they like; their readings have a flag that begins so.
DYNAMIC, DYNAMIC_DAYS = "dynamic use policy", 90
MAX_NOTE = 20_000
_OPEN = (State.IN_REVIEW, State.SECOND_REVIEW, State.STALE, State.APPEALED)
_REFUSABLE = (*_OPEN, State.NEEDS_INFO, State.BLOCKED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer writes down; ``note_private`` is for reviewers only."""

    reasons: Sequence[str] = ()
    cited: Sequence[Mapping[str, str]] = ()
    checklist: Mapping[str, Any] = field(default_factory=dict)
    conditions: Sequence[str] = ()
    concluded: str = ""
    note_public: str = ""
    note_private: str = ""

    def columns(self) -> dict[str, Any]:
        """Return what a decision keeps of it; raises NeedsReason for a code that is none and for endless words."""
        if odd := [code for code in self.reasons if code not in [*Code]]:
            raise NeedsReason(f"{odd[0]!r} is no reason code; the codes are {', '.join(Code)}.")
        if max(len(self.note_public), len(self.note_private)) > MAX_NOTE:
            raise NeedsReason(f"A note may have {MAX_NOTE} characters.")
        return {
            "reasons": list(self.reasons), "cited": [dict(one) for one in self.cited],
            "checklist": dict(self.checklist), "conditions": list(self.conditions), "concluded": self.concluded,
            "note_public": self.note_public.strip(), "note_private": self.note_private.strip(),
        }  # fmt: skip


def fingerprint(case: Case) -> str:
    """Return a hash of everything that a reviewer reads, so that a decision is about what was read."""
    told = [case.digest, case.texts, case.findings, case.licenses, case.policies, case.consent]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def approve(
    *, case: Case, by: AbstractBaseUser, own: bool, alone: bool, needed: int, answer: Answer, now: datetime,
    expected: str = "", seen: str = "", precedent: Decision | None = None, days: int = APPROVAL_DAYS,
) -> Case:  # fmt: skip
    """Give a yes.  What was never seen here needs two persons; the first yes then waits for the second.

    Raises NotYours, NeedsReason, SecondPersonNeeded and WrongState.
    """
    row = _readable(case, expected, seen, _OPEN)
    columns = answer.columns() | {"by_id": by.pk, "own": own, "precedent": precedent}
    _may_decide(row, by, own=own, alone=alone, answer=answer)
    if stops := [
        one["title"] for one in row.policies if one.get("action") == "block" and not one.get("waived")
    ]:
        raise WrongState(f"A policy blocks this: {stops[0]} Have it waived, or ask for changes.", row.state)
    concluded = _concluded(row, answer)
    columns["concluded"] = concluded
    if row.state == State.SECOND_REVIEW:
        first = first_answer(row)
        if first is not None and first.by_id == by.pk:
            raise SecondPersonNeeded("You gave the first answer; the second one is another person's.")
        if first is None or not _still_reviews(first):
            # Whoever gave the first yes may not review any more: this one takes its place.
            note(row, verb=Verb.APPROVE, to=State.SECOND_REVIEW, now=now, **columns)
            row.save(update_fields=["state", "decided_at"])
            return row
        if first is not None and first.concluded != concluded:
            # Two persons who read two different things have not agreed; both answers are open from now on.
            note(row, verb=Verb.APPROVE, to=State.IN_REVIEW, now=now, **columns)
            row.save(update_fields=["state", "decided_at"])
            return row
    elif row.first_seen and needed > 1 and not alone:
        note(row, verb=Verb.APPROVE, to=State.SECOND_REVIEW, now=now, **columns)
        row.save(update_fields=["state", "decided_at"])
        return row
    ends = now + timedelta(days=days)
    row.expires_at = min(ends, row.expires_at) if row.expires_at and row.expires_at > now else ends
    note(row, verb=Verb.APPROVE, to=State.APPROVED, now=now, expires_at=row.expires_at, **columns)
    row.concluded, row.conditions, row.single_person = concluded, columns["conditions"], own
    row.save()
    return row


def _concluded(row: Case, answer: Answer) -> str:
    """Return the expression that the reviewer concludes: their own, or what the scan proposes."""
    concluded = answer.concluded.strip() or row.concluded
    try:
        Expressions(all_readings()).parse(concluded)
    except BadExpression as error:
        raise NeedsReason(f"concluded: {error}") from error
    return concluded


def _may_decide(row: Case, by: AbstractBaseUser, *, own: bool, alone: bool, answer: Answer) -> None:
    if own and not alone:
        raise NotYours("You wrote to this repository; another reviewer decides on it.")
    if own and not answer.note_public.strip():
        raise NeedsReason(
            "Nobody else may review here, so say in the public note why you approve your own work."
        )
    if row.state == State.APPEALED and not alone:
        refused = row.decisions.filter(verb=Verb.REJECT).order_by("-pk").first()
        if refused is not None and refused.by_id == by.pk:
            raise SecondPersonNeeded("You rejected this; another person decides on the appeal.")


def _still_reviews(decision: Decision) -> bool:
    user = decision.by
    return user is not None and user.is_active and (user.is_staff or user.is_reviewer)


def first_answer(case: Case) -> Decision | None:
    """Return the yes that waits for a second one, or None."""
    if case.state != State.SECOND_REVIEW:
        return None
    return case.decisions.filter(verb=Verb.APPROVE, to_state=State.SECOND_REVIEW).order_by("-pk").first()


def decisions_for(case: Case, user_id: int | None) -> list[Decision]:
    """Return what was decided, oldest first, without a first answer that this person must not know before their own."""
    found = list(case.decisions.select_related("by", "precedent"))
    first = first_answer(case)
    if first is None or first.by_id == user_id:
        return found
    return [one for one in found if one.pk != first.pk]


@transaction.atomic
def reject(
    *, case: Case, by: AbstractBaseUser, own: bool, alone: bool, answer: Answer, now: datetime,
    expected: str = "", seen: str = "",
) -> Case:  # fmt: skip
    """Say no, with a reason code and the term it rests on."""
    row = _readable(case, expected, seen, _REFUSABLE)
    columns = answer.columns() | {"by_id": by.pk, "own": own}
    if own and not alone:
        raise NotYours("You wrote to this repository; another reviewer decides on it.")
    if not answer.reasons or not answer.cited:
        raise NeedsReason("A rejection names a reason code and cites the term it rests on.")
    return _moved(row, Verb.REJECT, State.REJECTED, now, columns)


@transaction.atomic
def request_changes(
    *, case: Case, by: AbstractBaseUser, own: bool, answer: Answer, now: datetime, expected: str = "",
    seen: str = "",
) -> Case:  # fmt: skip
    """Ask the uploader for something."""
    row = _readable(case, expected, seen, _REFUSABLE)
    if not answer.note_public.strip():
        raise NeedsReason("Say in the public note what has to be changed.")
    return _moved(
        row, Verb.REQUEST_CHANGES, State.NEEDS_INFO, now, answer.columns() | {"by_id": by.pk, "own": own}
    )


@transaction.atomic
def answer(*, case: Case, by: AbstractBaseUser, text: str, now: datetime) -> Case:
    """The uploader replies.  What a policy blocks stays blocked, with the reply beside it."""
    row = _in(locked(case), (State.NEEDS_INFO, State.BLOCKED))
    to = State.IN_REVIEW if row.state == State.NEEDS_INFO else State.BLOCKED
    return _moved(row, Verb.ANSWER, to, now, _said(by, text, "Write your answer."))


@transaction.atomic
def appeal(*, case: Case, by: AbstractBaseUser, text: str, now: datetime) -> Case:
    """The uploader objects to a rejection."""
    row = _in(locked(case), (State.REJECTED,))
    return _moved(row, Verb.APPEAL, State.APPEALED, now, _said(by, text, "Say why the rejection is wrong."))


@transaction.atomic
def suspend(*, case: Case, by: AbstractBaseUser | None, reason: str, now: datetime) -> Case:
    """Stop handing out, until reinstated; a case that is suspended or withdrawn stays so."""
    row = locked(case)
    if row.state in (State.SUSPENDED, State.WITHDRAWN):
        return row
    return _moved(row, Verb.SUSPEND, State.SUSPENDED, now, _said(by, reason, "Give the reason."))


@transaction.atomic
def reinstate(*, case: Case, by: AbstractBaseUser | None, reason: str, now: datetime) -> Case:
    """Return a suspended case to where it was; an approval that has run out meanwhile is stale."""
    row = _in(locked(case), (State.SUSPENDED,))
    before = row.decisions.filter(verb=Verb.SUSPEND).order_by("-pk").first()
    to = before.from_state if before else State.IN_REVIEW
    if row.expires_at is not None and row.expires_at <= now:
        to = State.STALE
    return _moved(row, Verb.REINSTATE, to, now, _said(by, reason, "Give the reason."))


@transaction.atomic
def withdraw(*, case: Case, by: AbstractBaseUser, reason: str, now: datetime) -> Case:
    """Stop handing out for good."""
    row = locked(case)
    if row.state == State.WITHDRAWN:
        return row
    return _moved(row, Verb.WITHDRAW, State.WITHDRAWN, now, _said(by, reason, "Give the reason."))


@transaction.atomic
def assign(*, case: Case, to: AbstractBaseUser | None, snoozed_until: datetime | None = None) -> Case:
    """Say who looks at a case, and from when on it is shown again."""
    row = locked(case)
    row.assigned_to_id, row.snoozed_until = (to.pk if to else None), snoozed_until
    row.save(update_fields=["assigned_to", "snoozed_until"])
    return row


def _readable(case: Case, expected: str, seen: str, states: Sequence[str]) -> Case:
    row = _in(locked(case, expected=expected), states)
    if seen and seen != fingerprint(row):
        raise WrongState("What was found has changed since you read it. Look again.", row.state)
    return row


def _in(row: Case, states: Sequence[str]) -> Case:
    if row.state not in states:
        raise WrongState(
            f"The case is {row.state}; this can be done when it is {' or '.join(states)}.", row.state
        )
    return row


def _moved(row: Case, verb: str, to: str, now: datetime, columns: Mapping[str, Any]) -> Case:
    note(row, verb=verb, to=to, now=now, **columns)
    row.save(update_fields=["state", "decided_at"])
    return row


def _said(by: AbstractBaseUser | None, text: str, otherwise: str) -> dict[str, Any]:
    if not text.strip():
        raise NeedsReason(otherwise)
    return Answer(note_public=text).columns() | {"by_id": by.pk if by else None}
