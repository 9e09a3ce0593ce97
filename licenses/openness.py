"""PURE: evidence in, a grade of openness out: a class of the Model Openness Framework, and OSAID's elements beside it.

A class is reached only with all of its components and all of the classes below it.  The grade never says "open
source": the Open Source Initiative certifies nothing by a program, so its three elements are shown one by one, and the
word on the ladder is "open weights" at most.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from importlib import resources

import yaml

from licenses.terms import Reading, Value

_FILE = "catalogue/openness.yaml"
# Written for content rather than for software, and as open for weights and documents.
_OPEN_CONTENT = frozenset(
    {"cc0-1.0", "cc-by-4.0", "cc-by-3.0", "pddl", "odc-by", "cdla-permissive-1.0", "cdla-permissive-2.0"}
)
# Written for models as a whole, and so fitting for every type of work.
_OPEN_MODELS = frozenset({"openmdw-1.0", "openmdw-1.1"})
_CODE, _DATA, _DOCUMENT = "code", "data", "document"


class Presence(StrEnum):
    """``claimed`` is said and not shown; like ``partial`` it does not count."""

    PRESENT = "present"
    PARTIAL = "partial"
    CLAIMED = "claimed"
    ABSENT = "absent"


class Rung(IntEnum):
    UNDETERMINED = 0
    CLOSED = 1
    RESTRICTED_WEIGHTS = 2
    COMMUNITY_WEIGHTS = 3
    OPEN_WEIGHTS = 4
    MOF_III = 5
    MOF_II = 6
    MOF_I = 7


RUNG_NAMES: Mapping[Rung, str] = {
    Rung.UNDETERMINED: "not determined",
    Rung.CLOSED: "closed, or hosted only",
    Rung.RESTRICTED_WEIGHTS: "weights available, restricted",
    Rung.COMMUNITY_WEIGHTS: "weights available, community terms",
    Rung.OPEN_WEIGHTS: "open weights",
    Rung.MOF_III: "open weights, MOF class III (Open Model)",
    Rung.MOF_II: "open weights, MOF class II (Open Tooling)",
    Rung.MOF_I: "open weights, MOF class I (Open Science)",
}


@dataclass(frozen=True, slots=True)
class Component:
    id: str
    title: str
    type: str
    mof_class: int
    optional: bool = False
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found of one component: its licence by catalogue id, and where it was seen."""

    presence: Presence
    license: str = ""
    seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """``reason`` says in words why a component counts or does not; ``fits`` is false for an odd type of licence."""

    component: Component
    counts: bool
    fits: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Openness:
    """``osaid`` answers each element of the Open Source AI Definition with yes, no or unknown."""

    rung: Rung
    mof_class: int | None
    components: tuple[Judged, ...]
    missing: Mapping[int, tuple[str, ...]]
    osaid: Mapping[str, Value] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return RUNG_NAMES[self.rung]


@functools.cache
def components() -> Sequence[Component]:
    """Return the components of the framework."""
    rows = yaml.safe_load(resources.files("licenses").joinpath(_FILE).read_text(encoding="utf-8"))
    return tuple(
        Component(
            row["id"],
            row["title"],
            row["type"],
            row["class"],
            row.get("optional", False),
            row.get("instead", ""),
        )
        for row in rows
    )


def grade(
    evidence: Mapping[str, Evidence],
    *,
    weights: Sequence[str],
    gated: bool,
    readings: Mapping[str, Reading],
) -> Openness:
    """Grade a model: ``weights`` are the licences that bind its parameters, those of every ancestor among them."""
    judged = {one.id: _judge(one, evidence.get(one.id), gated, readings) for one in components()}
    missing = {number: _missing(number, judged) for number in (3, 2, 1)}
    ladder = _weights_rung(evidence, weights, readings)
    reached = None
    if ladder is Rung.OPEN_WEIGHTS:
        for number in (3, 2, 1):
            if missing[number]:
                break
            reached = number
    rung = Rung(Rung.MOF_III + 3 - reached) if reached else ladder
    return Openness(rung, reached, tuple(judged.values()), missing, _osaid(judged, weights, readings))


