"""How fast licence texts are told apart, how surely, and how fast a long line of descent is judged."""

import random
import statistics
import time
from collections.abc import Callable

from licenses.ancestry import Edge, Node, Relation
from licenses.duties import Proof
from licenses.lineage import judge
from licenses.shipped import shipped_readings
from tests.bench.report import Line, ceiling
from tests.licenses.known import canonical, corpus

CLAUSE = (
    "\n\nAdditional terms. The Model may not be used for any commercial purpose, and every product built with it must "
    "prominently display the name of the licensor.\n"
)
VARIANTS: dict[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "copyright line": lambda text: f"Copyright (c) 2026 Example Laboratories. All rights reserved.\n\n{text}",
    "clause appended": lambda text: text + CLAUSE,
    "last 30% cut": lambda text: text[: int(len(text) * 0.7)],
}
NODES = 200
MOST_TEXT_MS, MOST_LINEAGE_MS = 10.0, 20.0
_WHERE = "every shipped text in four variants"


def measure(*, rounds: int) -> list[Line]:
    """Return what was measured; no missed clause and no false alarm is allowed, so their ceiling is one half."""
    return [*_identification(rounds), _lineage(rounds)]


def _identification(rounds: int) -> list[Line]:
    milliseconds: list[float] = []
    named = wrong = missed = alarms = 0
    for variant, change in VARIANTS.items():
        for one in canonical():
            content = change(one.text).encode()
            took = [_timed(lambda content=content: corpus().detect(content)) for _ in range(max(3, rounds))]  # type: ignore[misc]
            milliseconds.append(min(took))
            found = corpus().detect(content)
            right = bool(found.matches) and found.matches[0].license == one.license
            named, wrong = named + right, wrong + (not right and _whole(variant))
            missed += found.is_clean and variant == "clause appended"
            alarms += not found.is_clean and variant in ("exact", "copyright line")
    note = _note(named, len(VARIANTS) * len(canonical()))
    return [
        ceiling(
            "license text, mean",
            "ms",
            statistics.mean(milliseconds),
            most=MOST_TEXT_MS,
            note=note,
        ),
        ceiling("license text, slowest", "ms", max(milliseconds), most=MOST_TEXT_MS, note=note),
        ceiling("appended clauses missed", "texts", missed, most=0.5, note=note),
        ceiling("false alarms", "texts", alarms, most=0.5, note=note),
        ceiling("whole texts misnamed", "texts", wrong, most=0.5, note=note),
    ]


def _whole(variant: str) -> bool:
    return variant != "last 30% cut"


def _note(named: int, total: int) -> str:
    return f"license text: {_WHERE}; {named} of {total} named rightly, cut ones among them"


def _lineage(rounds: int) -> Line:
    """Judge a graph in which every model has up to three parents and a licence of its own drawn from them all."""
    draw = random.Random(1)
    readings = shipped_readings()
    keys = [f"n/{number}" for number in range(NODES)]
    nodes = {key: Node(key, (draw.choice(list(readings)),)) for key in keys}
    edges = [
        Edge(keys[child], keys[draw.randrange(child + 1, min(NODES, child + 12))], Relation.MERGE)
        for child in range(NODES - 1)
        for _ in range(3)
    ]
    took = [
        _timed(lambda: judge(keys[0], nodes, edges, Proof(keys[0]), readings))
        for _ in range(5 * max(3, rounds))
    ]
    note = f"lineage: {NODES} models, {len(edges)} edges, licences drawn from all readings; median"
    return ceiling("lineage of 200 models", "ms", statistics.median(took), most=MOST_LINEAGE_MS, note=note)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
