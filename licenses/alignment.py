"""PURE: an uploaded text beside the known one, clause by clause, with every word that is added or missing.

Clauses are those of the known text; what stands between two of them in the upload is a row of its own.  Layout, case,
punctuation and copyright lines make no difference.  Differences are told apart as *added* (they carry the traps, so
they come first), *missing*, and *changed* numbers, dates and names.
"""

from collections.abc import Iterator, Mapping, Sequence

from licenses.aligned import Alignment, Kind, Remark, Step
from licenses.anchors import Run, shared_runs
from licenses.clauses import find_passages, rows_of
from licenses.shown import Shown
from licenses.words import signals_in

# Shared words that stand alone between larger differences tell nothing and break the reading.
_LONELY = 2
_VALUE_WORDS = 12
_LONGEST_SLIDE = 60
_MONTHS = frozenset(
    "january february march april may june july august september october november december million billion "
    "thousand".split()
)


def align(known: Shown, given: Shown, passages: Mapping[str, str] | None = None) -> Alignment:
    """Compare two texts; ``passages`` maps terms to words of the known text that support them."""
    shared_words, whole = shared_runs(known.keys, given.keys)
    runs = _slid(_without_lonely(shared_words, known, given), known, given)
    steps = list(_steps(known, given, runs))
    marked, remarks = _remarks(known, given, steps)
    rows = tuple(rows_of(known, given, marked, find_passages(known, passages or {})))
    shared = sum(step.end - step.start for step in steps if step.kind is Kind.SAME)
    order = [Kind.ADDED, Kind.MISSING, Kind.CHANGED]
    remarks.sort(key=lambda one: (order.index(one.kind), not one.signals, -one.words))
    return Alignment(rows, tuple(remarks), shared, len(known.keys), len(given.keys), given.hidden, whole)


def alone(given: Shown, passages: Mapping[str, str] | None = None) -> Alignment:
    """Return a text of which nothing like it is known, clause by clause."""
    return align(given, given, passages)


def letters(number: int) -> str:
    """Return a, b, ... z, aa, ab, ... for 0, 1, ..."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def _without_lonely(runs: Sequence[Run], known: Shown, given: Shown) -> list[Run]:
    kept: list[Run] = []
    old, new = len(known.keys), len(given.keys)
    for place, run in enumerate(runs):
        at, new_at = (kept[-1].old + kept[-1].length, kept[-1].new + kept[-1].length) if kept else (0, 0)
        after, new_after = (runs[place + 1].old, runs[place + 1].new) if place + 1 < len(runs) else (old, new)
        before = run.old - at + run.new - new_at
        behind = after - run.old - run.length + new_after - run.new - run.length
        if run.length > _LONELY or min(before, behind) < 2 * run.length:
            kept.append(run)
    return list(_regrown(kept, known.keys, given.keys))


def _regrown(runs: Sequence[Run], old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    """Let each run reach back over shared words that a lonely one had taken elsewhere."""
    floor, new_floor = 0, 0
    for run in runs:
        start, new_start = run.old, run.new
        while start > floor and new_start > new_floor and old[start - 1] == new[new_start - 1]:
            start, new_start = start - 1, new_start - 1
        yield Run(start, new_start, run.length + run.old - start)
        floor, new_floor = run.old + run.length, run.new + run.length


def _slid(runs: Sequence[Run], known: Shown, given: Shown) -> list[Run]:
    """Let a difference begin with its clause where the words before it are also those that end it."""
    moved = list(runs)
    starts, new_starts = set(known.clauses), set(given.clauses)
    for place in range(len(moved) - 1):
        before, after = moved[place], moved[place + 1]
        at, new_at = before.old + before.length, before.new + before.length
        if (at == after.old) == (new_at == after.new):
            continue
        words, end = (given.keys, after.new) if at == after.old else (known.keys, after.old)
        here = new_at if at == after.old else at
        for shift in range(min(before.length, _LONGEST_SLIDE)):
            if at - shift in starts or new_at - shift in new_starts:
                moved[place] = Run(before.old, before.new, before.length - shift)
                moved[place + 1] = Run(after.old - shift, after.new - shift, after.length + shift)
                break
            if words[here - shift - 1] != words[end - shift - 1]:
                break
    return moved


def _steps(known: Shown, given: Shown, runs: Sequence[Run]) -> Iterator[Step]:
    at, new_at = 0, 0
    for run in [*runs, Run(len(known.keys), len(given.keys), 0)]:
        if run.old > at or run.new > new_at:
            kind = _kind(known, given, at, run.old, new_at, run.new)
            yield Step(kind, at, run.old, new_at, run.new)
        at, new_at = run.old + run.length, run.new + run.length
        if run.length:
            yield Step(Kind.SAME, run.old, at, run.new, new_at)


def _kind(known: Shown, given: Shown, start: int, end: int, new_start: int, new_end: int) -> Kind:
    if start == end:
        return Kind.ADDED
    if new_start == new_end:
        return Kind.MISSING
    both = [(known, start, end), (given, new_start, new_end)]
    return Kind.CHANGED if all(_is_value(*side) for side in both) else Kind.ADDED


def _is_value(text: Shown, start: int, end: int) -> bool:
    """A few words that name a number, a date or a name, and nothing else that could change a right."""
    words = text.keys[start:end]
    if len(words) > _VALUE_WORDS or signals_in(words):
        return False
    return any(
        any(letter.isdigit() for letter in word) or word in _MONTHS or text.text[text.starts[start + place]].isupper()
        for place, word in enumerate(words)
    )  # fmt: skip


def _remarks(known: Shown, given: Shown, steps: Sequence[Step]) -> tuple[list[Step], list[Remark]]:
    """Give every difference its letter; where words stand in for others, both are told."""
    marked: list[Step] = []
    remarks: list[Remark] = []
    for step in steps:
        if step.kind is Kind.SAME:
            marked.append(step)
            continue
        mark = letters(len(remarks))
        marked.append(Step(step.kind, step.start, step.end, step.new_start, step.new_end, mark))
        was = _text(known, step.start, step.end)
        text = _text(given, step.new_start, step.new_end)
        words = [*given.keys[step.new_start : step.new_end], *known.keys[step.start : step.end]]
        remarks.append(
            Remark(
                step.kind, mark, text if step.kind is not Kind.MISSING else was,
                was if step.kind is not Kind.MISSING else "", given.line_of(step.new_start),
                max(step.new_end - step.new_start, 0) or step.end - step.start,
                tuple(dict.fromkeys(signals_in(words))),
            )
        )  # fmt: skip
    return marked, remarks


def _text(text: Shown, start: int, end: int) -> str:
    return " ".join(text.text[text.cut(start) : text.cut(end)].split()) if end > start else ""
