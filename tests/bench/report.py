"""What a benchmark reports, as a table for people and as JSON for machines."""

import json
import os
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Line:
    """One measured promise.

    ``ours`` and ``peer`` are medians of the runs, ``ratio`` is the median of the runs' own ratios (a run measures both
    sides one right after the other, so that foreign load meets both), and ``best`` is their best.  ``at_most`` turns a
    target around: memory is to stay under it.
    """

    name: str
    unit: str
    ours: float
    peer: float | None
    ratio: float
    best: float
    target: float
    at_most: bool = False
    note: str = ""
    runs: list[dict[str, float]] = field(default_factory=list)

    @property
    def met(self) -> bool:
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def speed(name: str, unit: str, pairs: list[tuple[float, float]], *, target: float, note: str = "") -> Line:
    """Sum up runs of (ours, peer) in a unit of which more is better."""
    ratios = [ours / peer for ours, peer in pairs]
    return Line(
        name=name,
        unit=unit,
        ours=statistics.median(ours for ours, _ in pairs),
        peer=statistics.median(peer for _, peer in pairs),
        ratio=statistics.median(ratios),
        best=max(ratios),
        target=target,
        note=note,
        runs=[{"ours": ours, "peer": peer, "ratio": ours / peer} for ours, peer in pairs],
    )


def ceiling(name: str, unit: str, peak: float, *, most: float, note: str = "") -> Line:
    """Report a peak that has to stay under ``most``."""
    share = peak / most
    return Line(name, unit, peak, most, share, share, 1.0, at_most=True, note=note)


def table(lines: list[Line]) -> str:
    """Return the lines as text, one row each and the notes below."""
    head = ("name", "ours", "peer", "ratio", "best", "target", "")
    rows = [head, *(_row(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(["", *text, "", *dict.fromkeys(line.note for line in lines)])


def _row(line: Line) -> tuple[str, ...]:
    sign = "<=" if line.at_most else ">="
    peer = "" if line.peer is None else f"{line.peer:.0f} {line.unit}"
    return (
        line.name, f"{line.ours:.0f} {line.unit}", peer, f"{line.ratio:.2f}", f"{line.best:.2f}",
        f"{sign} {line.target:.2f}", "met" if line.met else "SHORT",
    )  # fmt: skip


def write_json(lines: list[Line], folder: Path, facts: dict[str, object]) -> Path:
    """Write the lines and the facts of the machine to ``bench.json`` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.json"
    shape = {"machine": facts, "lines": [{**asdict(line), "met": line.met} for line in lines]}
    path.write_text(json.dumps(shape, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, object]:
    """Return what the numbers depend on: foreign load shows here, and makes both sides of a ratio slower."""
    one, five, _ = os.getloadavg()
    return {"cpus": os.cpu_count(), "load_one_minute": round(one, 2), "load_five_minutes": round(five, 2)}
