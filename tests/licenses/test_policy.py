"""Facts in, verdict out: the policies that ship, waivers, trials, and texts that change."""

from datetime import UTC, datetime, timedelta

import pytest

from licenses.ancestry import Edge, Node, Relation
from licenses.duties import Proof
from licenses.facts import Facts, Waiver, consent_covers, facts_of, text_changes
from licenses.findings import Code, Finding, Severity
from licenses.identify import Catalogue
from licenses.lineage import judge
from licenses.matches import Detection
from licenses.policy import (
    BadPolicy,
    Mode,
    Policy,
    State,
    Verdict,
    decide,
    dry_run,
    parse_policies,
    shipped_policies,
)
from licenses.shipped import shipped_readings
from licenses.terms import Confidence
from tests.licenses.known import corpus, text_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
READINGS = shipped_readings()
CATALOGUE = Catalogue(READINGS)


def verdict(facts: Facts) -> Verdict:
    return decide(facts, shipped_policies(), now=NOW)


def pushed(declared: object, text: str = "", base: str = "", precedent: str = "", **proof: object) -> Facts:
    """Return the facts of a repository with this label, this LICENSE and a base under this licence."""
    files: dict[str, Detection] = {"LICENSE": corpus().detect(text.encode())} if text else {}
    found = CATALOGUE.identify(CATALOGUE.declared(declared), files)
    nodes = {"t/t": Node("t/t", found.declared.ids)}
    edges = []
    if base:
        nodes["b/b"] = Node("b/b", (base,) if base in READINGS else None)
        edges = [Edge("t/t", "b/b", Relation.FINETUNE)]
    lineage = judge("t/t", nodes, edges, Proof("t/t", **proof), READINGS)  # type: ignore[arg-type]
    return facts_of("t/t", found, lineage, READINGS, precedent=precedent)


def test_a_permissive_card_with_its_text_is_clear_at_once() -> None:
    assert verdict(pushed("mit", text_of("mit"))) == Verdict(
        State.CLEAR, ("permissive-agreed",), (shipped_policies()[3].title,)
    )


def test_a_permissive_card_alone_clears_on_its_word_and_says_so() -> None:
    found = verdict(pushed("apache-2.0"))
    assert (found.state, found.policies, found.releases) == (State.DECLARED, ("permissive-declared",), True)
    assert [one.code for one in found.findings] == [Code.LIC_MISSING]


@pytest.mark.parametrize(
    ("declared", "text", "base", "state"),
    [
        ("llama3.1", "llama3.1", "", State.HELD),
        ("mit", "apache-2.0", "", State.HELD),
        ("other", "", "", State.BLOCKED),
        (None, "mit", "", State.BLOCKED),
        ("mit", "mit", "nobody-knows", State.BLOCKED),
        ("mit", "mit", "llama3.1", State.BLOCKED),
        ("internlm-license", "", "", State.BLOCKED),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", "", State.HELD),
        (["mit", "apache-2.0"], "mit", "", State.HELD),
    ],
)
def test_everything_else_waits_for_a_person(declared: object, text: str, base: str, state: State) -> None:
    assert verdict(pushed(declared, text and text_of(text), base)).state is state


def test_an_altered_permissive_text_is_never_cleared() -> None:
    text = text_of("mit") + "\nFor research use only.\n"
    assert verdict(pushed("mit", text)).state is State.HELD


def test_a_text_approved_before_carries_others_over() -> None:
    assert verdict(pushed("llama3.1", text_of("llama3.1"), precedent="approved")).state is State.CLEAR
    assert verdict(pushed("mit", text_of("mit"), "llama3.1", precedent="approved")).state is State.BLOCKED


def test_without_policies_nothing_is_released() -> None:
    found = decide(pushed("mit", text_of("mit")), (), now=NOW)
    assert (found.state, found.releases) == (State.HELD, False)
    assert verdict(Facts("t/t")).state is State.HELD


