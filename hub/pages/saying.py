"""What was said below the pages, in the reader's language.

The domain raises and stores English sentences, since programs read them and since they are kept for years.  A page that
shows one asks here.  A sentence is looked up as it is; else it is held against the patterns of ``SENTENCES``, in which
``{1}`` stands for what differs; else, where it is several sentences, each of them is looked up.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from django.conf import settings
from django.utils.translation import get_language, gettext

from hub.pages.languages import numeral

SENTENCES = settings.BASE_DIR / "hub" / "locale" / "sentences.txt"
# What is longer was written by people.
MAX_TEXT = 3000
MAX_KEPT = 4096
_HOLE = re.compile(r"\{([1-9])\}")
_NUMBER = re.compile(r"(?<!\S)[0-9]{1,3}(?:,[0-9]{3})+(?!\S)")
_ENDS = re.compile(r"(?<=[.!?:;]) ")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with holes: the pieces between them, and the number of each hole."""

    text: str
    pieces: tuple[str, ...]
    holes: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Pattern":
        """Cut a sentence at its holes."""
        parts = _HOLE.split(text)
        return cls(text, tuple(parts[::2]), tuple(parts[1::2]))

    def values_in(self, said: str) -> dict[str, str] | None:
        """Return what stands in the holes of a sentence, None where it is another one; linear in its length."""
        first, last = self.pieces[0], self.pieces[-1]
        if len(said) < len(first) + len(last) or not said.startswith(first) or not said.endswith(last):
            return None
        at, end, found = len(first), len(said) - len(last), []
        for piece in self.pieces[1:-1]:
            next_at = said.find(piece, at, end)
            if next_at < 0:
                return None
            found.append(said[at:next_at])
            at = next_at + len(piece)
        return dict(zip(self.holes, [*found, said[at:end]], strict=True))


@cache
def patterns() -> tuple[Pattern, ...]:
    """Return the sentences with holes, the most telling first."""
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()
    found = [Pattern.of(line) for line in lines if _HOLE.search(line)]
    return tuple(sorted(found, key=lambda one: -sum(map(len, one.pieces))))


def said(text: object) -> str:
    """Return a sentence or a word of the domain in the language that is active."""
    words, language = str(text), get_language()
    if not words or language in (None, "en") or len(words) > MAX_TEXT:
        return words
    return _in_language(str(language), words)


@lru_cache(maxsize=MAX_KEPT)
def _in_language(language: str, words: str) -> str:
    bare = words.strip()
    if bare and bare != words:
        return words.replace(bare, _in_language(language, bare))
    # What stands last may be empty.
    found = _whole(language, words) or _whole(language, words + " ").rstrip() or _capitalized(language, words)
    return found or (_in_parts(language, words) if " " in words else _slug(words))


def pieces(text: str) -> list[tuple[str, bool]]:
    """Return a note of a reading, cut at its semicolons: each piece as it is said, and whether that is translated."""
    language = get_language() or "en"
    if language == "en" or gettext(text) != text:
        return [(said(text), True)]
    return [(told := said(piece), told != piece) for piece in text.split("; ")]


def _whole(language: str, words: str) -> str:
    """Return a text that is known as one, "" where it is not."""
    if (known := gettext(words)) != words:
        return known
    for pattern in patterns():
        values = pattern.values_in(words)
        if values is not None and (known := gettext(pattern.text)) != pattern.text:
            told = {number: _value(language, value) for number, value in values.items()}
            return "".join(
                told.get(part, "") if at % 2 else part for at, part in enumerate(_HOLE.split(known))
            )
    return ""


def _capitalized(language: str, words: str) -> str:
    """Return a text that is known with a small letter, and was put at the head of a line."""
    small = words[0].lower() + words[1:]
    known = _whole(language, small) if small != words else ""
    return known[:1].upper() + known[1:]


def _slug(word: str) -> str:
    words = word.replace("-", " ").replace("_", " ")
    known = gettext(words)
    return known if known != words else word


def _value(language: str, value: str) -> str:
    # One word is a name more often than not.
    words = _in_language(language, value) if " " in value else value
    return words if words != value else _NUMBER.sub(lambda number: numeral(number[0]), value)


def _in_parts(language: str, words: str) -> str:
    if words.endswith(")") and " (" in words:
        first, _paren, rest = words.rpartition(" (")
        return f"{_in_language(language, first)} ({_value(language, rest[:-1])})"
    parts = _ENDS.split(words)
    return " ".join(_part(language, part) for part in parts) if len(parts) > 1 else words


def _part(language: str, part: str) -> str:
    bare = part.rstrip(":;")
    return _whole(language, part) or (_whole(language, bare) or bare) + part[len(bare) :]


def listed(names: Sequence[str]) -> str:
    """Return names as people list them: ``MIT, BSD-3-Clause and Apache-2.0``."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
