"""PURE: what differs between two texts, line by line and within lines, in bounded time whatever the texts are.

Lines that occur once on both sides anchor the rest (patience); what lies between two anchors is compared by the
greedy algorithm of Myers (1986), and taken as replaced where that would need more steps than are left.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

CONTEXT = 3
# About a second.
MAX_STEPS = 1_000_000
# What Myers's algorithm remembers grows with the square of this.
MAX_EDITS = 400
MAX_DEPTH = 60
MAX_WORD_LINE = 2_000
MAX_LINE = 5_000
# Lines with less in common than this are another line, and their words are not compared.
LIKENESS = 0.35

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
Match = tuple[int, int, int]
Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of one side: its number from 1, and its pieces, each with whether it is what differs."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)


@dataclass(frozen=True, slots=True)
class Pair:
    """Lines that stand beside each other; one is missing where a line was added or removed."""

    old: Line | None
    new: Line | None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Stretches of changed lines with some lines around them, and how many lines were added and removed."""

    hunks: tuple[tuple[Pair, ...], ...]
    added: int
    removed: int


@dataclass(slots=True)
class Budget:
    """How many steps may be taken; once they are, what differs is shown as replaced."""

    steps: int = MAX_STEPS

    def take(self, count: int) -> bool:
        """Take steps; False where none are left."""
        self.steps -= count
        return self.steps > 0


def compare(old: str, new: str, *, context: int = CONTEXT, budget: Budget | None = None) -> TextDiff:
    """Return what differs between two texts; several may share a budget of steps."""
    budget = budget or Budget()
    left, right = _lines(old), _lines(new)
    matches = _match(left, right, budget)
    pairs, added, removed = _pairs(left, right, matches, budget)
    return TextDiff(tuple(_hunks(pairs, context)), added, removed)


def _lines(text: str) -> list[str]:
    """Only line feeds end lines, as in git; a last line without one is another line than the same with one."""
    if not text:
        return []
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "\n\\ No newline at the end"
    return lines


def _match(left: Sequence[str], right: Sequence[str], budget: Budget) -> list[Match]:
    """Return runs of equal lines in order: where they begin on the left and on the right, and how many they are."""
    ids: dict[str, int] = {}
    a = [ids.setdefault(line, len(ids)) for line in left]
    b = [ids.setdefault(line, len(ids)) for line in right]
    found: list[Match] = []
    # A stack of its own, so that no text can exhaust Python's.
    waiting = [(0, len(a), 0, len(b), 0)]
    while waiting:
        a0, a1, b0, b1, depth = waiting.pop()
        head, tail = _ends(a, a0, a1, b, b0, b1)
        found += [(a0, b0, head)] if head else []
        found += [(a1 - tail, b1 - tail, tail)] if tail else []
        a0, a1, b0, b1 = a0 + head, a1 - tail, b0 + head, b1 - tail
        if a0 == a1 or b0 == b1 or not budget.take(a1 - a0 + b1 - b0):
            continue
        anchors = _anchors(a, a0, a1, b, b0, b1) if depth < MAX_DEPTH else []
        if not anchors:
            found += _myers(a[a0:a1], b[b0:b1], a0, b0, budget)
            continue
        for at_a, at_b in anchors:
            waiting.append((a0, at_a, b0, at_b, depth + 1))
            found.append((at_a, at_b, 1))
            a0, b0 = at_a + 1, at_b + 1
        waiting.append((a0, a1, b0, b1, depth + 1))
    return sorted(found)


def _ends(a: Sequence[int], a0: int, a1: int, b: Sequence[int], b0: int, b1: int) -> tuple[int, int]:
    most, head = min(a1 - a0, b1 - b0), 0
    while head < most and a[a0 + head] == b[b0 + head]:
        head += 1
    tail = 0
    while tail < most - head and a[a1 - 1 - tail] == b[b1 - 1 - tail]:
        tail += 1
    return head, tail


