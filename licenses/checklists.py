"""PURE: what a reviewer answers before a release, and what on a desk is still open.

The lists are data (``catalogue/checklists.yaml``).  Which one applies follows from the licences that bind the model;
a text first seen here has a list of its own.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import yaml

from licenses.terms import TERMS, Reading

_FILE = "catalogue/checklists.yaml"
_FIELDS = {"id", "ask", "look", "term"}


class Answer(StrEnum):
    """What a reviewer may say to an item; a ``no`` asks for a condition or a word to the public."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "n/a"


class List(StrEnum):
    PERMISSIVE = "permissive"
    COMMUNITY = "community"
    NON_COMMERCIAL = "non-commercial"
    FIRST_SEEN = "first-seen"


_NON_COMMERCIAL = frozenset({"non-commercial", "research-only"})


class BadChecklist(ValueError):
    """The data file breaks its shape; the message names the list and the fault."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question; ``term`` is what it rests on, where it rests on one."""

    id: str
    ask: str
    look: str
    term: str = ""

    @property
    def answer_name(self) -> str:
        return f"check:{self.id}"


@functools.cache
def checklists() -> Mapping[List, Sequence[Item]]:
    """Return every list; raises BadChecklist."""
    data = yaml.safe_load(resources.files("licenses").joinpath(_FILE).read_text(encoding="utf-8"))
    if not isinstance(data, dict) or set(data) != {*List}:
        raise BadChecklist(f"{_FILE}: the lists must be {', '.join(List)}.")
    return {List(name): tuple(_items(name, rows)) for name, rows in data.items()}


def _items(name: str, rows: Iterable[Mapping[str, str]]) -> Iterable[Item]:
    seen: set[str] = set()
    for row in rows:
        if not {"id", "ask", "look"} <= set(row) <= _FIELDS or row["id"] in seen:
            raise BadChecklist(f"{_FILE}: {name}: {row!r:.100} is no item, or stands there twice.")
        if row.get("term") and row["term"] not in TERMS:
            raise BadChecklist(f"{_FILE}: {name}: {row['term']} is no term.")
        seen.add(row["id"])
        yield Item(row["id"], row["ask"], row["look"], row.get("term", ""))


def list_for(readings: Iterable[Reading | None], *, first_seen: bool) -> List:
    """Return which list applies; None among the readings is a licence that nobody has read."""
    found = list(readings)
    if first_seen or not found or None in found:
        return List.FIRST_SEEN
    categories = {one.category for one in found if one}
    if categories & _NON_COMMERCIAL:
        return List.NON_COMMERCIAL
    return List.PERMISSIVE if all(one and one.is_permissive for one in found) else List.COMMUNITY


@dataclass(frozen=True, slots=True)
class Open:
    """Something that stands between a case and its release: what ``kind`` of thing, its key, and what to do."""

    kind: str
    key: str
    what: str


def open_items(
    *,
    findings: Mapping[str, str],
    unknown_terms: Mapping[str, str],
    items: Sequence[Item],
    answers: Mapping[str, str],
    explained: bool,
) -> tuple[Open, ...]:
    """Return what is left before a release.

    ``findings`` are those that hold and ``unknown_terms`` those that nobody has read, by key with their words;
    ``answers`` maps ``finding:<key>`` to the reviewer's words, ``term:<key>`` to ``unknown`` where that is left so on
    purpose, and ``check:<id>`` to an `Answer`.  ``explained`` says that a condition or a public note is given.
    """
    left = [
        Open("finding", key, f"Answer why this may be released: {words}")
        for key, words in findings.items()
        if not answers.get(f"finding:{key}", "").strip()
    ]
    left += [
        Open("term", key, f"Read the text on {words}, or leave it unknown on purpose.")
        for key, words in unknown_terms.items()
        if answers.get(f"term:{key}") != "unknown"
    ]
    given = {item.id: answers.get(f"check:{item.id}", "") for item in items}
    left += [
        Open("check", item.id, f"Answer: {item.ask}") for item in items if given[item.id] not in [*Answer]
    ]
    if Answer.NO in given.values() and not explained:
        no = ", ".join(item.ask for item in items if given[item.id] == Answer.NO)
        left.append(Open("note", "explained", f"Give a condition or a public note for each “no”: {no}"))
    return tuple(left)
