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
    target: float | None
    at_most: bool = False
    note: str = ""
    runs: list[dict[str, float]] = field(default_factory=list)
    skipped: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or nothing was measured."""
        if self.target is None or self.skipped:
            return None
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


def listed(name: str, unit: str, rates: list[float], *, note: str = "") -> Line:
    """Report rates that have neither peer nor target."""
    middle = statistics.median(rates)
    runs = [{"ours": rate} for rate in rates]
    return Line(name, unit, middle, None, 1.0, max(rates) / middle, None, note=note, runs=runs)


def skipped(name: str, unit: str, why: str) -> Line:
    """Report that something could not be measured; said at once as well, lest it be overlooked."""
    print(f"SKIPPED {name}: {why}", flush=True)
    return Line(name, unit, 0.0, None, 0.0, 0.0, None, skipped=why, note=f"{name} was skipped: {why}")


def table(lines: list[Line]) -> str:
    """Return the lines as text, one row each and the notes below."""
    head = ("name", "ours", "peer", "ratio", "best", "target", "")
    rows = [head, *(_row(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(["", *text, "", *dict.fromkeys(line.note for line in lines)])


def _row(line: Line) -> tuple[str, ...]:
    if line.skipped:
        return (line.name, "-", "", "", "", "", "SKIPPED")
    ours = f"{_number(line.ours)} {line.unit}"
    if line.target is None:
        return (line.name, ours, "", "", "", "", "")
    sign = "<=" if line.at_most else ">="
    peer = "" if line.peer is None else f"{_number(line.peer)} {line.unit}"
    return (
        line.name, ours, peer, f"{line.ratio:.2f}", f"{line.best:.2f}",
        f"{sign} {line.target:.2f}", "met" if line.met else "SHORT",
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.2f}"


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
