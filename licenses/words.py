"""PURE: a text as the words that matter when licences are compared, each with the line it stands on.

Case, layout, punctuation and plain copyright lines make no difference; nothing else is dropped, so that a clause cannot
hide in markup, in other letters or in a comment.  What cannot be read as text, or is longer than any licence, is said
to be so instead of being half read.
"""

import hashlib
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# The longest licence known has 41 KB; a file far above that is no licence text.
MAX_BYTES = 512 * 1024
MAX_WORDS = 100_000
# What a copyright line has besides its years and names is short.
_MAX_COPYRIGHT_WORDS = 16
_CONTROLS_PER_CHARACTER = 0.001

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
BARE_TAG = re.compile(r"</?[a-z][a-z0-9]{0,9}\s{0,3}/?>")
_COPYRIGHT = re.compile(
    r"\W{0,20}(?:copyright|©|\(c\))(?=[^\n]{0,60}?(?:\b(?:19|20)\d\d\b|[<\[{]{1,2}\s?(?:yyyy|year)))"
)
# A short addition that holds one of these changes what one may do; longer ones are shown whatever they hold.
SIGNALS = frozenset(
    "not no only must shall may except unless without restricted restriction restrictions restrict prohibited prohibit "
    "forbidden commercial commercially noncommercial nonprofit profit academic research personal evaluation military "
    "fee fees royalty royalties revoke revocable terminate consent permission require requires required display "
    "notwithstanding sublicense resale".split()
)
_NAMES = {"research", "personal", "academic", "display", "no"}
# A line with one of these says more than who holds the rights.
_SAID = frozenset(
    "you your use uses used using user users agree agrees agreed accept pay pays paid payment sell sells sold selling "
    "ask allowed allow allows permitted permits provided subject terms conditions".split()
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in order, and the line of each, counted from 1; ``source`` is its lines as they were."""

    words: Sequence[str]
    lines: Sequence[int]
    source: Sequence[str] = ()

    def quote(self, start: int, end: int) -> str:
        """Return the original text of some of the words, from the first to the last of them, in one line.

        Where a line lost markup or letters when it was read, the whole line stands in for its words.
        """
        first, last = self.lines[start], self.lines[end - 1]
        found = list(self.source[first - 1 : last])
        if not found:
            return " ".join(self.words[start:end])
        # From the end, so that a cut before it does not move it.
        found[-1] = found[-1][: self._place(last, end - 1)[1]]
        found[0] = found[0][self._place(first, start)[0] :]
        return " ".join(" ".join(found).split())

    def _place(self, line: int, word: int) -> tuple[int, int]:
        """Return where a word and the marks around it stand in its original line."""
        text = self.source[line - 1]
        begin = bisect_left(self.lines, line)
        places = [one.span() for one in WORD.finditer(text)]
        if len(places) != bisect_right(self.lines, line) - begin:
            return 0, len(text)
        start, end = places[word - begin]
        while start > 0 and not text[start - 1].isspace():
            start -= 1
        while end < len(text) and not text[end].isspace():
            end += 1
        return start, end

    @property
    def sha256(self) -> str:
        """The normalised hash: equal for texts that differ in case, layout and copyright lines only."""
        return hashlib.sha256(" ".join(self.words).encode("utf-8", "replace")).hexdigest()


class Unreadable(ValueError):
    """Bytes that are no text to compare; the message says why."""


def read_words(content: bytes) -> Words:
    """Return the words of a file; raises Unreadable for binary content and for more than a licence can hold."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"The file has {len(content)} bytes; licence texts are read up to {MAX_BYTES}.")
    return split_words(decoded(content))


def split_words(text: str) -> Words:
    """Return the words of a text; raises Unreadable for more than `MAX_WORDS`."""
    words: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(_lines(text), start=1):
        if is_copyright(line):
            continue
        found = WORD.findall(line)
        words += found
        lines += [number] * len(found)
        if len(words) > MAX_WORDS:
            raise Unreadable(f"The text has more than {MAX_WORDS} words; it is no licence.")
    return Words(words, lines, text.splitlines())


def signals_in(words: Sequence[str]) -> list[str]:
    """Return the words among these that can change what one may do."""
    return [word for word in words if word in SIGNALS]


def decoded(content: bytes) -> str:
    """Return a file's text; raises Unreadable for binary content."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
    if len(_CONTROL.findall(text)) > len(text) * _CONTROLS_PER_CHARACTER:
        raise Unreadable("The file is binary; a licence text is needed as plain text.")
    return text


def _lines(text: str) -> Iterator[str]:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    for line in text.casefold().splitlines():
        yield BARE_TAG.sub(" ", line) if "<" in line else line


def is_copyright(line: str) -> bool:
    """A line that only says who holds the rights since when; one that says more is read like any other."""
    if len(line) > 300 or not _COPYRIGHT.match(line):
        return False
    words = WORD.findall(line)
    return len(words) <= _MAX_COPYRIGHT_WORDS and not any(
        word in _SAID or (word in SIGNALS and word not in _NAMES) for word in words
    )
