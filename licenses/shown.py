"""PURE: a text as people may safely read it, with its words and where each of them stands.

The words are those of `licenses.words`; beside them the characters are kept, so that a comparison can be shown in the
text's own letters.  Invisible characters, which can turn or hide what stands around them, are left out and counted.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from licenses.words import (
    BARE_TAG,
    INVISIBLE,
    MAX_BYTES,
    MAX_WORDS,
    WORD,
    Unreadable,
    decoded,
    is_copyright,
)

# A line that begins like this opens a clause of its own, even with no empty line before it.
_NUMBERED = re.compile(
    r"\s{0,20}(?:\(?[0-9]{1,3}(?:\.[0-9]{1,3}){0,3}[.)]|\(?[a-z]{1,4}\)|§|#{1,6}\s|[-*•]\s)\s?\S"
)
_LAST_PART = re.compile(r"\S*\Z")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Shown:
    """``keys`` are the words that are compared, ``starts`` and ``ends`` their places in ``text``, ``lines`` from 1.

    ``clauses`` holds the number of the word with which each clause begins, ``noise`` the places of copyright lines, and
    ``hidden`` counts the invisible characters that were left out.
    """

    text: str
    keys: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    lines: Sequence[int]
    clauses: Sequence[int]
    noise: Sequence[tuple[int, int]]
    hidden: int = 0

    def cut(self, word: int) -> int:
        """Return where a word's characters begin, its opening quotes and brackets included."""
        if word >= len(self.keys):
            return len(self.text)
        if word == 0:
            return 0
        left, right = self.ends[word - 1], self.starts[word]
        found = _LAST_PART.search(self.text[left:right])
        return left + found.start() if found and found.start() else right

    def line_of(self, word: int) -> int:
        """Return the line of a word; of the last one where there are fewer words, 0 where there are none."""
        return self.lines[min(word, len(self.lines) - 1)] if self.lines else 0


def read_shown(content: bytes) -> Shown:
    """Return a file as it may be shown; raises Unreadable for binary content and for more than a licence can hold."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file has {len(content)} bytes; licence texts are read up to {MAX_BYTES}.")
    return shown(decoded(content))


@dataclass(slots=True)
class _Reading:
    """What has been read of a text so far."""

    parts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    clauses: list[int] = field(default_factory=list)
    noise: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0
    fresh: bool = True


def shown(text: str) -> Shown:
    """Return a text as it may be shown; raises Unreadable for more than `MAX_WORDS`."""
    plain, hidden = INVISIBLE.subn("", text)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain)
    read = _Reading()
    for number, line in enumerate(plain.splitlines(), start=1):
        _read_line(read, number, _CONTROL.sub(" ", line))
        if len(read.keys) > MAX_WORDS:
            raise Unreadable(f"The text has more than {MAX_WORDS} words; it is no licence.")
    return Shown(
        "".join(read.parts), read.keys, read.starts, read.ends, read.lines, read.clauses, read.noise, hidden
    )


def _read_line(read: _Reading, number: int, line: str) -> None:
    start = read.length
    read.parts.append(line + "\n")
    read.length += len(line) + 1
    folded = line.casefold()
    if is_copyright(folded):
        read.noise.append((start, read.length))
        return
    if not line.strip():
        read.fresh = True
        return
    # Casefolding may change a line's length; then its words are looked for in the line as it stands.
    bare = _untagged(line)
    if read.fresh or is_numbered(line):
        read.clauses.append(len(read.keys))
    read.fresh = False
    for found in WORD.finditer(bare):
        read.keys.append(found.group().casefold())
        read.starts.append(start + found.start())
        read.ends.append(start + found.end())
        read.lines.append(number)


def is_numbered(line: str) -> bool:
    """True for a line that begins with the number or the mark of a clause."""
    return _NUMBERED.match(line) is not None


def _untagged(line: str) -> str:
    """Put spaces where simple tags are, so that every other character keeps its place."""
    lowered = line.lower()
    if "<" not in line or len(lowered) != len(line):
        return line
    parts, at = [], 0
    for tag in BARE_TAG.finditer(lowered):
        parts += [line[at : tag.start()], " " * (tag.end() - tag.start())]
        at = tag.end()
    return "".join([*parts, line[at:]])
