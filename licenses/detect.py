"""PURE: which licence a text is, how much of it is there, and what else the file says.

A text is compared by its runs of five words.  *Recall* is the share of the canonical text found in the file; *residue*
is what the file holds besides.  A high recall alone means nothing: one clause added to a long licence leaves it above
0.99.  So whatever is not covered is shown, and a text that seems to match is compared once more word by word: only
names filled into a template and a title around the text may differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from licenses.differences import differences
from licenses.matches import Canonical, Detection, Match, Passage, Status
from licenses.words import Unreadable, Words, read_words, signals_in, split_words

SHINGLE = 5
# A file that holds less of every known text is none of them.
LEAST_RECALL = 0.6
LEAST_TEMPLATE_RECALL = 0.9
LONGEST_RUN = 8
MOST_CHANGES = 64
# Words that make room for names and years, or that an address is spelled with; any other that is missing was taken out.
NAMED = frozenset(
    "copyright holder holders owner owners author authors contributor contributors organization licensor year yyyy "
    "http https www".split()
)
TEMPLATE = NAMED | frozenset("c name names of the its and by".split())
SECOND_RECALL = 0.9
MAX_CANDIDATES = 6
# Versions of one licence differ by less; only what their first words say tells them apart.
NEAR = 0.04
HEAD_WORDS = 60
# What may stand before or after a text without saying anything, beside the words of the licence's id.
TITLE = frozenset(
    "the license licence licensed version v clause mit copyright c all rights reserved file text".split()
)
# What follows these words explains how to use the licence and is often left out.
_APPENDICES = (
    ("appendix", "how", "to", "apply", "the", "apache", "license"),
    ("how", "to", "apply", "these", "terms", "to", "your", "new"),
)


Numbers = NDArray[np.uint64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Known:
    """A canonical text, ready to be compared: `core` are the places of the runs that recall counts."""

    source: Canonical
    words: Sequence[str]
    core: Places
    cut: int


@dataclass(frozen=True, slots=True)
class _Hit:
    known: _Known
    recall: float
    covered: Flags
    missing: tuple[str, ...]

    @property
    def match(self) -> Match:
        source = self.known.source
        return Match(source.license, source.kind, source.version, round(self.recall, 4))

    def distance(self) -> int:
        """Count the words that the file has besides and those that it lacks."""
        return int((~self.covered).sum()) + len(self.missing)


class Corpus:
    """Every known text, indexed once and asked often."""

    def __init__(self, texts: Iterable[Canonical]) -> None:
        self._numbers: dict[str, int] = {}
        split = [(source, split_words(source.text)) for source in texts]
        for _, words in split:
            for word in words.words:
                self._numbers.setdefault(word, len(self._numbers) + 1)
        runs = [self._runs(words.words) for _, words in split]
        # Every run of any text has one place; a text is a row of flags over them.
        self._all = np.unique(np.concatenate([np.zeros(1, np.uint64), *runs]))
        self._holds = np.zeros((len(split), len(self._all)), bool)
        self._known: list[_Known] = []
        for row, (source, words) in enumerate(split):
            places = self._places(runs[row])
            self._holds[row, places] = True
            cut = _appendix(words.words)
            core = places[: max(0, cut - SHINGLE + 1)]
            self._known.append(_Known(source, words.words, core, cut))
        self._holds[:, 0] = False
        self._exact = {words.sha256: source for source, words in reversed(split)}
        self._sizes = np.array([max(1, len(np.unique(known.core))) for known in self._known])

    def __len__(self) -> int:
        return len(self._known)

    def detect(self, content: bytes) -> Detection:
        """Say what a file's bytes are; never raises for hostile content."""
        try:
            words = read_words(content)
        except Unreadable as error:
            return Detection(Status.UNREADABLE, note=str(error))
        return self.compare(words)

    def compare(self, words: Words) -> Detection:
        """Say what these words are."""
        if (source := self._exact.get(words.sha256)) is not None:
            return Detection(Status.EXACT, (Match(source.license, source.kind, source.version, 1.0),))
        places = self._places(self._runs(words.words))
        hits = self._hits(places)
        if not hits:
            return Detection(Status.UNKNOWN, residue=_passages(words, np.zeros(len(words.words), bool)))
        best = hits[0]
        found = [best, *_more(hits)]
        covered = np.logical_or.reduce([hit.covered for hit in found])
        return _concluded(words, found, covered, hits)

    def _runs(self, words: Sequence[str]) -> Numbers:
        """Return one number for each run of five words; 0 where a word is in no known text."""
        numbers = np.array([self._numbers.get(word, 0) for word in words], np.uint64)
        if len(numbers) < SHINGLE:
            return np.zeros(0, np.uint64)
        mixed = np.zeros(len(numbers) - SHINGLE + 1, np.uint64)
        known = np.ones(len(mixed), bool)
        for offset in range(SHINGLE):
            part = numbers[offset : offset + len(mixed)]
            mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + part * np.uint64(0xD1B54A32D192ED03)
            mixed ^= mixed >> np.uint64(29)
            known &= part != 0
        return np.where(known, mixed, np.uint64(0))

    def _places(self, runs: Numbers) -> Places:
        """Return the place of each run among all known ones; 0 for a run of no known text."""
        places = np.minimum(np.searchsorted(self._all, runs), len(self._all) - 1)
        return np.where(self._all[places] == runs, places, 0).astype(np.int64)

    def _hits(self, places: Places) -> list[_Hit]:
        """Return the texts that this one may be, best first."""
        if not len(places):
            return []
        there = np.zeros(len(self._all), bool)
        there[places] = True
        there[0] = False
        shared = self._holds[:, np.flatnonzero(there)].sum(axis=1) / self._sizes
        likely = [
            int(row) for row in np.argsort(-shared)[:MAX_CANDIDATES] if shared[row] >= LEAST_RECALL * 0.9
        ]
        hits = [_hit(self._known[row], there, self._holds[row][places]) for row in likely]
        return sorted((hit for hit in hits if hit.recall >= LEAST_RECALL), key=_Hit.distance)


