"""Policies and waivers as rows."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.accounts.models import User
from licenses import policies
from licenses.cases import Found, open_case, settle
from licenses.errors import BadWaiver
from licenses.findings import Code, Finding, Severity
from licenses.models import Case, PolicyRow
from licenses.policies import (
    current_policies,
    facts_of_case,
    load_policies,
    try_policies,
    waive,
    write_policy,
)
from licenses.policy import Action, BadPolicy, Policy, State, decide, shipped_policies
from licenses.records import finding_from_json, finding_to_json

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_shipped_policies_load_once_and_leave_alone_what_a_person_wrote() -> None:
    shipped = shipped_policies()
    assert current_policies() == shipped
    assert load_policies(shipped) == len(shipped)
    assert load_policies(shipped) == 0
    assert current_policies() == shipped
    row = PolicyRow.objects.get(slug="permissive-declared")
    write_policy(slug=row.slug, fields={"title": "T", "when": row.when, "action": "hold"}, enabled=False)
    assert load_policies(shipped) == 0
    assert "permissive-declared" not in [one.id for one in current_policies()]
    assert load_policies(shipped[:1]) == 0
    assert set(PolicyRow.objects.values_list("slug", flat=True)) == {shipped[0].id, "permissive-declared"}


@pytest.mark.parametrize(
    "fields",
    [{}, {"title": "t", "when": {}, "action": "hold"}, {"title": "t", "when": {"x": 1}, "action": "hold"}],
)
def test_a_policy_that_cannot_be_read_is_not_kept(fields: dict[str, object]) -> None:
    with pytest.raises(BadPolicy):
        write_policy(slug="mine", fields=fields)
    assert not PolicyRow.objects.exists()


def _scanned(name: str, *findings: Finding) -> None:
    case = open_case(subject=name, label=f"acme/{name}", commit="c", digest="d", now=NOW)
    told = {
        "findings": [finding_to_json(one) for one in findings], "texts": [],
        "lineage": {"facts": {
            "categories": ["permissive"], "confidences": ["high"], "identification": "agrees", "ancestors_clear": True,
        }},
    }  # fmt: skip
    settle(case=case, found=Found(State.CLEAR, told, []), now=NOW)


def test_a_dry_run_names_what_would_be_stopped_and_changes_nothing() -> None:
    _scanned("one")
    _scanned("two", Finding(Code.FIELD, Severity.INFO, "m"))
    stop = Policy("stop", "Not that one.", {"categories": ["permissive"]}, Action.HOLD, ("acme/one",))
    changes = list(try_policies([*current_policies(), stop], now=NOW))
    assert [(one.subject, one.would_stop) for one in changes] == [("acme/one", True)]
    assert list(try_policies(current_policies(), now=NOW)) == []


def test_a_waiver_sets_one_policy_aside_for_one_subject_until_it_ends() -> None:
    grave = Finding(Code.LIN_RELICENSED, Severity.BLOCK, "m")
    _scanned("one", grave)
    _scanned("two", grave)
    by = User.objects.create(username="ann")
    told = {"subject": "one", "label": "acme/one", "by": by, "now": NOW}
    ends = NOW + timedelta(days=7)
    for bad in (
        {"policy": "permissive-agreed", "justification": "j", "expires_at": ends},
        {"policy": "blocking-findings", "justification": " ", "expires_at": ends},
        {"policy": "blocking-findings", "justification": "j", "expires_at": NOW},
    ):
        with pytest.raises(BadWaiver):
            waive(**told, **bad)  # type: ignore[arg-type]
    row = waive(**told, policy="blocking-findings", justification="j", expires_at=ends)  # type: ignore[arg-type]

    def verdicts(now: datetime) -> list[str]:
        cases = Case.objects.order_by("subject")
        return [decide(facts_of_case(case, now=now), current_policies(), now=now).state for case in cases]

    assert verdicts(NOW) == [State.HELD, State.BLOCKED]
    assert verdicts(ends) == [State.BLOCKED, State.BLOCKED]
    policies.revoke(waiver=row, now=NOW)
    assert verdicts(NOW) == [State.BLOCKED, State.BLOCKED]


def test_a_finding_survives_its_way_through_the_database() -> None:
    finding = Finding(
        Code.GEO, Severity.BLOCK, "No\0 \udcff", "Ask.", "llama4", "geographic_exclusions", "a/b"
    )
    told = finding_to_json(finding)
    assert finding_from_json(told) == Finding(
        Code.GEO, Severity.BLOCK, "No\ufffd ?", "Ask.", "llama4", "geographic_exclusions", "a/b"
    )


def test_what_was_kept_before_licences_were_spelt_so_is_shown_as_others_are() -> None:
    told = finding_to_json(Finding(
        Code.LIC_AMBIGUOUS, Severity.FIX, "'Quay license 2' is the name of several licenses: quay-license, b.",
        "Add the license's text as LICENSE, or that of MIT License.",
    ))  # fmt: skip
    found = finding_from_json(told)
    assert found.message == "'Quay license 2' is the name of several licences: quay-license, b."
    assert found.clear == "Add the licence's text as LICENSE, or that of MIT License."
