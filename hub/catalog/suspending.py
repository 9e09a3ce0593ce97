"""Stopping downloads in one act: of a repo, of everything under a license, of whoever holds a file; and letting go.

A suspension counts for what is here and for what comes: a repo that takes a suspended file, or turns out to be under a
suspended license, is suspended as soon as it is read.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog import clearances, kinship
from hub.catalog.access import may_review
from hub.catalog.clearing import RELEASED, Clearance
from hub.catalog.errors import BadRequest, NotAllowed
from hub.catalog.models import Repo
from hub.catalog.ownwork import require_others
from hub.catalog.reviewlog import record
from licenses import cases, reviews
from licenses.cases import State
from licenses.errors import NeedsReason, WrongState
from licenses.models import Suspension

Kind = Suspension.Kind


@transaction.atomic
def suspend(viewer: Viewer, *, kind: str, key: str, reason: str, final: bool = False) -> Suspension:
    """Stop handing out whatever a key names: a repo's number, a license's id, a file's sha256.  ``final`` withdraws."""
    user = _reviewer(viewer)
    if kind not in Kind.values or not key or len(key) > 100:
        raise BadRequest(f"kind must be one of {', '.join(Kind.values)}, and key must name one.")
    if not reason.strip():
        raise NeedsReason("Give the reason.")
    reached = _locked(_reached(kind, key))
    row, _ = Suspension.objects.get_or_create(
        kind=kind, key=key, lifted_at=None, defaults={"reason": reason.strip(), "by": user, "final": final}
    )
    if final and not row.final:
        row.final, row.reason, row.by = True, reason.strip(), user
        row.save(update_fields=["final", "reason", "by"])
    for repo in reached:
        _stop(repo, row, user)
    _look_at_twins(reached, by=chain.person(user))
    _note(user, acts.SUSPENDED, row, reason, reached)
    return row


def _look_at_twins(reached: Sequence[Repo], *, by: chain.Actor) -> None:
    """Whoever holds the same large files is held at once, and waits for a review."""
    twins = kinship.holders_of([repo.pk for repo in reached])
    clearances.hold_back(twins.filter(clearance__in=RELEASED), Clearance.HELD, by=by)
    clearances.ask_all(twins.values_list("pk", flat=True))


def _stop(repo: Repo, row: Suspension, user: User) -> None:
    case, by = cases.current_case(str(repo.pk)), chain.person(user)
    if case is None:
        clearances.hold_back(Repo.objects.filter(pk=repo.pk), Clearance.SUSPENDED, by=by)
        return
    before, now = case.state, timezone.now()
    if row.final:
        case = reviews.withdraw(case=case, by=user, reason=row.reason, now=now)
    else:
        case = reviews.suspend(case=case, by=user, reason=row.reason, now=now)
    if case.state != before:
        record(repo, case, by=by, role=_role(user))
    clearances.write(repo, case, by=by)


def lift_subject(viewer: Viewer, subject: str, *, reason: str) -> None:
    """Lift the suspension of one repo; raises WrongState where there is none of its own."""
    row = Suspension.objects.filter(kind=Kind.SUBJECT, key=subject, lifted_at=None).first()
    if row is None:
        raise WrongState("Nothing suspends this by itself; its licence or a file of it may be suspended.")
    lift(viewer, row, reason=reason)


@transaction.atomic
def lift(viewer: Viewer, row: Suspension, *, reason: str) -> None:
    """Lift a suspension: what it reached stands where it stood, and is read again; a withdrawal is not lifted."""
    user = _reviewer(viewer)
    if not reason.strip():
        raise NeedsReason("Give the reason.")
    reached = _locked(_reached(row.kind, row.key))
    row = Suspension.objects.select_for_update().get(pk=row.pk)
    if row.final:
        raise WrongState("This was withdrawn for good.", State.WITHDRAWN)
    if row.lifted_at is not None:
        raise WrongState("This suspension was lifted before.")
    for repo in reached if row.kind == Kind.SUBJECT else ():
        require_others(user, repo)
    row.lifted_at, row.lifted_by = timezone.now(), user
    row.save(update_fields=["lifted_at", "lifted_by"])
    for repo in reached:
        _let_go(repo, user, reason)
    clearances.ask_all(kinship.holders_of([repo.pk for repo in reached]).values_list("pk", flat=True))
    _note(user, acts.REINSTATED, row, reason, reached)


def _let_go(repo: Repo, user: User, reason: str) -> None:
    case, by = cases.current_case(str(repo.pk)), chain.person(user)
    if case is None:
        mine = Repo.objects.filter(pk=repo.pk, clearance=Clearance.SUSPENDED)
        clearances.hold_back(mine, Clearance.SCANNING, by=by)
    elif not clearances.suspensions(repo, case):
        if case.state == State.SUSPENDED:
            case = reviews.reinstate(case=case, by=user, reason=reason, now=timezone.now())
            record(repo, case, by=by, role=_role(user))
        clearances.write(repo, case, by=by)
    clearances.ask(repo)


def _reached(kind: str, key: str) -> list[UUID]:
    """Return what a key names, with all that was made from it."""
    if kind == Kind.SUBJECT:
        try:
            named = Repo.objects.filter(pk=UUID(key))
        except ValueError:
            raise BadRequest(f"key must be the number of a repository, not {key[:60]!r}.") from None
    elif kind == Kind.LICENSE:
        named = Repo.objects.filter(concluded__contains=[key])
    else:
        holders = Repo.objects.filter(blobs__sha256=key)
        named = Repo.objects.filter(pk__in=[one.pk for one in holders if clearances.at_tip(one, [key])])
    roots = list(named.values_list("pk", flat=True))
    return list(Repo.objects.filter(Q(pk__in=roots) | Q(source__in=roots)).values_list("pk", flat=True))


def _locked(pks: Sequence[UUID]) -> list[Repo]:
    """Lock repos in one order, each before what was made from it."""
    rows = Repo.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk")
    return [*rows.filter(source=None), *rows.exclude(source=None)]


def _note(user: User, act: str, row: Suspension, reason: str, reached: Sequence[Repo]) -> None:
    subject = row.key if row.kind == Kind.SUBJECT else f"{row.kind}:{row.key}"
    chain.append(
        act=act, actor=chain.person(user), role=_role(user), subject=subject,
        label=next((repo.full_name for repo in reached if str(repo.pk) == row.key), row.key),
        data={
            "kind": row.kind, "key": row.key, "reason": reason.strip(), "final": row.final,
            "repos": [str(repo.pk) for repo in reached],
        },
    )  # fmt: skip


def _reviewer(viewer: Viewer) -> User:
    if viewer.user is None or not may_review(viewer) or not viewer.can_write:
        raise NotAllowed("Only reviewers may do this, with a token that may write and names no repositories.")
    return viewer.user


def _role(user: User) -> str:
    return "staff" if user.is_staff else "reviewer"
