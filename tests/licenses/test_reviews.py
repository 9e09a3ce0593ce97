"""The life of a case: what leads where, who may decide, and what is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.accounts.models import User
from licenses import reviews
from licenses.cases import Found, due, expire, is_first_seen, open_case, precedent_of, reviewed_texts, settle
from licenses.errors import NeedsReason, NotYours, ReviewError, SecondPersonNeeded, WrongState
from licenses.loader import load_catalogue
from licenses.models import Case, Decision
from licenses.policy import State as Outcome
from licenses.reviews import Answer
from licenses.shipped import shipped_readings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, tzinfo=UTC)
State = Case.State
CITED = [{"license": "llama3.1", "term": "redistribution"}]
FIX = {"code": "DUTY-NAME", "severity": "fix", "license": "llama3.1", "subject": "meta/llama", "message": "m"}


@pytest.fixture(autouse=True)
def catalogue(db: None) -> None:
    wanted = ("apache-2.0", "llama3.1")
    load_catalogue({one: shipped_readings()[one] for one in wanted})


def people(*names: str) -> list[User]:
    return [User.objects.create(username=name, is_reviewer=True) for name in names]


def new_case(digest: str = "d1", subject: str = "s1", now: datetime = NOW) -> Case:
    return open_case(subject=subject, label="acme/m", commit="c", digest=digest, now=now)


def found(outcome: Outcome = Outcome.HELD, *, policies: Any = (), **told: Any) -> Found:
    columns = {
        "texts": told.pop("texts", ["t1"]), "licenses": told.pop("licenses", ["llama3.1"]),
        "concluded": "LicenseRef-llama3.1", "findings": told.pop("findings", []),
    }  # fmt: skip
    return Found(outcome, columns, list(policies), **{"first_seen": True, **told})


def held_case(**told: Any) -> Case:
    return settle(case=new_case(), found=found(**told), now=NOW)


def yes(case: Case, by: User, **changes: Any) -> Case:
    told: dict[str, Any] = {"own": False, "alone": False, "needed": 2, "answer": Answer(), "now": NOW}
    return reviews.approve(case=case, by=by, **{**told, **changes})


@pytest.mark.parametrize(
    ("outcome", "changed", "state"),
    [
        (Outcome.CLEAR, False, State.CLEAR),
        (Outcome.DECLARED, False, State.DECLARED),
        (Outcome.BLOCKED, False, State.BLOCKED),
        (Outcome.HELD, False, State.IN_REVIEW),
        (Outcome.HELD, True, State.STALE),
    ],
)
def test_a_scan_settles_a_new_case_by_what_the_policies_say(
    outcome: Outcome, changed: bool, state: str
) -> None:
    case = settle(case=new_case(), found=found(outcome, changed=changed), now=NOW)
    (done,) = case.decisions.all()
    assert (case.state, done.from_state, done.to_state, done.by) == (state, "scanning", state, None)
    settle(case=case, found=found(outcome, changed=changed), now=NOW)
    assert case.decisions.count() == 1


def test_what_was_never_seen_needs_two_persons_and_the_second_does_not_know_the_first_answer() -> None:
    ann, ben = people("ann", "ben")
    case = yes(held_case(), ann, answer=Answer(note_private="fine"))
    assert case.state == State.SECOND_REVIEW
    with pytest.raises(SecondPersonNeeded):
        yes(case, ann)
    assert len(reviews.decisions_for(case, ann.pk)) == 2
    assert len(reviews.decisions_for(case, ben.pk)) == 1
    case = yes(case, ben)
    assert (case.state, case.concluded) == (State.APPROVED, "LicenseRef-llama3.1")
    assert case.expires_at == NOW + timedelta(days=365)
    assert len(reviews.decisions_for(case, None)) == 3


def test_two_reviewers_who_conclude_differently_have_not_agreed() -> None:
    ann, ben = people("ann", "ben")
    case = yes(held_case(), ann)
    case = yes(case, ben, answer=Answer(concluded="Apache-2.0"))
    assert case.state == State.IN_REVIEW
    assert len(reviews.decisions_for(case, None)) == 3


def test_one_person_is_enough_where_one_is_asked_for_or_the_license_is_known() -> None:
    (ann,) = people("ann")
    assert yes(held_case(), ann, needed=1).state == State.APPROVED
    other = settle(case=new_case("d9", "s9"), found=found(first_seen=False), now=NOW)
    assert yes(other, ann).state == State.APPROVED


def test_nobody_decides_on_their_own_work_unless_there_is_nobody_else_and_they_say_why() -> None:
    (ann,) = people("ann")
    case = held_case()
    with pytest.raises(NotYours):
        yes(case, ann, own=True)
    with pytest.raises(NotYours):
        reviews.reject(case=case, by=ann, own=True, alone=False, answer=Answer(["GEO"], CITED), now=NOW)
    with pytest.raises(NeedsReason):
        yes(case, ann, own=True, alone=True)
    case = yes(case, ann, own=True, alone=True, answer=Answer(note_public="I read it."))
    assert (case.state, case.single_person) == (State.APPROVED, True)


def test_two_reviewers_at_once_get_one_result_and_a_clear_error() -> None:
    ann, ben = people("ann", "ben")
    case = held_case()
    yes(case, ann, needed=1, expected=State.IN_REVIEW)
    with pytest.raises(WrongState, match="somebody acted on it meanwhile") as error:
        yes(case, ben, needed=1, expected=State.IN_REVIEW)
    assert error.value.state == State.APPROVED
    assert case.decisions.filter(verb="approve").count() == 1


def test_a_decision_about_what_was_read_is_refused_when_the_findings_changed() -> None:
    (ann,) = people("ann")
    case = held_case()
    seen = reviews.fingerprint(case)
    settle(case=case, found=found(findings=[FIX]), now=NOW)
    with pytest.raises(WrongState, match="changed since you read it"):
        yes(case, ann, seen=seen)


def test_what_a_policy_blocks_cannot_be_approved_away() -> None:
    (ann,) = people("ann")
    block = {"id": "p", "title": "Never.", "action": "block", "waived": False}
    case = settle(case=new_case(), found=found(Outcome.BLOCKED, policies=[block]), now=NOW)
    with pytest.raises(WrongState):
        yes(case, ann)
    case = reviews.request_changes(
        case=case, by=ann, own=False, answer=Answer(note_public="Mend it."), now=NOW
    )
    assert case.state == State.NEEDS_INFO
    case = reviews.answer(case=case, by=ann, text="Mended.", now=NOW)
    with pytest.raises(WrongState, match=r"Never\."):
        yes(case, ann)


def test_a_rejection_cites_a_term_and_another_person_decides_on_the_appeal() -> None:
    ann, ben, carl = people("ann", "ben", "carl")
    case = held_case()
    for bad in (Answer(), Answer(["GEO"]), Answer((), CITED), Answer(["NO-CODE"], CITED)):
        with pytest.raises(NeedsReason):
            reviews.reject(case=case, by=ann, own=False, alone=False, answer=bad, now=NOW)
    case = reviews.reject(case=case, by=ann, own=False, alone=False, answer=Answer(["GEO"], CITED), now=NOW)
    assert case.state == State.REJECTED
    with pytest.raises(NeedsReason):
        reviews.appeal(case=case, by=carl, text=" ", now=NOW)
    case = reviews.appeal(case=case, by=carl, text="The clause is about another product.", now=NOW)
    with pytest.raises(SecondPersonNeeded):
        yes(case, ann, needed=1)
    assert settle(case=case, found=found(Outcome.CLEAR), now=NOW).state == State.APPEALED
    assert yes(case, ben, needed=1).state == State.APPROVED


def test_an_approval_outlives_scans_that_find_nothing_new_and_no_others() -> None:
    (ann,) = people("ann")
    case = yes(settle(case=new_case(), found=found(findings=[FIX]), now=NOW), ann, needed=1)
    assert settle(case=case, found=found(findings=[FIX]), now=NOW).state == State.APPROVED
    assert settle(case=case, found=found(), now=NOW).state == State.APPROVED
    assert settle(case=case, found=found(findings=[FIX | {"code": "GEO"}]), now=NOW).state == State.STALE
    case = yes(case, ann, needed=1)
    assert settle(case=case, found=found(texts=["t2"]), now=NOW).state == State.STALE
    case = yes(case, ann, needed=1)
    assert settle(case=case, found=found(Outcome.BLOCKED, texts=["t2"]), now=NOW).state == State.BLOCKED


def test_a_first_answer_is_asked_for_again_when_what_it_was_about_changed() -> None:
    ann, ben = people("ann", "ben")
    case = yes(held_case(), ann)
    assert settle(case=case, found=found(), now=NOW).state == State.SECOND_REVIEW
    assert settle(case=case, found=found(texts=["t2"]), now=NOW).state == State.IN_REVIEW
    assert yes(case, ben).state == State.SECOND_REVIEW
    assert yes(case, ann).state == State.APPROVED


def test_an_approval_runs_out() -> None:
    (ann,) = people("ann")
    case = yes(held_case(), ann, needed=1, days=90)
    later = NOW + timedelta(days=91)
    assert (list(due(NOW)), list(due(later))) == ([], [case])
    assert expire(case=case, now=NOW).state == State.APPROVED
    assert expire(case=case, now=later).state == State.STALE
    assert settle(case=case, found=found(), now=later).state == State.STALE


def test_another_revision_set_is_another_case_and_the_same_one_comes_back_as_it_was_left() -> None:
    (ann,) = people("ann")
    first = yes(held_case(), ann, needed=1)
    second = new_case("d2")
    assert (second.pk == first.pk, second.state) == (False, State.SCANNING)
    with pytest.raises(WrongState, match="newer revision"):
        yes(first, ann)
    again = new_case("d1")
    assert (again.pk, again.state) == (first.pk, State.APPROVED)
    settle(case=(blocked := new_case("d2")), found=found(Outcome.BLOCKED), now=NOW)
    new_case("d1")
    assert new_case("d2").state == State.SCANNING
    assert Case.objects.filter(subject="s1", current=True).get().pk == blocked.pk


def test_suspension_stops_and_reinstatement_returns_withdrawal_is_final() -> None:
    (ann,) = people("ann")
    case = yes(held_case(), ann, needed=1)
    with pytest.raises(NeedsReason):
        reviews.suspend(case=case, by=ann, reason="", now=NOW)
    case = reviews.suspend(case=case, by=ann, reason="A notice came in.", now=NOW)
    assert reviews.suspend(case=case, by=ann, reason="Again.", now=NOW).decisions.count() == 3
    assert settle(case=case, found=found(Outcome.CLEAR), now=NOW).state == State.SUSPENDED
    assert reviews.reinstate(case=case, by=ann, reason="Settled.", now=NOW).state == State.APPROVED
    case = reviews.suspend(case=case, by=ann, reason="Again.", now=NOW)
    late = NOW + timedelta(days=400)
    assert reviews.reinstate(case=case, by=ann, reason="Settled.", now=late).state == State.STALE
    case = reviews.withdraw(case=case, by=ann, reason="For good.", now=NOW)
    with pytest.raises(WrongState):
        reviews.reinstate(case=case, by=ann, reason="No.", now=NOW)


def test_a_decision_on_the_same_texts_is_a_precedent_until_it_runs_out() -> None:
    (ann,) = people("ann")
    assert is_first_seen(["t1"], ["llama3.1"])
    case = yes(held_case(), ann, needed=1, days=90)
    assert not is_first_seen(["t1"], ["llama3.1"])
    assert is_first_seen(["t2"], ["llama3.1"])
    assert reviewed_texts("s1") == frozenset({"t1"})
    last = precedent_of(["t1"], ["llama3.1"], now=NOW)
    assert last is not None and last.case_id == case.pk
    assert precedent_of([], ["llama3.1"], now=NOW) is None
    assert precedent_of(["t1"], ["apache-2.0"], now=NOW) is None
    assert precedent_of(["t1"], ["llama3.1"], now=NOW + timedelta(days=91)) is None
    settle(case=case, found=found(texts=["t2"]), now=NOW)
    assert reviewed_texts("s1") == frozenset({"t1"})
    reviews.suspend(case=case, by=ann, reason="Stop.", now=NOW)
    assert precedent_of(["t1"], ["llama3.1"], now=NOW) is None


def test_a_conclusion_must_be_an_expression_of_the_catalogue() -> None:
    (ann,) = people("ann")
    case = held_case()
    with pytest.raises(NeedsReason, match="catalogue"):
        yes(case, ann, answer=Answer(concluded="Nonsense-1.0"))
    case = yes(
        case, ann, needed=1, answer=Answer(concluded="Apache-2.0 AND llama3.1", conditions=["Say so."])
    )
    assert (case.concluded, case.conditions) == ("Apache-2.0 AND llama3.1", ["Say so."])


_ACTS: dict[str, Callable[[Case, User], Case]] = {
    "approve": lambda case, by: yes(case, by, needed=1),
    "reject": lambda case, by: reviews.reject(
        case=case, by=by, own=False, alone=False, answer=Answer(["GEO"], CITED), now=NOW
    ),
    "request-changes": lambda case, by: reviews.request_changes(
        case=case, by=by, own=False, answer=Answer(note_public="Mend it."), now=NOW
    ),
    "answer": lambda case, by: reviews.answer(case=case, by=by, text="Done.", now=NOW),
    "appeal": lambda case, by: reviews.appeal(case=case, by=by, text="No.", now=NOW),
    "reinstate": lambda case, by: reviews.reinstate(case=case, by=by, reason="Yes.", now=NOW),
}
_LEADS = {
    "approve": {"in-review", "second-review", "stale", "appealed"},
    "reject": {"in-review", "second-review", "stale", "appealed", "needs-info", "blocked"},
    "request-changes": {"in-review", "second-review", "stale", "appealed", "needs-info", "blocked"},
    "answer": {"needs-info", "blocked"},
    "appeal": {"rejected"},
    "reinstate": {"suspended"},
}


@pytest.mark.parametrize("verb", list(_ACTS))
def test_each_verb_works_from_its_own_states_and_from_no_other(verb: str) -> None:
    (ann,) = people("ann")
    works = set()
    for number, state in enumerate(State.values):
        case = new_case(f"d{number}", f"s{number}")
        settle(case=case, found=found(), now=NOW)
        Case.objects.filter(pk=case.pk).update(state=state)
        before = Decision.objects.count()
        try:
            _ACTS[verb](case, ann)
            works.add(state)
        except ReviewError:
            case.refresh_from_db()
            assert (case.state, Decision.objects.count()) == (state, before)
    assert works == _LEADS[verb]