def _appendix(words: Sequence[str]) -> int:
    """Return where the appendix begins, else the number of words."""
    for start in (place for place, word in enumerate(words) if word in ("appendix", "how")):
        if any(tuple(words[start : start + len(opening)]) == opening for opening in _APPENDICES):
            return start
    return len(words)


def _hit(known: _Known, there: Flags, covering: Flags) -> _Hit:
    found = there[known.core]
    recall = float(found.mean()) if len(found) else 0.0
    return _Hit(known, recall, _cover(covering), _lost(known, found))


def _cover(found: Flags) -> Flags:
    """Turn the runs that are found into the words that they cover."""
    covered = np.zeros(len(found) + SHINGLE - 1, bool)
    for offset in range(SHINGLE):
        covered[offset : offset + len(found)] |= found
    return covered


def _lost(known: _Known, found: Flags) -> tuple[str, ...]:
    return tuple(known.words[int(place)] for place in np.flatnonzero(~_cover(found)))


def _more(hits: list[_Hit]) -> Iterator[_Hit]:
    """Yield further whole texts that lie in what the ones before leave uncovered: several licences in one file."""
    covered = hits[0].covered.copy()
    for hit in hits[1:]:
        new = int((hit.covered & ~covered).sum())
        if hit.recall >= SECOND_RECALL and new >= len(hit.known.words) / 2:
            covered |= hit.covered
            yield hit


def _concluded(words: Words, found: list[_Hit], covered: Flags, hits: list[_Hit]) -> Detection:
    best = found[0]
    residue = _passages(words, covered)
    others = [hit for hit in hits if hit is not best]
    runner_up = others[0].match if others else None
    matches = tuple(hit.match for hit in found)
    status = _status(found, residue)
    if status is Status.MATCH:
        status, residue = _read_closely(best.known, words, residue)
    undated = status is Status.ALTERED and len(best.missing) <= LONGEST_RUN and not signals_in(best.missing)
    if (status in (Status.MATCH, Status.ADDED) or undated) and (rivals := _rivals(words, best, others)):
        if status is not Status.ADDED:
            status = Status.AMBIGUOUS
        matches = (best.match, *(hit.match for hit in rivals))
    return Detection(status, matches, residue, best.missing, runner_up)


def _status(found: list[_Hit], residue: Sequence[Passage]) -> Status:
    best = found[0]
    if set(best.missing) - TEMPLATE or best.recall < LEAST_TEMPLATE_RECALL:
        return Status.ALTERED
    if any(passage.length >= LONGEST_RUN or signals_in(passage.words.split()) for passage in residue):
        return Status.ADDED
    return Status.MULTIPLE if len(found) > 1 else Status.MATCH


def _read_closely(
    known: _Known, words: Words, residue: tuple[Passage, ...]
) -> tuple[Status, tuple[Passage, ...]]:
    """Compare word by word: runs alone do not see a phrase go that stands in the text a second time."""
    found = differences(known.words[: known.cut], words.words, most=MOST_CHANGES)
    if found is None:
        found = differences(known.words, words.words, most=MOST_CHANGES)
    if found is None:
        return Status.ALTERED, residue
    for one in found:
        gone, new = known.words[one.start : one.end], words.words[one.new_start : one.new_end]
        if gone and not (set(gone) <= TEMPLATE and set(gone) & NAMED):
            return Status.ALTERED, residue
        at_an_end = not one.new_start or one.new_end == len(words.words)
        title = at_an_end and set(new) <= TITLE | set(split_words(known.source.license).words)
        if (not gone and not title) or len(new) >= LONGEST_RUN or signals_in(new):
            return Status.ADDED, (_passage(words, one.new_start, one.new_end),)
    return Status.MATCH, residue


def _passage(words: Words, start: int, end: int) -> Passage:
    text = " ".join(words.words[start:end])
    return Passage(text, end - start, words.lines[start], words.lines[end - 1], words.quote(start, end))


def _rivals(words: Words, best: _Hit, others: list[_Hit]) -> list[_Hit]:
    """Return near versions of the same family that the text's first words do not rule out."""
    head = set(_triples(words.words[:HEAD_WORDS]))
    rivals = []
    for hit in others:
        if hit.known.source.kind != best.known.source.kind or best.recall - hit.recall > NEAR:
            continue
        mine, theirs = (set(_triples(one.known.words[:HEAD_WORDS])) for one in (best, hit))
        told = len(head & (mine - theirs)) > len(head & (theirs - mine))
        if not told and hit.distance() - best.distance() < LONGEST_RUN:
            rivals.append(hit)
    return rivals


def _triples(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(words, words[1:], words[2:], strict=False)


def _passages(words: Words, covered: Flags) -> tuple[Passage, ...]:
    """Return the uncovered runs of words, longest first."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~covered, [False]]).astype(np.int8)))
    runs = [_passage(words, start, end) for start, end in edges.reshape(-1, 2).tolist()]
    return tuple(sorted(runs, key=lambda passage: -passage.length))
