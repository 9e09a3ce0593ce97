"""What reviewers, and those who are reviewed, may do with a case: each act locks repo and case, and is written down.

Raises what `licenses.errors` and the gate raise.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import chain
from hub.catalog import access, clearances, notices, suspending
from hub.catalog.access import may_review
from hub.catalog.clearing import terms_page
from hub.catalog.desk import require_answered
from hub.catalog.errors import EntryNotFound, NotAllowed, SignInNeeded
from hub.catalog.models import Repo
from hub.catalog.ownwork import reviewers, wrote_to
from hub.catalog.reviewlog import record
from licenses import reviews
from licenses.cases import State
from licenses.errors import WrongState
from licenses.models import Case, Decision, License, Suspension
from licenses.reviews import APPROVAL_DAYS, DYNAMIC, DYNAMIC_DAYS, Answer

__all__ = ["Standing", "act", "assign", "may_review", "standing"]

REVIEWER_VERBS = ("approve", "reject", "request-changes", "suspend", "reinstate", "withdraw")
UPLOADER_VERBS = ("answer", "appeal")
MAX_SNOOZE_DAYS = 90
_SAYS = {
    State.APPROVED: "was approved",
    State.SECOND_REVIEW: "has a first yes, and waits for the second",
    State.REJECTED: "was rejected",
    State.NEEDS_INFO: "waits for your answer",
    State.IN_REVIEW: "is being reviewed",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a viewer stands to a case: ``own`` work, ``alone`` as reviewer, how many are ``needed``.

    ``is_first`` where they gave the first of two answers, ``may_answer`` where they speak for the uploader.
    """

    own: bool
    alone: bool
    needed: int
    is_first: bool
    may_review: bool
    may_answer: bool


def needed(count: int) -> int:
    """Return how many reviewers what was never seen here needs."""
    return int(settings.HUB_REVIEWERS or (2 if count >= 3 else 1))


def standing(viewer: Viewer, case: Case) -> Standing:
    """Return how a viewer stands to a case."""
    repo, user, count = _repo_of(case), viewer.user, reviewers()
    first = reviews.first_answer(case)
    return Standing(
        own=user is not None and wrote_to(user, repo),
        alone=count <= 1,
        needed=needed(count),
        is_first=first is not None and user is not None and first.by_id == user.pk,
        may_review=may_review(viewer) and viewer.can_write,
        may_answer=access.may_write(viewer, repo),
    )


def act(
    viewer: Viewer,
    case: Case,
    *,
    verb: str,
    answer: Answer,
    expected: str = "",
    seen: str = "",
    days: int = 0,
    precedent: Decision | None = None,
) -> Case:
    """Do one act on a case and return it as it stands then.

    ``expected`` is the state and ``seen`` the fingerprint that the person saw; ``days`` shortens an approval.
    """
    if verb in UPLOADER_VERBS:
        return _reply(viewer, case, verb=verb, text=answer.note_public)
    user = require_review(viewer)
    if verb == "reinstate":
        suspending.lift_subject(viewer, case.subject, reason=answer.note_public)
        return Case.objects.get(pk=case.pk)
    if verb in ("suspend", "withdraw"):
        suspending.suspend(
            viewer,
            kind=Suspension.Kind.SUBJECT,
            key=case.subject,
            reason=answer.note_public,
            final=verb == "withdraw",
        )
        return Case.objects.get(pk=case.pk)
    with transaction.atomic():
        repo = _locked(case)
        done = _decide(user, case, repo, verb, answer, expected, seen, days, precedent)
        by = chain.person(user)
        record(repo, done, by=by, role=role_of(user))
        clearances.write(repo, done, by=by)
        if done.state == State.APPROVED:
            # What the reviewer concluded or asked for is folded in by reading once more.
            clearances.ask(repo)
        _tell(repo, done)
    return done


