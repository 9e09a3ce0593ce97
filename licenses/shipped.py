"""PURE: the readings that ship with the product, from ``catalogue/families``, one YAML file per family.

The files are our own data, yet every field is checked: a reading that says less than it seems to would be permission
by accident.
"""

import functools
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import yaml

from licenses.terms import (
    CATEGORIES,
    DOCUMENT_KINDS,
    EFFECTS,
    METRICS,
    TERMS,
    Confidence,
    Reading,
    Term,
    TextKey,
    Threshold,
    Value,
)

_FOLDER = "catalogue/families"
_WORDS = (
    "spdx", "steward", "version", "url", "osaid", "contact", "source", "display_on", "name_prefix", "notice",
    "geography_scope", "adapters",
)  # fmt: skip
_LISTS = ("aliases", "flags", "display")
_STRUCTURED = ("id", "name", "category", "confidence", "osi", "documents", "thresholds", "terms")
_FIELDS = {*_WORDS, *_LISTS, *_STRUCTURED}


class BadReading(ValueError):
    """A reading in a data file breaks its shape; the message names file, licence, field and fault."""


@functools.cache
def shipped_readings() -> Mapping[str, Reading]:
    """Return every shipped reading by its id; raises BadReading."""
    found: dict[str, Reading] = {}
    folder = resources.files("licenses").joinpath(_FOLDER)
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        for reading in parse_family(file.read_text(encoding="utf-8"), where=file.name):
            if reading.id in found:
                raise BadReading(f"{file.name}: {reading.id} is also in another file; keep one of them.")
            found[reading.id] = reading
    return found


def parse_family(text: str, *, where: str) -> Iterator[Reading]:
    """Read one family's file; raises BadReading."""
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe.
    if not isinstance(data, dict) or set(data) != {"family", "licenses"}:
        raise BadReading(f"{where}: the file must have exactly the fields family and licenses.")
    for row in data["licenses"]:
        yield _reading(row, family=str(data["family"]), where=f"{where}: {row.get('id', '?')}")


def _reading(row: dict[str, Any], *, family: str, where: str) -> Reading:
    if odd := set(row) - _FIELDS:
        raise BadReading(f"{where}: {', '.join(sorted(odd))} is no field of a reading; remove or correct it.")
    plain: dict[str, Any] = {name: str(row[name]) for name in _WORDS if name in row}
    plain |= {name: tuple(str(item) for item in row[name]) for name in _LISTS if name in row}
    return Reading(
        id=_text(row, "id", where),
        name=_text(row, "name", where),
        category=_one_of(row.get("category"), CATEGORIES, "category", where),
        confidence=Confidence(_one_of(row.get("confidence"), [*Confidence], "confidence", where)),
        family=family,
        osi=_value("unknown" if row.get("osi") == "pending" else row.get("osi"), "osi", where),
        documents=tuple(_text_key(item, where) for item in row.get("documents", [])),
        thresholds=tuple(_threshold(item, where) for item in row.get("thresholds", [])),
        terms={key: _term(key, value, where) for key, value in row.get("terms", {}).items()},
        **plain,
    )


def _term(key: str, data: object, where: str) -> Term:
    _one_of(key, TERMS, "terms", where)
    if not isinstance(data, dict):
        return Term(key, _value(data, key, where))
    return Term(
        key=key,
        value=_value(data.get("value"), key, where),
        note=str(data.get("note", "")),
        items=tuple(str(item) for item in data.get("items", [])),
        passage=str(data.get("passage", "")),
    )


def _threshold(data: dict[str, Any], where: str) -> Threshold:
    if not isinstance(data.get("value"), int) or data["value"] <= 0:
        raise BadReading(
            f"{where}: a threshold's value must be a positive number, not {data.get('value')!r}."
        )
    return Threshold(
        metric=_one_of(data.get("metric"), METRICS, "thresholds.metric", where),
        value=data["value"],
        effect=_one_of(data.get("effect"), EFFECTS, "thresholds.effect", where),
        currency=str(data.get("currency", "")),
        window=str(data.get("window", "")),
        scope=str(data.get("scope", "")),
    )


def _text_key(data: dict[str, Any], where: str) -> TextKey:
    kind = _one_of(data.get("kind"), DOCUMENT_KINDS, "documents.kind", where)
    return TextKey(kind, _text(data, "key", where), str(data.get("version", "")))


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise BadReading(f"{where}: {name} must be a text; write one.")
    return value


def _value(data: object, name: str, where: str) -> Value:
    return Value(_one_of(data, [*Value], name, where))


def _one_of(data: object, allowed: Any, name: str, where: str) -> str:
    if not isinstance(data, str) or data not in allowed:
        hint = " Quote yes and no." if isinstance(data, bool) else ""
        raise BadReading(f"{where}: {name} is {data!r}, but must be one of {', '.join(allowed)}.{hint}")
    return str(data)
