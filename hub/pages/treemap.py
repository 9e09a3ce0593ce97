"""PURE: areas in a rectangle, each as large as its share (squarified, after Bruls, Huizing and van Wijk 2000)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Where the area of one value lies; `index` is its place among the values."""

    index: int
    x: float
    y: float
    width: float
    height: float


def boxes(values: Sequence[float], width: float, height: float) -> list[Box]:
    """Return a box for each positive value, the largest first; together they fill the rectangle."""
    total = sum(value for value in values if value > 0)
    order = sorted((i for i, value in enumerate(values) if value > 0), key=lambda i: -values[i])
    areas = [(i, values[i] * width * height / total) for i in order]
    found: list[Box] = []
    x = y = 0.0
    # What rounding leaves of the rectangle may be nothing.
    while areas and (short := min(width, height)) > 0:
        count = _row_length([area for _, area in areas], short)
        row, areas = areas[:count], areas[count:]
        thick = sum(area for _, area in row) / short
        across = width >= height
        along = y if across else x
        for index, area in row:
            length = area / thick
            found.append(
                Box(index, x, along, thick, length) if across else Box(index, along, y, length, thick)
            )
            along += length
        x, width = (x + thick, max(width - thick, 0.0)) if across else (x, width)
        y, height = (y, height) if across else (y + thick, max(height - thick, 0.0))
    return found


def _row_length(areas: Sequence[float], short: float) -> int:
    """Return how many areas make a row whose worst box is nearest to a square."""
    count, best = 1, _worst(areas[:1], short)
    while count < len(areas) and (worse := _worst(areas[: count + 1], short)) <= best:
        count, best = count + 1, worse
    return count


def _worst(row: Sequence[float], short: float) -> float:
    total = sum(row)
    return max(short * short * max(row) / (total * total), total * total / (short * short * min(row)))
