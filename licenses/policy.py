"""PURE: facts in, verdict out.  Knows no rows, no clock and no settings: what it must know is handed to it.

Policies are data: a condition, a scope, an action.  Every blocking policy decides by itself and is waived by itself;
a hold waits for a person; only where none of them speaks can another policy clear.  Nothing is cleared by default.
"""

import fnmatch
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import resources
from typing import Any

import yaml

from licenses.facts import Facts, text_changes
from licenses.findings import Finding, Severity
from licenses.terms import CATEGORIES, Confidence

_FILE = "catalogue/policies.yaml"
_FIELDS = {"id", "title", "when", "scope", "action"}
# Facts of which a policy names several words; of every other it names one.
_LISTS = {"categories"}


class Action(StrEnum):
    BLOCK = "block"
    HOLD = "hold"
    DECLARED = "declared"
    CLEAR = "clear"


class State(StrEnum):
    """``declared`` is cleared on the card's word, with no text to prove it."""

    CLEAR = "clear"
    DECLARED = "declared"
    HELD = "held"
    BLOCKED = "blocked"


class Mode(StrEnum):
    """``advisory`` says everything and refuses nothing; ``off`` does not ask."""

    OFF = "off"
    ADVISORY = "advisory"
    ENFORCED = "enforced"


class BadPolicy(ValueError):
    """A policy cannot be read; the message names it, the field and what it may be."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``when`` maps facts to what they must be; all of them must hold."""

    id: str
    title: str
    when: Mapping[str, Any]
    action: Action
    scope: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``policies`` names every policy that led to the state, ``waived`` those that were set aside."""

    state: State
    policies: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def releases(self) -> bool:
        return self.state in (State.CLEAR, State.DECLARED)

    def lets_pass(self, mode: Mode) -> bool:
        """Say whether bytes may be handed out under a mode of review."""
        return self.releases or mode is not Mode.ENFORCED


def decide(facts: Facts, policies: Sequence[Policy], *, now: datetime) -> Verdict:
    """Return the verdict of these policies on these facts."""
    fitting = [policy for policy in policies if _in_scope(policy, facts) and _holds(policy.when, facts)]
    waived = {
        waiver.policy
        for waiver in facts.waivers
        if waiver.subject == facts.subject and waiver.expires_at > now
    }
    set_aside = tuple(policy.id for policy in fitting if policy.id in waived)
    acting = [policy for policy in fitting if policy.id not in waived]
    for action, state in (
        (Action.BLOCK, State.BLOCKED),
        (Action.HOLD, State.HELD),
        (Action.CLEAR, State.CLEAR),
        (Action.DECLARED, State.DECLARED),
    ):
        if found := [policy for policy in acting if policy.action is action]:
            ids, titles = zip(*((policy.id, policy.title) for policy in found), strict=True)
            return Verdict(state, ids, titles, set_aside, facts.findings)
    return Verdict(State.HELD, (), ("No policy clears this; a person decides.",), set_aside, facts.findings)


@dataclass(frozen=True, slots=True)
class Change:
    """What a trial of other policies would change for one subject."""

    subject: str
    before: Verdict
    after: Verdict

    @property
    def would_stop(self) -> bool:
        return self.before.releases and not self.after.releases


def dry_run(
    facts: Iterable[Facts], *, current: Sequence[Policy], proposed: Sequence[Policy], now: datetime
) -> Iterator[Change]:
    """Yield every subject on which other policies would decide otherwise; nothing is changed."""
    for one in facts:
        before, after = decide(one, current, now=now), decide(one, proposed, now=now)
        if (before.state, before.policies) != (after.state, after.policies):
            yield Change(one.subject, before, after)


def parse_policies(text: str, *, where: str = "policies") -> tuple[Policy, ...]:
    """Read policies from YAML; raises BadPolicy."""
    rows = yaml.safe_load(text)
    if not isinstance(rows, list):
        raise BadPolicy(f"{where}: there must be a list of policies.")
    return tuple(parse_policy(row, where=where) for row in rows)


@functools.cache
def shipped_policies() -> tuple[Policy, ...]:
    """Return the policies that a new hub starts with."""
    text = resources.files("licenses").joinpath(_FILE).read_text(encoding="utf-8")
    return parse_policies(text, where=_FILE)


def parse_policy(row: object, *, where: str = "policies") -> Policy:
    """Read one policy from what YAML or JSON gave; raises BadPolicy."""
    if not isinstance(row, dict) or not {"id", "title", "when", "action"} <= set(row) <= _FIELDS:
        raise BadPolicy(f"{where}: a policy has id, title, when, action and perhaps scope, not {row!r:.200}.")
    name = f"{where}: {row['id']}"
    if row["action"] not in [*Action]:
        raise BadPolicy(f"{name}: action is {row['action']!r}, but must be one of {', '.join(Action)}.")
    if not isinstance(row["when"], dict) or not row["when"]:
        raise BadPolicy(f"{name}: when must name at least one fact; a policy for everything is none.")
    for key, wanted in row["when"].items():
        if key not in _CONDITIONS:
            raise BadPolicy(f"{name}: when.{key} is no fact; the facts are {', '.join(_CONDITIONS)}.")
        allowed = _CONDITIONS[key].allowed
        if isinstance(wanted, list) is not (key in _LISTS):
            shape = "a list" if key in _LISTS else "one word"
            raise BadPolicy(f"{name}: when.{key} must be {shape} of {', '.join(allowed)}.")
        if odd := [
            one for one in (wanted if isinstance(wanted, list) else [wanted]) if one not in list(allowed)
        ]:
            raise BadPolicy(
                f"{name}: when.{key} holds {odd[0]!r:.80}, but must be one of {', '.join(allowed)}."
            )
    scope = row.get("scope", ["*"])
    if (
        not isinstance(scope, list)
        or not scope
        or not all(isinstance(one, str) and one.strip() for one in scope)
    ):
        raise BadPolicy(f"{name}: scope must be a list of patterns of names, such as acme/*.")
    for field_name in ("id", "title"):
        if not isinstance(row[field_name], str) or not row[field_name].strip():
            raise BadPolicy(f"{name}: {field_name} must be a text.")
    return Policy(
        row["id"],
        row["title"],
        row["when"],
        Action(row["action"]),
        tuple(scope),
    )


def known_facts() -> Mapping[str, Sequence[str]]:
    """Return the facts that a policy can name, each with the words that it can ask for."""
    return {key: list(map(str, one.allowed)) for key, one in _CONDITIONS.items()}


def _in_scope(policy: Policy, facts: Facts) -> bool:
    return any(fnmatch.fnmatchcase(facts.subject, pattern) for pattern in policy.scope)


def _holds(when: Mapping[str, Any], facts: Facts) -> bool:
    return all(_CONDITIONS[key].holds(facts, wanted) for key, wanted in when.items())


@dataclass(frozen=True, slots=True)
class _Condition:
    """``allowed`` are the words that a policy may use for a fact."""

    allowed: Sequence[str]
    holds: Callable[[Facts, Any], bool]


_SEVERITIES = tuple(Severity)


def _worst(facts: Facts) -> str:
    found = [*facts.findings, *text_changes(facts)]
    return min((one.severity for one in found), key=_SEVERITIES.index, default="none")


def _worst_is(facts: Facts, wanted: str) -> bool:
    """A policy that blocks or holds names the gravity it stops at; one that clears names the gravest it accepts."""
    worst = _worst(facts)
    if wanted in (Severity.BLOCK, Severity.FIX):
        return worst == wanted
    return worst not in (Severity.BLOCK, Severity.FIX) and (wanted == Severity.WARN or worst != Severity.WARN)


def _categories(facts: Facts, wanted: list[str]) -> bool:
    return bool(facts.categories) and set(facts.categories) <= set(wanted)


def _confidence(facts: Facts, wanted: str) -> bool:
    order = list(Confidence)
    return bool(facts.confidences) and all(
        order.index(one) <= order.index(Confidence(wanted)) for one in facts.confidences
    )


_CONDITIONS: Mapping[str, _Condition] = {
    "categories": _Condition(CATEGORIES, _categories),
    "confidence": _Condition([*Confidence], _confidence),
    "identification": _Condition(
        ["agrees", "declared-only", "open"], lambda facts, wanted: facts.identification == wanted
    ),
    "ancestors": _Condition(
        ["clear", "open"], lambda facts, wanted: facts.ancestors_clear is (wanted == "clear")
    ),
    "worst_finding": _Condition(["block", "fix", "warn", "info"], _worst_is),
    "texts": _Condition(
        ["changed", "same"], lambda facts, wanted: bool(text_changes(facts)) is (wanted == "changed")
    ),
    "precedent": _Condition(["approved", "rejected"], lambda facts, wanted: facts.precedent == wanted),
}