def _decide(
    user: User, case: Case, repo: Repo, verb: str, answer: Answer, expected: str, seen: str, days: int,
    precedent: Decision | None,
) -> Case:  # fmt: skip
    count, now = reviewers(), timezone.now()
    own, alone = wrote_to(user, repo), count <= 1
    if verb == "approve":
        if not own or alone:
            require_answered(case, repo, answer)
        return reviews.approve(
            case=case, by=user, own=own, alone=alone, needed=needed(count), answer=answer, now=now, expected=expected,
            seen=seen, precedent=precedent, days=_days(case, days),
        )  # fmt: skip
    if verb == "reject":
        return reviews.reject(
            case=case, by=user, own=own, alone=alone, answer=answer, now=now, expected=expected, seen=seen
        )
    if verb == "request-changes":
        return reviews.request_changes(
            case=case, by=user, own=own, answer=answer, now=now, expected=expected, seen=seen
        )
    raise WrongState(
        f"{verb!r} is no act; use one of {', '.join((*REVIEWER_VERBS, *UPLOADER_VERBS))}.", case.state
    )


def _days(case: Case, wanted: int) -> int:
    """Return how long an approval lasts: a year at most, less where a use policy may change under it."""
    flags = License.objects.filter(slug__in=list(case.licenses)).values_list("flags", flat=True)
    is_dynamic = any(str(flag).startswith(DYNAMIC) for told in flags for flag in told)
    most = DYNAMIC_DAYS if is_dynamic else APPROVAL_DAYS
    return min(wanted, most) if wanted > 0 else most


@transaction.atomic
def _reply(viewer: Viewer, case: Case, *, verb: str, text: str) -> Case:
    repo = _locked(case)
    access.require_write(viewer, repo)
    user = viewer.user
    if user is None:
        raise SignInNeeded("Sign in to answer.")
    verb_of = reviews.answer if verb == "answer" else reviews.appeal
    done = verb_of(case=case, by=user, text=text, now=timezone.now())
    record(repo, done, by=chain.person(user), role="maintainer")
    clearances.write(repo, done, by=chain.person(user))
    clearances.ask(repo)
    return done


def assign(viewer: Viewer, case: Case, *, mine: bool, days: int = 0) -> Case:
    """Take a case, give it back, or set it aside for some days."""
    user = require_review(viewer)
    until = timezone.now() + timedelta(days=min(days, MAX_SNOOZE_DAYS)) if days > 0 else None
    return reviews.assign(case=case, to=user if mine else None, snoozed_until=until)


def require_look(viewer: Viewer) -> User:
    """Return the reviewer who looks; raises SignInNeeded and NotAllowed."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to review.")
    if not may_review(viewer):
        raise NotAllowed("Only reviewers may see this, with a token that names no repositories.")
    return viewer.user


def require_review(viewer: Viewer) -> User:
    """Return the reviewer who acts; raises SignInNeeded and NotAllowed."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to review.")
    if not may_review(viewer) or not viewer.can_write:
        raise NotAllowed("Only reviewers may do this, with a token that may write and names no repositories.")
    return viewer.user


def role_of(user: User) -> str:
    """Return in which office somebody acts, for the log."""
    return "staff" if user.is_staff else "reviewer"


def _repo_of(case: Case) -> Repo:
    repo = Repo.objects.select_related("namespace").filter(pk=case.subject).first()
    if repo is None:
        raise EntryNotFound("The repository of this case is gone.")
    return repo


def _locked(case: Case) -> Repo:
    """Lock the repo's row before the case's, as everything does that writes both."""
    if clearances.lock(case.subject) is None:
        raise EntryNotFound("The repository of this case is gone.")
    return _repo_of(case)


def _tell(repo: Repo, case: Case) -> None:
    said = _SAYS.get(State(case.state))
    if said is None:
        return
    people = {user.pk: user for user in notices.keepers_of(repo)}
    if repo.created_by is not None:
        people[repo.created_by.pk] = repo.created_by
    notices.notify_all(
        people.values(), notices.REVIEW_DECIDED, repo, f"{repo.full_name} {said}.", terms_page(repo)
    )