def test_case_15_a_changed_text_makes_a_decision_stale_and_old_consent_stays_what_it_was() -> None:
    before, after = frozenset({"a" * 64}), frozenset({"b" * 64})
    facts = Facts(
        "t/t", ("permissive",), (Confidence.HIGH,), "agrees", True, texts=after, reviewed_texts=before
    )
    assert [one.code for one in text_changes(facts)] == [Code.TEXT_CHANGED]
    assert verdict(facts).state is State.HELD and "text-changed" in verdict(facts).policies
    same = Facts(
        "t/t", ("permissive",), (Confidence.HIGH,), "agrees", True, texts=before, reviewed_texts=before
    )
    assert verdict(same).state is State.CLEAR
    assert consent_covers(before, before) and not consent_covers(before, after)
    assert not consent_covers(before, before | after)


def test_a_waiver_sets_one_policy_aside_for_one_subject_until_it_ends() -> None:
    blocked = Finding(Code.LIN_RELICENSED, Severity.BLOCK, "no")
    policies = parse_policies(
        "- {id: stop, title: s, when: {worst_finding: block}, action: block}\n"
        "- {id: also, title: a, when: {categories: [permissive]}, action: block}\n"
        "- {id: go, title: g, when: {categories: [permissive]}, action: clear}\n"
    )

    def state(*waivers: Waiver) -> State:
        facts = Facts("t/t", ("permissive",), (Confidence.HIGH,), findings=(blocked,), waivers=waivers)
        return decide(facts, policies, now=NOW).state

    stop, also = (
        Waiver(one, "t/t", "agreed in writing", NOW + timedelta(days=1)) for one in ("stop", "also")
    )
    assert state() is State.BLOCKED
    assert state(stop) is State.BLOCKED
    assert state(stop, also) is State.CLEAR
    assert state(stop, Waiver("also", "t/t", "too late", NOW)) is State.BLOCKED
    assert state(stop, Waiver("also", "x/x", "elsewhere", NOW + timedelta(days=1))) is State.BLOCKED


def test_a_dry_run_lists_what_would_be_stopped_and_changes_nothing() -> None:
    facts = [pushed("mit", text_of("mit")), pushed("llama3.1", text_of("llama3.1"))]
    strict = (
        Policy(
            "no-mit", "No MIT here", {"categories": ["permissive"]}, shipped_policies()[0].action, ("t/*",)
        ),
    )
    changes = list(
        dry_run(facts, current=shipped_policies(), proposed=(*strict, *shipped_policies()), now=NOW)
    )
    assert [(one.before.state, one.after.state, one.would_stop) for one in changes] == [
        (State.CLEAR, State.BLOCKED, True)
    ]
    elsewhere = (
        Policy("no-mit", "x", {"categories": ["permissive"]}, shipped_policies()[0].action, ("z/*",)),
    )
    assert not list(
        dry_run(facts, current=shipped_policies(), proposed=(*elsewhere, *shipped_policies()), now=NOW)
    )


def test_only_an_enforced_review_refuses() -> None:
    held = verdict(pushed("llama3.1", text_of("llama3.1")))
    assert [held.lets_pass(mode) for mode in (Mode.OFF, Mode.ADVISORY, Mode.ENFORCED)] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: b", "must be a list"),
        ("- {id: a}", "a policy has id, title, when, action"),
        ("- {id: a, title: t, when: {}, action: clear}", "a policy for everything is none"),
        ("- {id: a, title: t, when: {colour: red}, action: clear}", "when.colour is no fact"),
        ("- {id: a, title: t, when: {categories: [nice]}, action: clear}", "must be one of permissive"),
        ("- {id: a, title: t, when: {ancestors: clear}, action: allow}", "action is 'allow'"),
    ],
)
def test_a_policy_that_cannot_mean_what_it_says_is_refused(text: str, fault: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_policies(text)
    assert fault in str(caught.value)