def _anchors(a: Sequence[int], a0: int, a1: int, b: Sequence[int], b0: int, b1: int) -> list[tuple[int, int]]:
    """Return lines that occur once on each side, the longest row of them that is in order on both."""
    once_a, once_b = Counter(a[a0:a1]), Counter(b[b0:b1])
    where = {b[i]: i for i in range(b0, b1) if once_b[b[i]] == 1}
    common = [(i, where[a[i]]) for i in range(a0, a1) if once_a[a[i]] == 1 and a[i] in where]
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, at_b) in enumerate(common):
        pile = bisect_left(tops, at_b)
        before.append(last[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(at_b)
            last.append(number)
        else:
            tops[pile], last[pile] = at_b, number
    chain, at = [], last[-1] if last else -1
    while at >= 0:
        chain.append(common[at])
        at = before[at]
    return chain[::-1]


def _myers(a: Sequence[int], b: Sequence[int], a0: int, b0: int, budget: Budget) -> list[Match]:
    """Return what two runs have in common; nothing where the steps run out, or too much differs."""
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(len(a) + len(b), MAX_EDITS) + 1):
        if not budget.take(2 * edits + 1):
            return []
        trace.append(reach.copy())
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(a) and 0 <= x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reach[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walk_back(trace, len(a), len(b), a0, b0)
    return []


def _walk_back(trace: list[dict[int, int]], x: int, y: int, a0: int, b0: int) -> list[Match]:
    found: list[Match] = []
    for edits in range(len(trace) - 1, -1, -1):
        reach, k = trace[edits], x - y
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        from_k = k + 1 if down else k - 1
        from_x = reach[from_k] if edits else 0
        start = from_x + (0 if down or not edits else 1)
        if x > start:
            found.append((a0 + start, b0 + start - k, x - start))
        x, y = from_x, from_x - from_k
    return found


def _pairs(
    left: Sequence[str], right: Sequence[str], matches: Sequence[Match], budget: Budget
) -> tuple[list[Pair], int, int]:
    pairs: list[Pair] = []
    at_a = at_b = added = removed = 0
    for start_a, start_b, length in [*matches, (len(left), len(right), 0)]:
        removed, added = removed + start_a - at_a, added + start_b - at_b
        pairs += _replaced(left, at_a, start_a, right, at_b, start_b, budget)
        for step in range(length):
            piece = ((left[start_a + step][:MAX_LINE], False),)
            pairs.append(Pair(Line(start_a + step + 1, piece), Line(start_b + step + 1, piece), is_same=True))
        at_a, at_b = start_a + length, start_b + length
    return pairs, added, removed


def _replaced(
    left: Sequence[str], a0: int, a1: int, right: Sequence[str], b0: int, b1: int, budget: Budget
) -> list[Pair]:
    """Pair removed lines with added ones in their order, and mark the words that differ where both are alike."""
    pairs: list[Pair] = []
    for step in range(max(a1 - a0, b1 - b0)):
        a, b = a0 + step, b0 + step
        old = left[a][:MAX_LINE] if a < a1 else None
        new = right[b][:MAX_LINE] if b < b1 else None
        words = _words(old, new, budget) if old is not None and new is not None else None
        pieces = words or ((((old or ""), False),), (((new or ""), False),))
        pairs.append(
            Pair(
                None if old is None else Line(a + 1, pieces[0]),
                None if new is None else Line(b + 1, pieces[1]),
            )
        )
    return pairs


def _words(old: str, new: str, budget: Budget) -> tuple[tuple[Piece, ...], tuple[Piece, ...]] | None:
    if max(len(old), len(new)) > MAX_WORD_LINE:
        return None
    a, b = _WORD.findall(old), _WORD.findall(new)
    if not budget.take(len(a) + len(b)):
        return None
    matches = _match(a, b, budget)
    alike = sum(
        len(a[i]) for start, _, length in matches for i in range(start, start + length) if a[i].strip()
    )
    if alike < LIKENESS * max(len(old.strip()), len(new.strip()), 1):
        return None
    return (
        _marked(a, [(start, length) for start, _, length in matches]),
        _marked(b, [(start, length) for _, start, length in matches]),
    )


def _marked(words: Sequence[str], same: Sequence[tuple[int, int]]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = 0
    for start, length in [*same, (len(words), 0)]:
        for text, differs in (
            ("".join(words[at:start]), True),
            ("".join(words[start : start + length]), False),
        ):
            if text and pieces and pieces[-1][1] == differs:
                pieces[-1] = (pieces[-1][0] + text, differs)
            elif text:
                pieces.append((text, differs))
        at = start + length
    return tuple(pieces)


def _hunks(pairs: Sequence[Pair], context: int) -> list[tuple[Pair, ...]]:
    """Cut the pairs into stretches: changes, and `context` equal lines before and after each."""
    changed = [number for number, pair in enumerate(pairs) if not pair.is_same]
    spans: list[list[int]] = []
    for number in changed:
        start, end = max(number - context, 0), min(number + context + 1, len(pairs))
        if spans and start <= spans[-1][1]:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    return [tuple(pairs[start:end]) for start, end in spans]
