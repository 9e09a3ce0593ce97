"""PURE: where two nearly equal lists of words differ, in the fewest changes (Myers, 1986), or that they differ more.

The time grows with the length of the lists and the square of the number of changes, which is bounded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """``start:end`` of the old list stands as ``new_start:new_end`` in the new one."""

    start: int
    end: int
    new_start: int
    new_end: int


def differences(old: Sequence[str], new: Sequence[str], *, most: int) -> tuple[Difference, ...] | None:
    """Return where the lists differ, in order; None where more than ``most`` words are put in or taken out."""
    if abs(len(old) - len(new)) > most:
        return None
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    traces = _traces(middle, other, most)
    if traces is None:
        return None
    return tuple(_joined(_steps(middle, other, traces), head))


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    count = 0
    for first, second in zip(one, two, strict=False):
        if first != second:
            break
        count += 1
    return count


def _traces(old: Sequence[str], new: Sequence[str], most: int) -> list[dict[int, int]] | None:
    """Return how far each diagonal reaches after every number of changes."""
    reach = {1: 0}
    traces = []
    for changes in range(most + 1):
        traces.append(dict(reach))
        for diagonal in range(-changes, changes + 1, 2):
            down = diagonal == -changes or (
                diagonal != changes and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
            )
            x = reach.get(diagonal + 1, 0) if down else reach.get(diagonal - 1, 0) + 1
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            reach[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return traces
    return None


def _steps(
    old: Sequence[str], new: Sequence[str], traces: list[dict[int, int]]
) -> list[tuple[int, int, int, int]]:
    """Walk back from the ends and return every single change as (old start, old end, new start, new end)."""
    steps = []
    x, y = len(old), len(new)
    for changes in range(len(traces) - 1, 0, -1):
        reach, diagonal = traces[changes], x - y
        down = diagonal == -changes or (
            diagonal != changes and reach.get(diagonal - 1, -1) < reach.get(diagonal + 1, -1)
        )
        before = diagonal + 1 if down else diagonal - 1
        from_x = reach[before]
        from_y = from_x - before
        steps.append((from_x, from_x, from_y, from_y + 1) if down else (from_x, from_x + 1, from_y, from_y))
        x, y = from_x, from_y
    return steps[::-1]


def _joined(steps: list[tuple[int, int, int, int]], shift: int) -> Iterator[Difference]:
    """Join changes that touch."""
    held: tuple[int, int, int, int] | None = None
    for step in steps:
        if held and step[0] == held[1] and step[2] == held[3]:
            held = held[0], step[1], held[2], step[3]
            continue
        if held:
            yield Difference(*(number + shift for number in held))
        held = step
    if held:
        yield Difference(*(number + shift for number in held))
