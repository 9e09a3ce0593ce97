"""PURE: obligations folded over where a model comes from, and what stands in the way of handing it on.

Permissions intersect, limits unite, thresholds and duties are all kept, each with its origin.  What is unknown holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from licenses.ancestry import SAME_WORK, Ancestry, Bound, Edge, Node, Relation, ancestry
from licenses.duties import Duty, Proof, duties_of, mentions, missing_duties, output_duties
from licenses.expressions import all_of
from licenses.findings import Code, Finding, Severity, in_order
from licenses.terms import LIMITS, TERMS, Reading, Threshold, Value, fold

# Licences of which each forbids what the other asks, though neither restricts use.
_INCOMPATIBLE = frozenset({frozenset({"gpl-2.0", "apache-2.0"})})
# Licences that say of each other that they go together.
_COMPATIBLE = frozenset({"gpl-3.0", "agpl-3.0", "lgpl-3.0"}), frozenset({"gpl-2.0", "lgpl-2.1"})
_FURTHER_LIMITS = ("field_of_use_restrictions", "geographic_exclusions", "usage_thresholds")


class Outcome(StrEnum):
    """``clear`` where nothing is open; ``hold`` where the uploader or a reviewer can clear it; ``block`` else."""

    CLEAR = "clear"
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Inherited:
    """A threshold or an excluded region, with the licence and the ancestor it comes from."""

    license: str
    origin: str
    threshold: Threshold | None = None
    region: str = ""
    scope: str = ""
    modality: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """``concluded`` binds whoever hands the model on, ``effective_use`` whoever runs it; both are SPDX expressions."""

    concluded: str
    effective_use: str
    licenses: tuple[str, ...]
    use_licenses: tuple[str, ...]
    values: Mapping[str, Value]
    thresholds: tuple[Inherited, ...]
    geography: tuple[Inherited, ...]
    duties: frozenset[Duty]
    findings: tuple[Finding, ...]
    gate: str = "open"

    @property
    def outcome(self) -> Outcome:
        if any(one.severity is Severity.BLOCK for one in self.findings):
            return Outcome.BLOCK
        return Outcome.HOLD if any(one.holds for one in self.findings) else Outcome.CLEAR


def judge(
    target: str,
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    proof: Proof,
    readings: Mapping[str, Reading],
) -> Lineage:
    """Return what binds a model and everything that stands in the way; nothing about it is looked up elsewhere."""
    tree = ancestry(target, nodes, edges, readings)
    bound = tree.bound
    known = {one: readings[one] for one in bound.use if one in readings}
    findings = [*tree.findings, *_unread(bound, readings)]
    up = tree.parents
    findings += _relicensed(nodes.get(target, Node(target)), bound, up, readings)
    findings += _conflicts(bound, readings)
    findings += _hosting(bound, readings)
    findings += _inherited_duties(nodes.get(target, Node(target)), bound, up, proof, readings)
    findings += _adapter(bound, up, proof, readings)
    findings += _teachers_and_data(tree, up, proof, readings)
    return Lineage(
        concluded=all_of((one for one in bound.spread if one in readings), readings),
        effective_use=all_of(known, readings),
        licenses=tuple(bound.spread),
        use_licenses=tuple(bound.use),
        values={key: fold(key, _values(key, bound, readings)) for key in TERMS},
        thresholds=tuple(_thresholds(bound, known)),
        geography=tuple(_geography(target, bound, known, nodes)),
        duties=frozenset(
            duty
            for one, origins in bound.inherited.items()
            if one in readings
            for duty in duties_of(readings[one], _first(origins))
        ),
        findings=in_order(findings),
        gate="click" if any(one.value("gating_usual") is Value.YES for one in known.values()) else "open",
    )


def _values(key: str, bound: Bound, readings: Mapping[str, Reading]) -> Iterator[Value]:
    for one in bound.use:
        yield readings[one].value(key) if one in readings else Value.UNKNOWN


def _first(origins: Iterable[str]) -> str:
    return min(origins)


def _unread(bound: Bound, readings: Mapping[str, Reading]) -> Iterator[Finding]:
    for one, origins in bound.use.items():
        if one not in readings:
            yield Finding(
                Code.LIN_UNRESOLVED, Severity.BLOCK, f"{one} is no licence of the catalogue.",
                "A reviewer adds it to the catalogue.", one, "", _first(origins),
            )  # fmt: skip
    if not bound.use:
        yield Finding(
            Code.LIC_MISSING, Severity.BLOCK, "No licence is known.", "Name the licence on the card."
        )


def _briefs(ids: Iterable[str], readings: Mapping[str, Reading]) -> str:
    found = {one: readings.get(one) for one in sorted(ids)}
    return ", ".join((one.spdx or one.name) if one else name for name, one in found.items())


def _relicensed(
    node: Node, bound: Bound, edges: Sequence[Edge], readings: Mapping[str, Reading]
) -> Iterator[Finding]:
    """Yield a finding for each inherited licence that the model's own label leaves out."""
    own = set(node.licenses or ())
    same = any(edge.relation in SAME_WORK for edge in edges)
    for one, origins in bound.inherited.items():
        reading = readings.get(one)
        if reading is None or one in own:
            continue
        if reading.is_permissive and not same:
            continue
        if same and not own:
            continue
        why = "is another form of it" if same else "descends from it, and its terms travel"
        yield Finding(
            Code.LIN_RELICENSED, Severity.BLOCK,
            f"The card says {_briefs(own, readings) or 'no licence of the catalogue'}; {_first(origins)} is under "
            f"{reading.name}, and this {why}.",
            f"Declare {all_of((other for other in bound.spread if other in readings), readings)}.",
            one, "derivatives_same_license", _first(origins),
        )  # fmt: skip


