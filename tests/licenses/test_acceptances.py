"""What people agree to: exact texts, for exactly as long as it stands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.accounts.models import User
from licenses import acceptances
from licenses.acceptances import Person, key_of, shown_of
from licenses.cases import Found, open_case, settle
from licenses.errors import NeedsReason, NotYours, StaleTerms, UseRefused
from licenses.loader import load_catalogue
from licenses.models import Acceptance, Case
from licenses.policy import State as Outcome
from licenses.shipped import shipped_readings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TEXT = {"license": "llama3.2", "kind": "license", "version": "", "sha256": "a" * 64, "title": "Llama 3.2"}
POLICY = {
    "license": "llama3.2",
    "kind": "use-policy",
    "version": "",
    "sha256": "b" * 64,
    "title": "Use policy",
}
ASKED = [{"name": "country", "type": "country"}]
EU = {"license": "llama3.2", "origin": "meta/llama", "region": "EU", "scope": "", "modality": ""}


def case_of(*documents: dict[str, str], geography: Any = (), digest: str = "d") -> Case:
    load_catalogue({"llama3.2": shipped_readings()["llama3.2"]})
    case = open_case(subject="s", label="acme/m", commit="c", digest=digest, now=NOW)
    columns = {"consent": list(documents), "lineage": {"geography": list(geography)}}
    return settle(case=case, found=Found(Outcome.CLEAR, columns, []), now=NOW)


def person(name: str = "ann", **told: Any) -> Person:
    user, _ = User.objects.get_or_create(username=name)
    return Person(user=user, method="click", **told)


def give(case: Case, who: Person, **changes: Any) -> Acceptance:
    documents = acceptances.required(case)
    told = {"key": key_of("s", documents), "shown": shown_of(documents, ASKED), "asked": ASKED, "now": NOW}
    return acceptances.accept(case=case, person=who, **{**told, **changes})


def holds(who: Person, case: Case, *, organizations: Any = (), now: datetime = NOW) -> bool:
    key = key_of("s", acceptances.required(case))
    found = acceptances.valid(
        user_id=who.user.pk, subjects=["s"], key=key, organizations=organizations, now=now
    )
    return found is not None


def test_an_acceptance_counts_for_the_exact_texts_and_for_nobody_else() -> None:
    case, ann = case_of(TEXT, POLICY), person()
    given = give(case, ann)
    assert [one.slug for one in given.licenses.all()] == ["llama3.2"]
    assert holds(ann, case)
    assert not holds(person("ben"), case)
    assert key_of("s", [TEXT, POLICY]) == key_of("s", [POLICY, TEXT])
    changed = case_of({**TEXT, "sha256": "c" * 64}, POLICY, digest="d2")
    assert not holds(ann, changed)
    second = give(changed, ann)
    given.refresh_from_db()
    assert (given.superseded_by, holds(ann, changed), Acceptance.objects.count()) == (second, True, 2)


def test_an_acceptance_that_was_made_for_another_text_is_refused() -> None:
    case, ann = case_of(TEXT), person()
    replayed = {"key": key_of("s", [TEXT]), "shown": shown_of([TEXT], ASKED)}
    changed = case_of({**TEXT, "sha256": "c" * 64}, digest="d2")
    for other in (replayed, {"key": ""}, {"shown": shown_of([TEXT], [])}):
        with pytest.raises(StaleTerms):
            give(changed, ann, **other)
    with pytest.raises(StaleTerms):
        give(Case.objects.get(pk=case.pk), ann)
    assert not Acceptance.objects.exists()


def test_nothing_is_asked_where_there_are_no_documents() -> None:
    case = case_of()
    assert key_of("s", acceptances.required(case)) == ""
    with pytest.raises(StaleTerms):
        give(case, person())


def test_a_country_that_the_license_excludes_is_refused() -> None:
    case = case_of(TEXT, geography=[EU])
    with pytest.raises(UseRefused) as error:
        give(case, person(country="DE"))
    assert [one.code for one in error.value.findings] == ["GEO"]
    assert give(case, person(country="US")).country == "US"
    vision = case_of(TEXT, geography=[EU | {"scope": "multimodal", "modality": "text"}], digest="d2")
    assert give(vision, person(country="DE")).country == "DE"


def test_an_officer_accepts_for_all_members_of_an_organization() -> None:
    case, ann, ben = case_of(TEXT), person(organization="acme"), person("ben")
    told: dict[str, Any] = {
        "key": key_of("s", [TEXT]), "shown": shown_of([TEXT], ASKED), "asked": ASKED, "now": NOW
    }  # fmt: skip
    with pytest.raises(NeedsReason):
        acceptances.accept_for_organization(case=case, person=ann, officer=" ", **told)
    with pytest.raises(NeedsReason):
        acceptances.accept_for_organization(
            case=case, person=replace(ann, organization=""), officer="CTO", **told
        )
    given = acceptances.accept_for_organization(case=case, person=ann, officer="CTO", **told)
    assert given.fields == {"officer": "CTO"}
    assert holds(ben, case, organizations=["acme"])
    assert not holds(ben, case, organizations=["other"])
    assert not holds(ben, case)
    assert not holds(ann, case)


def test_an_acceptance_ends_by_withdrawal_and_by_time_and_is_never_erased() -> None:
    case, ann = case_of(TEXT), person()
    given = give(case, ann, expires_at=NOW + timedelta(days=30))
    assert holds(ann, case, now=NOW + timedelta(days=29))
    assert not holds(ann, case, now=NOW + timedelta(days=30))
    with pytest.raises(NotYours):
        acceptances.withdraw(acceptance=given, by=person("ben").user, may=False, now=NOW)
    for _ in range(2):
        taken = acceptances.withdraw(acceptance=given, by=ann.user, may=True, now=NOW)
    assert taken.withdrawn_at == NOW
    assert not holds(ann, case)
    assert Acceptance.objects.count() == 1
    give(case, ann)
    assert holds(ann, case)
