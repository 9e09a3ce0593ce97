"""PURE: what has to travel with models, as one plain text: notice lines, displays, credits, names, texts once each."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from licenses.terms import Reading

RULE = "=" * 78
THIN = "-" * 78
MAX_COPYRIGHTS = 100
MAX_LINE = 300
MAX_OWN = 64 * 1024
# A year or a holder stands behind the sign; "(c)" is a list's third point as often, and "[yyyy]" nobody.
_COPYRIGHT = re.compile(
    r"(?:Copyright|COPYRIGHT|copyright)\s{1,3}(?:\([cC]\)|©)?\s{0,3}(?=\d{4}|(?!Notice|License|Holder)[A-Z])"
    r"|(?:©|\([cC]\))\s{0,3}\d{4}"
)


@dataclass(frozen=True, slots=True)
class Text:
    """One text with its title and its sha256; the same text is printed once, however many models carry it."""

    title: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One model.  ``settled`` is false where nobody has concluded its licenses; ``ancestors`` are lines in words.

    ``copyrights`` are lines as they stand in its files, ``carried`` the notice files that it has.
    """

    name: str
    commit: str
    expression: str
    settled: bool
    readings: Sequence[Reading] = ()
    unread: Sequence[str] = ()
    ancestors: Sequence[str] = ()
    copyrights: Sequence[str] = ()
    carried: Sequence[Text] = ()
    texts: Sequence[Text] = ()


def compose(items: Sequence[Item], *, hub: str) -> str:
    """Return the notice of these models.  Nothing is left out for length but doubled texts."""
    parts = [_head(items, hub), *(_model(item) for item in items)]
    texts = {text.sha256: text for item in items for text in item.texts}
    parts += [
        f"{RULE}\n{_line(text.title)}\nsha256 {text.sha256}\n{RULE}\n\n{_plain(text.text)}"
        for text in texts.values()
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def copyright_lines(texts: Iterable[str]) -> list[str]:
    """Return the lines that say who holds the rights, each once, in the order found."""
    found: dict[str, None] = {}
    for text in texts:
        for line in text.splitlines():
            bare = line.strip(" \t#*/-;!")[:MAX_LINE]
            if _COPYRIGHT.match(bare):
                found[bare] = None
            if len(found) >= MAX_COPYRIGHTS:
                return list(found)
    return list(found)


def _head(items: Sequence[Item], hub: str) -> str:
    names = "".join(f"\n  {_line(item.name)}" for item in items)
    what = "a model" if len(items) == 1 else f"{len(items)} models"
    return (
        f"NOTICE\n\nThird-party terms of {what} from {_line(hub)}:{names}\n\n"
        "This file gathers what their licences ask to be passed on. It is a help and no advice;\n"
        "the texts decide."
    )


def _model(item: Item) -> str:
    lines = [RULE, f"{_line(item.name)}  (commit {item.commit or 'none'})", RULE, ""]
    lines.append(
        f"License: {item.expression or 'not known'}{'' if item.settled else '  (declared, not concluded)'}"
    )
    lines += [f"  {reading.symbol}: {_line(reading.name)}" for reading in item.readings]
    lines += [f"  {_line(one)}: in no catalogue here; ask for its text" for one in item.unread]
    lines += _section("Made from", item.ancestors)
    lines += _section("Show these words", _displays(item.readings))
    lines += _section(
        "Names of what is made from it begin with",
        [one.name_prefix for one in item.readings if one.name_prefix],
    )
    lines += _section("Notice", [one.notice for one in item.readings if one.notice])
    lines += _section("Copyright", item.copyrights)
    for own in item.carried:
        lines += [
            "",
            f"{_line(own.title)} that comes with it:",
            THIN,
            _plain(own.text[:MAX_OWN]).rstrip(),
            THIN,
        ]
        if len(own.text) > MAX_OWN:
            lines.append(f"(cut here; the whole has the sha256 {own.sha256})")
    if item.texts:
        lines += [
            "",
            "Texts, below:",
            *(f"  {_line(text.title)}, sha256 {text.sha256}" for text in item.texts),
        ]
    return "\n".join(lines)


def _displays(readings: Sequence[Reading]) -> list[str]:
    return [" or ".join(f'"{text}"' for text in one.display) for one in readings if one.display]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    kept = [_line(line) for line in dict.fromkeys(lines) if line]
    return ["", f"{title}:", *(f"  {line}" for line in kept)] if kept else []


def _line(text: str) -> str:
    """One line without control characters, so that a name cannot draw a heading of its own."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _plain(text: str) -> str:
    return "".join(
        letter for letter in text.replace("\r\n", "\n") if letter in "\n\t" or letter.isprintable()
    )