def _conflicts(bound: Bound, readings: Mapping[str, Reading]) -> Iterator[Finding]:
    there = [readings[one] for one in bound.spread if one in readings]
    for first, second in combinations(there, 2):
        if why := _conflict(first, second) or _conflict(second, first):
            yield Finding(
                Code.LIN_CONFLICT, Severity.BLOCK, why, "Leave one of the parents out, or ask its steward.",
                f"{first.id}, {second.id}", "derivatives_same_license", _first(bound.spread[second.id]),
            )  # fmt: skip


def _conflict(first: Reading, second: Reading) -> str:
    """Say why what the first demands of the whole cannot be had together with the second; '' where it can."""
    if frozenset({first.id, second.id}) in _INCOMPATIBLE:
        return f"{first.name} and {second.name} cannot bind the same work."
    if first.name_prefix and second.name_prefix:
        one, two = first.name_prefix.casefold(), second.name_prefix.casefold()
        if not one.startswith(two) and not two.startswith(one):
            return f"The name would have to begin with {first.name_prefix!r} and with {second.name_prefix!r}."
    if first.value("derivatives_same_license") is not Value.YES:
        return ""
    if any({first.id, second.id} <= group for group in _COMPATIBLE):
        return ""
    if second.value("derivatives_same_license") is Value.YES:
        return f"{first.name} and {second.name} each want the whole for themselves."
    if first.category in ("copyleft", "weak-copyleft") and (limit := _further_limit(second)):
        return f"{first.name} allows no further restrictions, and {second.name} adds {limit}."
    return ""


def _further_limit(reading: Reading) -> str:
    if reading.value("commercial_use") not in (Value.YES, Value.UNKNOWN):
        return "limits on commercial use"
    return next((LIMITS[key] for key in _FURTHER_LIMITS if reading.value(key) is Value.YES), "")


def _hosting(bound: Bound, readings: Mapping[str, Reading]) -> Iterator[Finding]:
    for one, origins in bound.spread.items():
        value = readings[one].value("redistribution") if one in readings else Value.YES
        if value in (Value.NO, Value.UNKNOWN):
            why = (
                "does not let anyone hand it on"
                if value is Value.NO
                else "has not been read on handing it on"
            )
            yield Finding(
                Code.HUB_HOSTING, Severity.BLOCK, f"{readings[one].name} {why}, and a hub does just that.",
                "A reviewer reads the clause and records it." if value is Value.UNKNOWN else "Ask its steward.",
                one, "redistribution", _first(origins),
            )  # fmt: skip


