"""A whole model quantized with two threads, beside what the kernel alone and the disk allow."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.report import Line, ceiling, listed, speed
from tests.bench.world import require_space
from tests.workers.formats.build import ARCHITECTURE, Info, gguf, number_pair
from workers import kernel
from workers.quantize import Options
from workers.quantizing.model import open_model
from workers.quantizing.plan import make_plan

GB, MB = 10**9, 10**6
THREADS = 2
WIDTH, INNER, TOKENS, BF16 = 2048, 5632, 32_000, 30
LAYER = {
    "attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, 256), "attn_v": (WIDTH, 256), "attn_output": (WIDTH, WIDTH),
    "ffn_gate": (WIDTH, INNER), "ffn_up": (WIDTH, INNER), "ffn_down": (INNER, WIDTH),
}  # fmt: skip
KINDS = ("Q8_0", "Q4_0", "Q6_K", "Q4_K_M", "Q5_K_M")
# A run may take half as long again as the slowest of kernel, reading and writing would alone.
AT_LEAST = 1 / 1.5
BOUNDS = ("kernel alone", "read alone", "write alone")
MOST_MB = 1000.0
TILE = 2**23
BLOCK = 16 * 2**20
CHILD = """
import sys, time
from pathlib import Path
from workers.quantize import Options, quantize_file
source, target, kind, threads = sys.argv[1:]
started, processor = time.perf_counter(), time.process_time()
quantize_file(Path(source), Path(target), kind, options=Options(threads=int(threads)))
took, processor = time.perf_counter() - started, time.process_time() - processor
peak = next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM:"))
print(took, processor, int(peak.split()[1]) * 1024)
"""
NOTE = (
    "quantize: seconds for a BF16 model in the page cache, two threads; reading, hashing, writing and fsync included. "
    "The ratio is to the slowest of three that are measured alone right after: the kernel with two threads on weights "
    "that no cache holds; reading the file; writing as many bytes, with fsync. "
    "`processor` is what the run would take if nothing else ran and both threads were always busy; so is the kernel's"
)


def measure(folder: Path, *, weights: float, rounds: int) -> list[Line]:
    """Quantize a model of so many weights into each type; the first layer's shapes repeat."""
    require_space(folder, int(6 * weights))
    source, target = folder / "bench.gguf", folder / "bench-out.gguf"
    tile = _tile()
    _write_model(source, int(weights), tile)
    lines, peak = [], 0.0
    for kind in KINDS:
        counts, size = _plan(source, target, kind)
        runs = []
        for _ in range(rounds):
            took, processor, used = _run(source, target, kind)
            kernel_took, kernel_processor = _kernel_alone(tile, counts)
            alone = {
                "processor": processor / THREADS,
                "kernel's processor": kernel_processor / THREADS,
                "kernel alone": kernel_took,
                "read alone": _seconds(lambda: _read(source)),
                "write alone": _seconds(lambda: _write(target, tile, size)),  # noqa: B023
            }
            runs.append((took, alone))
            peak = max(peak, used)
        # Runs in a second, because more of a rate is better.
        pairs = [(1 / took, 1 / max(alone[name] for name in BOUNDS)) for took, alone in runs]
        line = speed(f"quantize, {kind}", "s", pairs, target=AT_LEAST, note=NOTE)
        line.ours, line.peer = 1 / line.ours, 1 / (line.peer or 1)
        lines.append(line)
        lines += [
            listed(f"quantize, {kind}, {name}", "s", [alone[name] for _, alone in runs], note=NOTE)
            for name in runs[0][1]
        ]
    lines.append(ceiling("quantize, peak memory", "MB", peak / MB, most=MOST_MB, note=NOTE))
    for path in (source, target):
        path.unlink()
    return lines


def _plan(source: Path, target: Path, kind: str) -> tuple[dict[str, int], int]:
    """How many weights get each type, and the size of the output."""
    counts: dict[str, int] = {}
    with open_model(source) as model:
        plan = make_plan(model, target, kind, Options())
    for tensor in plan.tensors:
        counts[tensor.type] = counts.get(tensor.type, 0) + prod(tensor.source.shape)
    return counts, plan.size


def _tile() -> NDArray[np.uint16]:
    """Normal weights as bfloat16, some of which make up a whole model when repeated."""
    values = np.random.default_rng(7).standard_normal(TILE, np.float32) * np.float32(0.02)
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def _write_model(path: Path, weights: int, tile: NDArray[np.uint16]) -> int:
    """A Llama of about so many weights, with the shapes of one that has 1.1 billion; returns its bytes of weights."""
    ends = {"token_embd.weight": (WIDTH, TOKENS), "output.weight": (WIDTH, TOKENS)}
    each = sum(columns * rows for columns, rows in LAYER.values())
    layers = max(1, round((weights - 2 * WIDTH * TOKENS) / each))
    shapes = ends | {
        f"blk.{layer}.{name}.weight": shape for layer in range(layers) for name, shape in LAYER.items()
    }
    infos: list[Info] = []
    at = 0
    for name, shape in shapes.items():
        infos.append((name, shape, BF16, at))
        at += 2 * prod(shape)
    keys = {"block_count": layers, "attention.head_count": 32, "attention.head_count_kv": 4}
    pairs = [ARCHITECTURE, *(number_pair(f"llama.{key}", number) for key, number in keys.items())]
    raw = memoryview(tile.tobytes())
    with path.open("wb") as file:
        file.write(gguf(pairs, infos))
        for start in range(0, at, len(raw)):
            file.write(raw[: at - start])
    return at


def _run(source: Path, target: Path, kind: str) -> tuple[float, float, float]:
    """Seconds, the processor's seconds and the peak of memory, in a process of its own."""
    words = [sys.executable, "-c", CHILD, str(source), str(target), kind, str(THREADS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    took, processor, used = map(float, done.stdout.split())
    return took, processor, used


def _kernel_alone(tile: NDArray[np.uint16], counts: dict[str, int]) -> tuple[float, float]:
    """Seconds for so many weights of each type, and the processor's seconds; each thread has its own half."""
    halves = tile.reshape(THREADS, -1, WIDTH)
    took = processor = 0.0
    with ThreadPoolExecutor(THREADS) as pool:
        for kind, count in counts.items():
            work = partial(_quantize, kind)
            list(pool.map(work, halves))
            started = time.process_time()
            times = [_seconds(lambda: list(pool.map(work, halves))) for _ in range(3)]  # noqa: B023
            processor += (time.process_time() - started) / 3 * count / tile.size
            took += statistics.median(times) * count / tile.size
    return took, processor


def _quantize(kind: str, half: NDArray[np.uint16]) -> None:
    for rows in np.array_split(half, 8):
        kernel.quantize(rows, kind)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _read(path: Path) -> None:
    room = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(room):
            pass


def _write(path: Path, tile: NDArray[np.uint16], size: int) -> None:
    raw = memoryview(tile.tobytes())
    with path.open("wb", buffering=0) as file:
        for start in range(0, size, BLOCK):
            file.write(raw[: min(BLOCK, size - start)])
        os.fsync(file.fileno())
