"""PURE: the licence identifiers that a model card may declare, with their names and spellings.

``catalogue/identifiers.csv`` holds one line per licence: the hub identifier, its SPDX id where there is one, the full
name, a category and other spellings separated by ``|``.
"""

import csv
import functools
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class LicenseName:
    """One known licence: ``id`` is what a card's ``license`` field says."""

    id: str
    spdx: str
    name: str
    category: str
    aliases: tuple[str, ...]


@functools.cache
def known_licenses() -> dict[str, LicenseName]:
    """Return every known licence by each of its spellings, lower-cased."""
    text = resources.files("licenses").joinpath("catalogue/identifiers.csv").read_text(encoding="utf-8")
    found: dict[str, LicenseName] = {}
    for row in csv.DictReader(text.splitlines()):
        aliases = tuple(alias for alias in row["aliases"].split("|") if alias)
        entry = LicenseName(row["id"], row["spdx"], row["name"], row["category"], aliases)
        for spelling in (entry.id, entry.spdx, *aliases):
            if spelling:
                found.setdefault(spelling.lower(), entry)
    return found


def is_known_license(text: str) -> bool:
    """True for an identifier, SPDX id or alias of a known licence, in any case."""
    return text.strip().lower() in known_licenses()


def license_title(text: str) -> str:
    """Return the full name of a licence, or the text itself where it is not known."""
    entry = known_licenses().get(text.strip().lower())
    return entry.name if entry else text