def _inherited_duties(
    node: Node, bound: Bound, edges: Sequence[Edge], proof: Proof, readings: Mapping[str, Reading]
) -> Iterator[Finding]:
    """A permissive license that the model declares as its own is named already; that its text is missing is told."""
    same = [edge.parent for edge in edges if edge.relation in SAME_WORK]
    for one, origins in bound.inherited.items():
        if one not in readings or not origins - {node.key}:
            continue
        is_named = readings[one].is_permissive and one in (node.licenses or ())
        for finding in missing_duties(
            readings[one], proof, origin=_first(origins), same_work_as=same, changed=not same
        ):
            yield replace(finding, severity=Severity.WARN) if is_named and finding.holds else finding


def _adapter(
    bound: Bound, edges: Sequence[Edge], proof: Proof, readings: Mapping[str, Reading]
) -> Iterator[Finding]:
    """An adapter may have its own terms, yet nobody can use it without its base."""
    if not any(edge.relation is Relation.ADAPTER for edge in edges):
        return
    own = fold(
        "commercial_use", [readings[one].value("commercial_use") for one in bound.spread if one in readings]
    )
    for one, origins in bound.use.items():
        reading = readings.get(one)
        if one in bound.spread or reading is None:
            continue
        value = reading.value("commercial_use")
        narrower = fold("commercial_use", [own, value]) is not own
        severity = Severity.INFO
        if narrower:
            severity = Severity.WARN if mentions(proof.card, reading) else Severity.FIX
        yield Finding(
            Code.FIELD, severity,
            f"The adapter needs {_first(origins)}, so {reading.name} binds its use: commercial use is {value}.",
            f"Say on the card that use needs {reading.name}.", one, "commercial_use", _first(origins),
        )  # fmt: skip


def _teachers_and_data(
    tree: Ancestry, edges: Sequence[Edge], proof: Proof, readings: Mapping[str, Reading]
) -> Iterator[Finding]:
    for edge in edges:
        for one in tree.uses.get(edge.parent, ()):
            if one not in readings:
                continue
            if edge.relation is Relation.DISTILLED:
                yield from output_duties(readings[one], proof, origin=edge.parent)
            if edge.relation is Relation.DATASET and _narrow(readings[one]):
                yield Finding(
                    Code.FIELD, Severity.WARN, f"It was trained on {edge.parent}, which is under {readings[one].name}.",
                    "Whether a data set's terms reach a model is unsettled; read and decide.",
                    one, "commercial_use", edge.parent,
                )  # fmt: skip
        if edge.relation is Relation.RESEMBLES:
            yield Finding(
                Code.LIN_UNRESOLVED, Severity.FIX,
                f"By its {edge.evidence} it resembles {edge.parent}, which the card does not name.",
                f"The uploader says whether it descends from {edge.parent}.", subject=edge.parent,
            )  # fmt: skip


def _narrow(reading: Reading) -> bool:
    return (
        reading.value("commercial_use") is not Value.YES
        or reading.value("derivatives_same_license") is Value.YES
    )


def _thresholds(bound: Bound, known: Mapping[str, Reading]) -> Iterator[Inherited]:
    for one, reading in known.items():
        for threshold in reading.thresholds:
            yield Inherited(one, _first(bound.use[one]), threshold=threshold)


def _geography(
    target: str, bound: Bound, known: Mapping[str, Reading], nodes: Mapping[str, Node]
) -> Iterator[Inherited]:
    here = nodes[target].modality if target in nodes else ""
    for one, reading in known.items():
        for region in reading.items("geographic_exclusions"):
            for origin in sorted(bound.use[one]):
                above = nodes[origin].modality if origin in nodes else ""
                yield Inherited(
                    one, origin, region=region, scope=reading.geography_scope, modality=here or above
                )
