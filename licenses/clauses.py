"""PURE: the differences of two texts as rows, one for each clause of the known text.

What the upload holds between two clauses is a row of its own; what it holds inside one stands there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from licenses.aligned import Kind, Piece, Row, Step
from licenses.shown import Shown, is_numbered, shown

_LONGEST_PASSAGE = 4000
# Where passages stand in the known text, by words, and whose they are.
Lit = Sequence[tuple[int, int, str]]


def find_passages(known: Shown, passages: Mapping[str, str]) -> Lit:
    """Return where each passage stands in the known text, by words; one that is not there is left out."""
    joined = f" {' '.join(known.keys)} "
    places = [0]
    for key in known.keys:
        places.append(places[-1] + len(key) + 1)
    found = []
    for term, passage in passages.items():
        words = shown(passage[:_LONGEST_PASSAGE]).keys
        at = joined.find(f" {' '.join(words)} ") if words else -1
        if at >= 0:
            start = bisect_right(places, at) - 1
            found.append((start, start + len(words), term))
    return sorted(found)


def _cut(steps: Sequence[Step], known: Shown, lit: Lit) -> Iterator[Step]:
    """Cut what is shared at every clause and at every passage, and what is missing at every clause."""
    clauses = sorted({*known.clauses, len(known.keys)})
    finer = sorted({*clauses, *(start for start, _, _ in lit), *(end for _, end, _ in lit)})
    for step in steps:
        edges = finer if step.kind is Kind.SAME else clauses
        at = step.start
        for edge in edges[bisect_right(edges, step.start) :]:
            if edge >= step.end:
                break
            yield _part(step, at, edge)
            at = edge
        yield _part(step, at, step.end)


def _part(step: Step, start: int, end: int) -> Step:
    """Return a piece of a step; words that stand in for missing ones go with the first piece."""
    if step.kind is Kind.SAME:
        shift = step.new_start - step.start
        return Step(step.kind, start, end, start + shift, end + shift)
    if start == step.start:
        return Step(step.kind, start, end, step.new_start, step.new_end, step.mark)
    return Step(Kind.MISSING, start, end, step.new_end, step.new_end, "")


def rows_of(known: Shown, given: Shown, steps: Sequence[Step], lit: Lit) -> Iterator[Row]:
    """Yield the rows in the order of the upload."""
    starts = sorted({0, *known.clauses})
    edges = {*starts, len(known.keys)}
    new_starts = {*given.clauses, len(given.keys)}

    def clause(step: Step) -> int:
        """Return the number of a step's clause, from 1; 0 for one that the known text has not."""
        between = step.start == step.end and step.start in edges and step.new_end in new_starts
        return 0 if between else bisect_right(starts, step.start)

    for number, group in groupby(_cut(steps, known, lit), clause):
        held = list(group)
        if number:
            yield _row(known, given, held, number, lit)
        else:
            yield from (_row(known, given, [step], 0, lit) for step in held)


def _row(known: Shown, given: Shown, steps: Sequence[Step], number: int, lit: Lit) -> Row:
    left: list[Piece] = []
    right: list[Piece] = []
    for step in steps:
        terms = tuple(term for start, end, term in lit if start < step.end and step.start < end)
        opens = tuple(term for start, _, term in lit if start == step.start and start < step.end)
        gone = Kind.CHANGED if step.kind is Kind.CHANGED else Kind.MISSING
        both = step.kind is Kind.SAME
        new = Kind.CHANGED if step.kind is Kind.CHANGED else Kind.ADDED
        mark_left = step.mark if step.new_start == step.new_end else ""
        if step.end > step.start:
            kind = Kind.SAME if both else gone
            opened = () if both else opens
            left += _pieces(known, step.start, step.end, Piece(kind, "", mark_left, terms, opened))
        if step.new_end > step.new_start:
            kind, lit_here = (Kind.SAME, terms) if both else (new, ())
            piece = Piece(kind, "", step.mark, lit_here, opens if both else ())
            right += _pieces(given, step.new_start, step.new_end, piece)
    first = steps[0]
    line = given.line_of(first.new_start) if right else known.line_of(first.start)
    return Row(_kind(left, right), number, tuple(left), tuple(right), line, _added(steps))


def _kind(left: Sequence[Piece], right: Sequence[Piece]) -> Kind:
    kinds = {piece.kind for piece in (*left, *right)} - {Kind.NOISE}
    if kinds <= {Kind.SAME}:
        return Kind.SAME
    if not left:
        return Kind.ADDED
    return Kind.CHANGED if right else Kind.MISSING


def _added(steps: Sequence[Step]) -> int:
    return sum(step.new_end - step.new_start for step in steps if step.kind is not Kind.SAME)


def _pieces(text: Shown, start: int, end: int, like: Piece) -> Iterator[Piece]:
    """Yield the characters of some words; copyright lines among them are pieces of their own."""
    at, stop = text.cut(start), text.cut(end)
    first = True
    for noise_start, noise_end in text.noise[bisect_left(text.noise, (at, 0)) :]:
        if noise_start >= stop:
            break
        if plain := _flowing(text.text[at:noise_start]):
            yield replace(like, text=plain) if first else Piece(like.kind, plain, terms=like.terms)
            first = False
        yield Piece(Kind.NOISE, _flowing(text.text[noise_start:noise_end]))
        at = min(noise_end, stop)
    if plain := _flowing(text.text[at:stop]):
        yield replace(like, text=plain) if first else Piece(like.kind, plain, terms=like.terms)


def _flowing(text: str) -> str:
    """Return text without the line breaks of its layout; paragraphs and numbered lines stay apart."""
    parts: list[str] = []
    apart = ""
    for line in text.split("\n"):
        words = " ".join(line.split())
        if not words:
            apart = "\n\n" if parts else ""
            continue
        if parts:
            parts.append(apart or ("\n" if is_numbered(line) else " "))
        parts.append(words)
        apart = ""
    if not parts:
        return ""
    before = " " if text[0].isspace() else ""
    return f"{before}{''.join(parts)}{' ' if text[-1].isspace() else ''}"
