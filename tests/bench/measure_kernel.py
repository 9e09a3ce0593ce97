"""The kernel against the real ggml in one process: one thread, 32-bit floats in, a million weights hot in the cache."""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.bench.report import Line, speed
from tests.workers.kernel import ggml
from workers import kernel

ROWS, COLUMNS = 256, 4096
LARGE_ROWS = 16 * 1024
TRIES = 7
# What the widest path is to reach; a narrower one may reach this share of it.
TARGETS = {
    "F16": 1.0, "BF16": 1.0, "Q8_0": 8.0, "Q4_0": 3.0, "Q4_1": 3.0, "Q5_0": 3.0, "Q5_1": 3.0, "Q2_K": 9.0, "Q3_K": 4.0,
    "Q4_K": 10.0, "Q5_K": 10.0, "Q6_K": 7.5, "IQ4_NL": 30.0, "IQ4_XS": 28.0, "TQ1_0": 4.0, "TQ2_0": 4.0, "MXFP4": 4.0,
    "NVFP4": 8.0, "Q1_0": 4.0, "Q2_0": 4.0,
}  # fmt: skip
WEIGHTED_TARGETS = {
    "Q4_0": 4.0, "Q4_1": 8.0, "Q5_0": 4.0, "Q5_1": 8.0, "Q2_K": 8.0, "Q3_K": 8.0, "Q4_K": 8.0, "Q5_K": 8.0, "Q6_K": 7.5,
    "IQ4_NL": 30.0, "IQ4_XS": 28.0,
}  # fmt: skip
SHARES = {"avx512": 1.0, "avx2": 0.4, "portable": 0.1}
# From memory a rate has to keep at least this part of what it is in the cache: types that search hardly notice.
KEPT, KEPT_BY_SEARCH = 0.3, 0.8
SEARCHED = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS")


def _note() -> str:
    return (
        f"millions of weights a second by one thread's own time, best of {TRIES}; the peer is ggml_quantize_chunk; path"
        f" {kernel.paths()[-1]}, from which {SHARES[kernel.paths()[-1]]} of the widest path's target is asked"
    )


def _rate(weights: int, call: Callable[[], object]) -> float:
    started = time.thread_time()
    call()
    return weights / (time.thread_time() - started) / 1e6


def _compare(
    rows: NDArray[np.float32], name: str, importance: NDArray[np.float32] | None
) -> tuple[float, float]:
    """Measure ours and the peer in turns, and keep the best of each."""
    out = ggml.room_for(rows, name)
    ours, peer = [], []
    for _ in range(TRIES):
        ours.append(_rate(rows.size, lambda: kernel.quantize_into(rows, name, out, importance)))
        peer.append(_rate(rows.size, lambda: ggml.quantize_to(out, rows, name, importance)))
    return max(ours), max(peer)


def _normal(rows: int) -> NDArray[np.float32]:
    made = np.random.default_rng(1).standard_normal((rows, COLUMNS), dtype=np.float32)
    made *= np.float32(0.02)
    return made


def _from_memory(hot: dict[str, float]) -> list[Line]:
    rows = _normal(LARGE_ROWS)
    lines = []
    for name, rate_in_cache in hot.items():
        target = KEPT_BY_SEARCH if name in SEARCHED else KEPT
        out = ggml.room_for(rows, name)
        rate = max(_rate(rows.size, lambda: kernel.quantize_into(rows, name, out)) for _ in range(2))  # noqa: B023
        note = f"the same from {rows.nbytes >> 20} MB of weights, against a million of them"
        lines.append(speed(f"{name} from memory", "Mw/s", [(rate, rate_in_cache)], target=target, note=note))
    return lines


def measure() -> list[Line]:
    """Compare every type, with and without importance, and look at weights that no cache holds."""
    rows = _normal(ROWS)
    importance = np.random.default_rng(2).random(COLUMNS, dtype=np.float32) + np.float32(0.1)
    share, note, hot, lines = SHARES[kernel.paths()[-1]], _note(), {}, []
    for name, target in TARGETS.items():
        ours, peer = _compare(rows, name, None)
        hot[name] = ours
        lines.append(speed(name, "Mw/s", [(ours, peer)], target=target * share, note=note))
    for name, target in WEIGHTED_TARGETS.items():
        pair = _compare(rows, name, importance)
        lines.append(speed(f"{name}, weighted", "Mw/s", [pair], target=target * share, note=note))
    return lines + _from_memory(hot)
