"""PURE: which runs of words two long texts share, in order, in a bounded time.

Runs that stand once in both texts hold them together; between them the same is done with shorter runs, and what is
left is compared word by word.  A text made to be slow (one word a hundred thousand times) is compared more coarsely
instead of for longer: what was not compared counts as different, never as the same.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from licenses.differences import differences

_LENGTHS = (8, 4, 2, 1)
# Words looked at, all rounds together: a second or two at most, whatever the texts are.
_BUDGET = 4_000_000
_CLOSE = 400
_MOST_CHANGES = 100


@dataclass(frozen=True, slots=True)
class Run:
    """``length`` words from ``old`` in the one text are those from ``new`` in the other."""

    old: int
    new: int
    length: int


@dataclass(frozen=True, slots=True)
class _Gap:
    start: int
    end: int
    new_start: int
    new_end: int

    @property
    def words(self) -> int:
        return self.end - self.start + self.new_end - self.new_start


def shared_runs(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[Run, ...], bool]:
    """Return the runs that both texts share, in order, and whether everything was compared."""
    left = _BUDGET
    whole = True
    found: list[Run] = []
    open_ = [_Gap(0, len(old), 0, len(new))]
    while open_:
        gap = open_.pop()
        if gap.start == gap.end or gap.new_start == gap.new_end:
            continue
        if left <= 0:
            whole = False
            continue
        runs, cost = _runs_in(old, new, gap)
        left -= cost
        found += runs
        open_ += _around(gap, runs) if runs else ()
    return tuple(_joined(sorted(found, key=lambda run: run.old))), whole


def _around(gap: _Gap, runs: Sequence[Run]) -> Iterator[_Gap]:
    at, new_at = gap.start, gap.new_start
    for run in runs:
        yield _Gap(at, run.old, new_at, run.new)
        at, new_at = run.old + run.length, run.new + run.length
    yield _Gap(at, gap.end, new_at, gap.new_end)


def _runs_in(old: Sequence[str], new: Sequence[str], gap: _Gap) -> tuple[list[Run], int]:
    """Return the shared runs of a gap and how many words were looked at to find them."""
    cost = 0
    if gap.words <= _CLOSE:
        cost = gap.words * 20
        close = differences(old[gap.start : gap.end], new[gap.new_start : gap.new_end], most=_MOST_CHANGES)
        if close is not None:
            changes = [(one.start, one.end, one.new_start, one.new_end) for one in close]
            return list(_between(gap, changes)), cost
    for length in _LENGTHS:
        cost += gap.words
        if places := _once_in_both(old, new, gap, length):
            return list(_grown(old, new, gap, _rising(places), length)), cost
    return [], cost


def _between(gap: _Gap, changes: Sequence[tuple[int, int, int, int]]) -> Iterator[Run]:
    """Yield what lies between changes: the shared runs."""
    at, new_at = 0, 0
    for start, end, _, new_end in changes:
        if start > at:
            yield Run(gap.start + at, gap.new_start + new_at, start - at)
        at, new_at = end, new_end
    if (rest := gap.end - gap.start - at) > 0:
        yield Run(gap.start + at, gap.new_start + new_at, rest)


def _once_in_both(old: Sequence[str], new: Sequence[str], gap: _Gap, length: int) -> list[tuple[int, int]]:
    """Return where runs of this length stand that occur once in each text, in the order of the first."""
    mine = _single(old, gap.start, gap.end, length)
    theirs = _single(new, gap.new_start, gap.new_end, length)
    return [(place, theirs[run]) for run, place in mine.items() if place >= 0 and theirs.get(run, -1) >= 0]


def _single(words: Sequence[str], start: int, end: int, length: int) -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for place in range(start, end - length + 1):
        run = tuple(words[place : place + length])
        found[run] = -1 if run in found else place
    return found


def _rising(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of the pairs that rises in both texts."""
    tails: list[int] = []
    rows: list[int] = []
    before: list[int] = []
    for row, (_, new) in enumerate(places):
        at = bisect_left(tails, new)
        before.append(rows[at - 1] if at else -1)
        if at == len(tails):
            tails.append(new)
            rows.append(row)
        else:
            tails[at], rows[at] = new, row
    chosen = []
    row = rows[-1] if rows else -1
    while row >= 0:
        chosen.append(places[row])
        row = before[row]
    return chosen[::-1]


def _grown(
    old: Sequence[str], new: Sequence[str], gap: _Gap, places: Sequence[tuple[int, int]], length: int
) -> Iterator[Run]:
    """Grow each run as far as the texts agree, without reaching into the one before."""
    floor, new_floor = gap.start, gap.new_start
    for start, new_start in places:
        if start < floor or new_start < new_floor:
            continue
        end, new_end = start + length, new_start + length
        while start > floor and new_start > new_floor and old[start - 1] == new[new_start - 1]:
            start, new_start = start - 1, new_start - 1
        while end < gap.end and new_end < gap.new_end and old[end] == new[new_end]:
            end, new_end = end + 1, new_end + 1
        yield Run(start, new_start, end - start)
        floor, new_floor = end, new_end


def _joined(runs: Sequence[Run]) -> Iterator[Run]:
    held: Run | None = None
    for run in runs:
        if held and (held.old + held.length, held.new + held.length) == (run.old, run.new):
            held = Run(held.old, held.new, held.length + run.length)
            continue
        if held:
            yield held
        held = run
    if held:
        yield held
