"""PURE: several licenses that bind one model, read as one: for every term the strictest of them speaks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from licenses.cards import Card, columns, threshold_sentence
from licenses.lineage import Inherited
from licenses.terms import Reading

# The strictest first; what is unknown is no permission.
_ORDER = ("may_not", "unknown", "condition", "may")


@dataclass(frozen=True, slots=True)
class Said:
    """What one license says of a term: its id, its name, and the card of its reading."""

    license: str
    name: str
    card: Card


@dataclass(frozen=True, slots=True)
class Joint:
    """One sentence, and the licenses that say so."""

    key: str
    says: str
    by: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """What one may, may on condition, may not, and what is not known, under all licenses at once."""

    may: tuple[Joint, ...] = ()
    condition: tuple[Joint, ...] = ()
    may_not: tuple[Joint, ...] = ()
    unknown: tuple[Joint, ...] = ()


@dataclass(slots=True)
class _Term:
    columns: dict[str, list[Said]] = field(default_factory=dict)


def together(readings: Iterable[Reading]) -> Together:
    """Fold the cards of several readings; what a license does not speak of is left to the others."""
    terms: dict[str, _Term] = {}
    for reading in readings:
        found = columns(reading)
        for column in _ORDER:
            for card in getattr(found, column):
                said = Said(reading.id, reading.name, card)
                terms.setdefault(card.key, _Term()).columns.setdefault(column, []).append(said)
    placed: dict[str, list[Joint]] = {column: [] for column in _ORDER}
    for key, term in terms.items():
        column = next(one for one in _ORDER if one in term.columns)
        placed[column] += _joined(key, term.columns[column])
    return Together(**{column: tuple(joints) for column, joints in placed.items()})


def _joined(key: str, said: Sequence[Said]) -> list[Joint]:
    by_words: dict[str, list[Said]] = {}
    for one in said:
        by_words.setdefault(one.card.says, []).append(one)
    return [Joint(key, words, tuple(found)) for words, found in by_words.items()]


def thresholds_said(
    inherited: Iterable[Inherited], readings: Mapping[str, Reading]
) -> list[tuple[str, str, str]]:
    """Return (sentence, name of the license, origin) for every threshold that comes down."""
    return [
        (threshold_sentence(one.threshold), _name(one.license, readings), one.origin)
        for one in inherited
        if one.threshold
    ]


def regions_said(
    inherited: Iterable[Inherited], readings: Mapping[str, Reading]
) -> list[tuple[str, str, str]]:
    """Return (region, name of the license, origin) for every place from which nobody may use the model."""
    found = {
        (one.region, _name(one.license, readings), one.origin)
        for one in inherited
        if one.region and not (one.scope and one.modality and one.modality != one.scope)
    }
    return sorted(found)


def _name(license_id: str, readings: Mapping[str, Reading]) -> str:
    return readings[license_id].name if license_id in readings else license_id
