"""PURE: who descends from whom, and which licences come down that way.

A graph is read from one model upwards.  Every ancestor contributes its licences to those below it, as far as the
relation carries them; where the graph turns in a circle, or an ancestor is unknown, that is told and nothing guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from licenses.findings import Code, Finding, Severity
from licenses.terms import Reading, Value

# More ancestors than any model has; a graph above it is not followed.
MAX_NODES = 2000


class Relation(StrEnum):
    """How a model came from another.  ``resembles`` is a guess from likeness: a question, never a verdict."""

    QUANTIZED = "quantized"
    CONVERTED = "converted"
    COPY = "copy"
    FINETUNE = "finetune"
    MERGE = "merge"
    ADAPTER = "adapter"
    COMPONENT = "component"
    DISTILLED = "distilled"
    DATASET = "dataset"
    NEW_VERSION = "new_version"
    RESEMBLES = "resembles"


SAME_WORK = frozenset({Relation.QUANTIZED, Relation.CONVERTED, Relation.COPY})
# The base's terms travel with what was made from it.
CARRIES = SAME_WORK | {Relation.FINETUNE, Relation.MERGE, Relation.COMPONENT}


@dataclass(frozen=True, slots=True)
class Node:
    """A model or data set: ``licenses`` are its own, by catalogue id; None where nobody knows them."""

    key: str
    licenses: tuple[str, ...] | None = None
    modality: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    child: str
    parent: str
    relation: Relation
    evidence: str = "card"


_APART = frozenset({Relation.NEW_VERSION, Relation.RESEMBLES})
_SHOWN_ONLY = _APART | {Relation.DATASET}
# Each licence with everyone it comes from.
Origins = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Bound:
    """What binds a model: ``spread`` when it is handed on, ``use`` when it is run; ``dropped`` own terms give way."""

    inherited: Origins
    spread: Origins
    use: Origins
    dropped: tuple[str, ...] = ()


_Licenses = dict[str, None]


@dataclass(frozen=True, slots=True)
class _Folded:
    """What binds one node, before it is asked where each licence comes from."""

    inherited: _Licenses
    spread: _Licenses
    use: _Licenses
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ancestry:
    """What binds the target, what binds the use of everything above it, and what could not be resolved."""

    bound: Bound
    uses: Mapping[str, Iterable[str]]
    findings: tuple[Finding, ...] = ()
    parents: Sequence[Edge] = ()


def ancestry(
    target: str, nodes: Mapping[str, Node], edges: Iterable[Edge], readings: Mapping[str, Reading]
) -> Ancestry:
    """Fold a graph from its oldest ancestors down to the target."""
    parents: dict[str, list[Edge]] = {}
    for edge in edges:
        parents.setdefault(edge.child, []).append(edge)
    order, circles = _oldest_first(target, parents)
    findings = [_circle(key) for key in circles]
    matters = _upwards(target, parents)
    if len(order) > MAX_NODES:
        return Ancestry(
            Bound({}, {}, {}), {}, (_unresolved(target, f"It has more than {MAX_NODES} ancestors."),)
        )
    bounds: dict[str, _Folded] = {}
    for key in order:
        node = nodes.get(key, Node(key))
        known = [edge for edge in parents.get(key, ()) if edge.parent in bounds]
        bounds[key] = _bound(node, known, bounds, readings)
        stands_for_itself = not any(edge.relation in SAME_WORK for edge in known)
        if key != target and key in matters and node.licenses is None and stands_for_itself:
            findings.append(_unresolved(key, "Its licence is not known here."))
        if key != target and key in matters and bounds[key].dropped:
            findings.append(_mislabelled(key, bounds[key]))
    uses = {key: tuple(folded.use) for key, folded in bounds.items()}
    bound = _with_origins(target, bounds, nodes, parents)
    return Ancestry(bound, uses, tuple(findings), parents.get(target, ()))


def _upwards(target: str, parents: Mapping[str, Sequence[Edge]]) -> set[str]:
    """Return the nodes whose terms matter: data sets are shown, but hold nothing by themselves."""
    found, left = {target}, [target]
    while left:
        for edge in parents.get(left.pop(), ()):
            if edge.relation not in _SHOWN_ONLY and edge.parent not in found:
                found.add(edge.parent)
                left.append(edge.parent)
    return found


def _oldest_first(target: str, parents: Mapping[str, Sequence[Edge]]) -> tuple[list[str], list[str]]:
    """Return every node that carries terms to the target, parents before children, and where circles close."""
    order: list[str] = []
    circles: list[str] = []
    done: set[str] = set()
    open_: dict[str, None] = {target: None}
    stack = [(target, iter(parents.get(target, ())))]
    while stack and len(order) <= MAX_NODES:
        key, left = stack[-1]
        edge = next(left, None)
        if edge is None:
            stack.pop()
            open_.pop(key)
            done.add(key)
            order.append(key)
        elif edge.relation in _APART or edge.parent in done:
            continue
        elif edge.parent in open_:
            circles.append(edge.parent)
        else:
            open_[edge.parent] = None
            stack.append((edge.parent, iter(parents.get(edge.parent, ()))))
    return order, circles


def _bound(
    node: Node, edges: Sequence[Edge], bounds: Mapping[str, _Folded], readings: Mapping[str, Reading]
) -> _Folded:
    inherited: _Licenses = {}
    base: _Licenses = {}
    for edge in edges:
        above = bounds[edge.parent].use
        if edge.relation in CARRIES:
            inherited |= above
        elif edge.relation is Relation.ADAPTER:
            base |= above
            if _claims_adapters(above, readings):
                inherited |= above
    own = dict.fromkeys(node.licenses or ())
    if any(edge.relation in SAME_WORK for edge in edges):
        dropped = tuple(one for one in own if one not in inherited)
        return _Folded(inherited, inherited, inherited | base, dropped)
    dropped = ()
    if any(one not in own and _keeps_its_terms(one, readings) for one in inherited):
        dropped = tuple(one for one in own if one not in inherited)
    spread = dict.fromkeys(one for one in own if one not in dropped) | inherited
    return _Folded(inherited, spread, spread | base, dropped)


def _with_origins(
    target: str,
    bounds: Mapping[str, _Folded],
    nodes: Mapping[str, Node],
    parents: Mapping[str, Sequence[Edge]],
) -> Bound:
    """Say of each licence that binds the target whose it is; the target's own where nobody above has it."""
    origins: dict[str, set[str]] = {}
    seen, left = {target}, [target]
    while left:
        for edge in parents.get(left.pop(), ()):
            if edge.parent in seen or not (edge.relation in CARRIES or edge.relation is Relation.ADAPTER):
                continue
            seen.add(edge.parent)
            left.append(edge.parent)
            node = nodes.get(edge.parent)
            for one in (node.licenses if node else None) or ():
                origins.setdefault(one, set()).add(edge.parent)
    folded = bounds[target]

    def told(licenses: _Licenses) -> Origins:
        return {one: frozenset(origins.get(one, (target,))) for one in licenses}

    return Bound(told(folded.inherited), told(folded.spread), told(folded.use), folded.dropped)


def _claims_adapters(licenses: Iterable[str], readings: Mapping[str, Reading]) -> bool:
    return any(one in readings and readings[one].adapters == "derivative" for one in licenses)


def _keeps_its_terms(one: str, readings: Mapping[str, Reading]) -> bool:
    return one in readings and readings[one].value("derivatives_same_license") is Value.YES


def _mislabelled(key: str, bound: _Folded) -> Finding:
    return Finding(
        Code.LIN_RELICENSED,
        Severity.FIX,
        f"{key} is labelled {', '.join(bound.dropped)}, which does not go with what it descends from.",
        "A reviewer concludes the licence of that ancestor.",
        ", ".join(bound.inherited),
        "derivatives_same_license",
        key,
    )


def _circle(key: str) -> Finding:
    return _unresolved(key, "Its line of descent turns in a circle.")


def _unresolved(key: str, why: str) -> Finding:
    return Finding(
        Code.LIN_UNRESOLVED,
        Severity.BLOCK,
        f"{key}: {why}",
        "A reviewer records its licence once, or the uploader corrects where the model comes from.",
        subject=key,
    )
