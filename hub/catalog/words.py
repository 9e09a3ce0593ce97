"""PURE: the words by which repos are found: those of names, of cards, and those that somebody types.

Names are cut where people cut them: ``SmolLM2-1.7B`` is found by ``smollm2``, ``smol``, ``1.7b`` and ``smollm``.
Every word that is typed must be found, as the beginning of a word or by its stem.
"""

import re
from collections.abc import Iterable

MAX_TYPED = 200
MAX_WORDS = 12
MAX_WORD = 60
MAX_LEXEMES = 400
# Words of fewer letters are too much like others; and so many patterns are tried in all.
MIN_SLIP, MAX_SLIPS = 4, 120
TRIGRAM = 3
# Of a card, in characters: enough to tell what a model is for.
MAX_BODY = 20_000
MAX_SUMMARY = 200
_MAX_LINES = 400

_TOKEN = re.compile(r"[^\W_]+(?:\.[0-9]+[^\W_]*)*")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NUMBER_EDGE = re.compile(r"(?<=[^\W\d_])(?=[0-9])")
# "llama3" is typed where the name says "Llama-3.1".
_GLUED = re.compile(r"([^\W\d_]{3,})([0-9][0-9.]*[^\W_]*)\Z")
# Said between words, and found in every card or in none.
_SMALL_WORDS = frozenset(
    "a an and are as at be by can do does for from have how i in is it its me my not of on or that the there this to"
    " was what when which who why will with you your".split()
)


def clean(text: str) -> str:
    """Return typed text without what the database does not take, bounded."""
    return " ".join(text.replace("\x00", "").encode("utf-8", "replace").decode().split())[:MAX_TYPED]


def pieces(name: str) -> list[str]:
    """Return the words of a name, lower-cased: each whole, and cut at humps and before numbers."""
    found: dict[str, None] = {}
    for token in _TOKEN.findall(name):
        parts = [part for hump in _HUMP.split(token) for part in _NUMBER_EDGE.split(hump)]
        for piece in (token, *parts, *_NUMBER_EDGE.split(token)):
            found[piece.lower()[:MAX_WORD]] = None
    return [piece for piece in found if piece]


def typed(text: str) -> list[str]:
    """Return the words that somebody typed, without small ones beside others."""
    words = list(dict.fromkeys(token.lower()[:MAX_WORD] for token in _TOKEN.findall(clean(text))))
    return ([word for word in words if word not in _SMALL_WORDS] or words)[:MAX_WORDS]


def vector(first: Iterable[str], second: Iterable[str]) -> str:
    """Return a tsvector literal: the words of ``first`` weigh A, those of ``second`` B.

    It is written out here, since the database's own parser takes names for numbers, hosts and files.
    """
    found: dict[str, str] = {}
    for weight, texts in (("A", first), ("B", second)):
        for piece in (piece for text in texts for piece in pieces(text)):
            if len(found) < MAX_LEXEMES:
                found.setdefault(piece, weight)
    return " ".join(f"{_quoted(piece)}:{at}{weight}" for at, (piece, weight) in enumerate(found.items(), 1))


def literal(word: str, *, begins: bool = True) -> str:
    """Return a tsquery literal that finds a word, or whatever ``begins`` with it."""
    if not begins:
        return _quoted(word)
    found = f"{_quoted(word)}:*"
    if glued := _GLUED.match(word):
        found += f" | ({_quoted(glued[1])}:* & {_quoted(glued[2])}:*)"
    return found


def slips(typed: Iterable[str]) -> list[list[str]]:
    """Return, for each word that was typed, the patterns of LIKE for upper-cased names that have it but for one slip.

    A slip is a letter too many, too few, another one, or two that changed places.  An index of trigrams answers for all
    of them, so each pattern has three letters in a row, and words that are too short for that give none.
    """
    found, left = [], MAX_SLIPS
    for word in (word.upper() for word in typed if len(word) >= TRIGRAM):
        ways = _ways(word) if len(word) >= MIN_SLIP else []
        taken = [word, *ways] if len(ways) <= left else [word]
        left -= len(taken)
        found.append([f"%{way}%" for way in taken])
    return found


def _ways(word: str) -> list[str]:
    ends = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    ways = [f"{one}{two[1]}{two[0]}{two[2:]}" for one, two in ends if len(two) > 1]
    ways += [f"{one}{two[1:]}" for one, two in ends if two]
    ways += [f"{one}_{two[1:]}" for one, two in ends if two]
    ways += [f"{one}_{two}" for one, two in ends if one and two]
    return [way for way in dict.fromkeys(ways) if max(map(len, way.split("_"))) >= TRIGRAM]


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_NO_PROSE = re.compile(r"\s*(#|<|\||>|!\[|\[!\[|[-*+]\s|\d+[.)]\s|=+\s*\Z|-+\s*\Z|\*\*\*|:::|\[[^\]]*\]:)")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"<[^>]{0,300}>")
_MARKS = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)")
# Letters that turn the direction of a line, or draw nothing.
_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def summary(body: str) -> str:
    """Return the first paragraph of prose in a card, in plain words and bounded; '' where there is none."""
    lines: list[str] = []
    fenced = False
    for line in body[:MAX_BODY].splitlines()[:_MAX_LINES]:
        if _FENCE.match(line):
            fenced = not fenced
            continue
        is_prose = not fenced and bool(line.strip()) and not _NO_PROSE.match(line)
        if is_prose:
            lines.append(_plain(line[:2000]))
        elif lines and len(" ".join(lines)) >= 30:
            break
        else:
            lines = []
    text = " ".join(" ".join(lines).split())
    return (
        text if len(text) <= MAX_SUMMARY else text[: MAX_SUMMARY - 1].rpartition(" ")[0].rstrip(",;:.") + "…"
    )


def _plain(line: str) -> str:
    return _UNSEEN.sub(" ", _MARKS.sub("", _TAG.sub(" ", _LINK.sub(r"\1", _IMAGE.sub(" ", line)))))
