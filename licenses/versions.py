"""PURE: what one version of a license changed against another, as rows: terms, strings to show, thresholds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from licenses.cards import threshold_sentence
from licenses.terms import PERMISSIONS, TERMS, Reading, Value


@dataclass(frozen=True, slots=True)
class Changed:
    """One difference in words; ``stricter`` is None where it cannot be said."""

    title: str
    old: str
    new: str
    stricter: bool | None = None


def is_version_of(one: Reading, other: Reading) -> bool:
    """True for licenses of one family whose names begin alike, which are worth comparing."""
    return one.id != other.id and one.family == other.family and _first(one) == _first(other)


def _first(reading: Reading) -> str:
    return reading.name.split()[0].casefold().rstrip("0123456789.-")


def changes(old: Reading, new: Reading) -> Sequence[Changed]:
    """Return what differs between two readings, terms that count first."""
    return [*_terms(old, new), *_strings(old, new), *_thresholds(old, new)]


def _terms(old: Reading, new: Reading) -> Iterator[Changed]:
    for key, title in TERMS.items():
        before, after = old.value(key), new.value(key)
        notes = old.note(key), new.note(key)
        items = old.items(key), new.items(key)
        if before is after and notes == notes[::-1] and items == items[::-1]:
            continue
        yield Changed(
            title.capitalize(), _said(before, notes[0], items[0]), _said(after, notes[1], items[1]),
            _stricter(key, before, after),
        )  # fmt: skip


def _said(value: Value, note: str, items: Sequence[str]) -> str:
    return ": ".join(part for part in (str(value), "; ".join([*items, *([note] if note else [])])) if part)


def _stricter(key: str, before: Value, after: Value) -> bool | None:
    """A permission is stricter the nearer it is to no, a limit the nearer to yes; unknown cannot be ordered."""
    if before is after or Value.UNKNOWN in (before, after):
        return None
    order = [Value.YES, Value.CONDITIONAL, Value.NO]
    if key not in PERMISSIONS:
        order.reverse()
    return order.index(after) > order.index(before)


def _strings(old: Reading, new: Reading) -> Iterator[Changed]:
    for title, before, after in (
        ("Words to show", " or ".join(old.display), " or ".join(new.display)),
        ("Beginning of names", old.name_prefix, new.name_prefix),
        ("Notice line", old.notice, new.notice),
    ):
        if before != after:
            stricter = bool(after) if bool(before) != bool(after) else None
            yield Changed(title, before or "none", after or "none", stricter)


def _thresholds(old: Reading, new: Reading) -> Iterator[Changed]:
    before = "; ".join(map(threshold_sentence, old.thresholds))
    after = "; ".join(map(threshold_sentence, new.thresholds))
    if before != after:
        yield Changed("Thresholds", before or "none", after or "none")
