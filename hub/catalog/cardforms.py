"""PURE: changing what a card's front matter says, and nothing else in it.

A form knows a few keys.  Every other key, every comment and the order of the lines stay as they were written: the lines
of a known key are replaced, those of all others are copied.
"""

import re
from collections.abc import Mapping, Sequence

import yaml

from hub.catalog.cards import FRONT, parse_card
from hub.catalog.errors import BadRequest

# The keys that the form has, in the order in which they are written where a card has none of them.
KEYS = (
    "license", "license_name", "license_link", "language", "library_name", "pipeline_tag", "base_model",
    "base_model_relation", "tags", "datasets",
)  # fmt: skip
LISTS = frozenset({"language", "tags", "datasets", "base_model"})
MAX_VALUES, MAX_VALUE = 100, 200
_TOP_KEY = re.compile(r"^(?:([A-Za-z_][\w.-]*)|\"([^\"]+)\"|'([^']+)')\s*:(?:\s|$)")

Values = Mapping[str, Sequence[str]]


def read(text: str) -> dict[str, list[str]]:
    """Return what a card says under the known keys; raises BadRequest for YAML that cannot be read."""
    claims = parse_card(text.encode("utf-8", "replace"))
    broken = [error for error in claims.errors if error.startswith(("Invalid YAML", "The metadata block"))]
    if broken:
        raise BadRequest(f"{broken[0]} Mend it in the text of README.md first.")
    return {key: claims.words(key) for key in KEYS}


def write(text: str, values: Values) -> str:
    """Return a card in which the known keys have these values; a key without values is taken out.

    Raises BadRequest where the card's front matter cannot be read, or would not be read back as what was asked for.
    """
    before = read(text)
    wanted = {key: _clean(key, values[key]) for key in KEYS if key in values}
    changed = {key: items for key, items in wanted.items() if items != before[key]}
    if not changed:
        return text
    match = FRONT.match(text)
    newline = "\r\n" if "\r\n" in text[:1000] else "\n"
    lines = match[1].splitlines() if match else []
    front = newline.join(_merged(lines, changed))
    body = text[match.end() :].lstrip("\r\n") if match else text
    result = f"---{newline}{front}{newline}---{newline}" + (f"{newline}{body}" if body else "")
    if read(result) != {**before, **changed}:
        raise BadRequest(
            "The front matter is written in a way that this form cannot change. Change the text of README.md."
        )
    return result


def _clean(key: str, items: Sequence[str]) -> list[str]:
    found = [" ".join(item.split()) for item in items]
    found = list(dict.fromkeys(item for item in found if item))
    if len(found) > MAX_VALUES or any(len(item) > MAX_VALUE for item in found):
        raise BadRequest(f"{key}: at most {MAX_VALUES} values of {MAX_VALUE} characters.")
    if len(found) > 1 and key not in LISTS and key != "license":
        raise BadRequest(f"{key}: one value only.")
    return found


def _merged(lines: Sequence[str], changed: Mapping[str, list[str]]) -> list[str]:
    """Copy the lines of a mapping, with those of changed keys replaced where they stood, and new keys at the end."""
    result: list[str] = []
    written: set[str] = set()
    skipping = False
    for line in lines:
        found = _TOP_KEY.match(line)
        if found:
            key = found[1] or found[2] or found[3]
            skipping = key in changed
            if skipping and key not in written:
                result += _lines_of(key, changed[key])
                written.add(key)
        elif skipping and (line.startswith("#") or line.strip() == ""):
            # A comment at the margin belongs to what follows it.
            result.append(line)
            continue
        if not skipping:
            result.append(line)
    for key in KEYS:
        if key in changed and key not in written:
            result += _lines_of(key, changed[key])
    return result


def _lines_of(key: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    if len(items) == 1 and key not in ("tags", "language", "datasets"):
        return [f"{key}: {_scalar(items[0])}"]
    return [f"{key}:", *(f"- {_scalar(item)}" for item in items)]


def _scalar(text: str) -> str:
    """Return a text as YAML that reads back as that text: ``no`` is a language, not a denial."""
    plain = yaml.safe_dump(text, allow_unicode=True, width=10_000, default_flow_style=True)
    return plain.removesuffix("\n...\n").rstrip("\n")