def is_open(license_id: str, readings: Mapping[str, Reading]) -> bool:
    """True for licences that the OSI approved, and for those of content and of models that ask no more."""
    reading = readings.get(license_id)
    if reading is None:
        return False
    return reading.osi is Value.YES or license_id in _OPEN_CONTENT | _OPEN_MODELS


def _judge(
    component: Component, found: Evidence | None, gated: bool, readings: Mapping[str, Reading]
) -> Judged:
    if found is None or found.presence is not Presence.PRESENT:
        return Judged(component, False, False, str(found.presence if found else Presence.ABSENT))
    if not found.license:
        return Judged(component, False, False, "present, with no licence of its own or above it")
    if found.license not in readings:
        return Judged(
            component, False, False, f"present, under {found.license}, which is not in the catalogue"
        )
    if not is_open(found.license, readings):
        return Judged(component, False, False, f"present, under {found.license}, which is not open")
    if component.id == "parameters" and gated:
        return Judged(component, False, False, "present, but behind a gate")
    if not _fits(component.type, found.license):
        return Judged(
            component, True, False, f"open, though {found.license} is not written for {component.type}"
        )
    return Judged(component, True, True, f"open under {found.license}")


def _fits(type_: str, license_id: str) -> bool:
    if license_id in _OPEN_MODELS:
        return True
    return license_id not in _OPEN_CONTENT if type_ == _CODE else license_id in _OPEN_CONTENT


def _missing(number: int, judged: Mapping[str, Judged]) -> tuple[str, ...]:
    return tuple(
        one.component.id
        for one in judged.values()
        if one.component.mof_class == number and not one.component.optional and not one.counts
        if not (one.component.instead and judged[one.component.instead].counts)
    )


def _weights_rung(
    evidence: Mapping[str, Evidence], weights: Sequence[str], readings: Mapping[str, Reading]
) -> Rung:
    """Return how far the terms on the weights reach; the narrowest licence decides."""
    there = evidence.get("parameters")
    if there is None:
        return Rung.UNDETERMINED
    if there.presence is not Presence.PRESENT:
        return Rung.CLOSED
    if not weights or any(one not in readings for one in weights):
        return Rung.UNDETERMINED
    return min(_rung(one, readings) for one in weights)


def _rung(license_id: str, readings: Mapping[str, Reading]) -> Rung:
    reading = readings[license_id]
    if is_open(license_id, readings):
        return Rung.OPEN_WEIGHTS
    commercial = reading.value("commercial_use")
    if commercial is Value.UNKNOWN:
        return Rung.UNDETERMINED
    return Rung.RESTRICTED_WEIGHTS if commercial is Value.NO else Rung.COMMUNITY_WEIGHTS


def _osaid(
    judged: Mapping[str, Judged], weights: Sequence[str], readings: Mapping[str, Reading]
) -> Mapping[str, Value]:
    """Answer the three elements: full code under approved licences, parameters under approved terms, data information.

    Whether data information lets a skilled person build the like is for people to say, so it is never yes here.
    """
    code = [
        judged[one].counts and judged[one].fits for one in ("training-code", "inference-code", "architecture")
    ]
    data = [judged[one].counts for one in ("data-card", "preprocessing-code")]
    approved = [readings[one].osi if one in readings else Value.UNKNOWN for one in weights]
    return {
        "code": Value.YES if all(code) else Value.NO,
        "parameters": _all(approved),
        "data-information": Value.UNKNOWN if any(data) else Value.NO,
    }


def _all(values: Sequence[Value]) -> Value:
    if not values or Value.UNKNOWN in values:
        return Value.UNKNOWN
    return Value.YES if all(value is Value.YES for value in values) else Value.NO
