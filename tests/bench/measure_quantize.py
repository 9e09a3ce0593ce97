"""A whole model quantized with two threads, beside what the kernel alone does and what the disk does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.bench.report import Line, ceiling, listed, speed
from tests.bench.world import require_space
from tests.workers.formats.build import ARCHITECTURE, Info, gguf, number_pair
from workers import kernel

GB, MB = 10**9, 10**6
THREADS = 2
WIDTH, INNER, BF16 = 4096, 11008, 30
# Types bound by the kernel, of whose speed a whole file keeps at least half; and types bound by memory, hash and disk.
SLOW, FAST = ("Q4_K_M", "Q6_K", "IQ4_XS"), ("Q8_0", "Q4_0", "F16")
TENSOR_TYPES = {"Q4_K_M": "Q4_K"}
AT_LEAST = 0.5
MOST_MB = 1000.0
TILE = 2**23
BLOCK = 16 * 2**20
CHILD = """
import sys, time
from pathlib import Path
from workers.quantize import Options, quantize_file
source, target, kind, threads = sys.argv[1:]
started = time.perf_counter()
quantize_file(Path(source), Path(target), kind, options=Options(threads=int(threads)))
took = time.perf_counter() - started
peak = next(line for line in Path("/proc/self/status").open() if line.startswith("VmHWM:"))
print(took, int(peak.split()[1]) * 1024)
"""
NOTE = (
    "quantize: GB/s of a BF16 model in the page cache, two threads, reading, hashing, writing and fsync included; "
    "the peer is the kernel alone on the same weights in memory, two threads"
)


def measure(folder: Path, *, weights: float, rounds: int) -> list[Line]:
    """Quantize a model of so many weights into each type; the first layer's shapes repeat."""
    require_space(folder, int(6 * weights))
    source, target = folder / "bench.gguf", folder / "bench-out.gguf"
    tile = _tile()
    size = _write_model(source, int(weights), tile)
    lines, peak = [], 0.0
    for kind in (*SLOW, *FAST):
        pairs = []
        for _ in range(rounds):
            took, used = _run(source, target, kind)
            pairs.append((size / GB / took, _kernel_rate(tile, TENSOR_TYPES.get(kind, kind))))
            peak = max(peak, used)
        name = f"quantize, {kind}"
        if kind in SLOW:
            lines.append(speed(name, "GB/s", pairs, target=AT_LEAST, note=NOTE))
        else:
            lines.append(listed(name, "GB/s", [ours for ours, _ in pairs], note=NOTE))
            lines.append(listed(f"{name}, kernel alone", "GB/s", [bound for _, bound in pairs], note=NOTE))
    lines.append(ceiling("quantize, peak memory", "MB", peak / MB, most=MOST_MB, note=NOTE))
    for name, work in (("read", lambda: _read(source)), ("write and fsync", lambda: _write(target, tile))):
        lines.append(
            listed(f"quantize, disk: {name}", "GB/s", [_rate(work) for _ in range(rounds)], note=NOTE)
        )
    for path in (source, target):
        path.unlink()
    return lines


def _tile() -> NDArray[np.uint16]:
    """Normal weights as bfloat16, some of which make up a whole model when repeated."""
    values = np.random.default_rng(7).standard_normal(TILE, np.float32) * np.float32(0.02)
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def _write_model(path: Path, weights: int, tile: NDArray[np.uint16]) -> int:
    shapes = {
        "attn_q": WIDTH,
        "attn_k": WIDTH // 4,
        "attn_v": WIDTH // 4,
        "attn_output": WIDTH,
        "ffn_up": INNER,
    }
    infos: list[Info] = []
    at = layer = 0
    while at < 2 * weights:
        for name, rows in shapes.items():
            infos.append((f"blk.{layer}.{name}.weight", (WIDTH, rows), BF16, at))
            at += 2 * WIDTH * rows
        layer += 1
    keys = {"block_count": layer, "attention.head_count": 32, "attention.head_count_kv": 8}
    pairs = [ARCHITECTURE, *(number_pair(f"llama.{key}", number) for key, number in keys.items())]
    raw = memoryview(tile.tobytes())
    with path.open("wb") as file:
        file.write(gguf(pairs, infos))
        for start in range(0, at, len(raw)):
            file.write(raw[: at - start])
    return at


def _run(source: Path, target: Path, kind: str) -> tuple[float, float]:
    """Seconds and the peak of memory, in a process of its own."""
    words = [sys.executable, "-c", CHILD, str(source), str(target), kind, str(THREADS)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    took, used = done.stdout.split()
    return float(took), float(used)


def _kernel_rate(tile: NDArray[np.uint16], kind: str) -> float:
    """GB/s of the kernel alone, each thread over its own half of the weights."""
    halves = tile.reshape(THREADS, -1, WIDTH)

    def work(half: NDArray[np.uint16]) -> None:
        for rows in np.array_split(half, 8):
            kernel.quantize(rows, kind)

    with ThreadPoolExecutor(THREADS) as pool:
        started = time.perf_counter()
        list(pool.map(work, halves))
        return tile.nbytes / GB / (time.perf_counter() - started)


def _rate(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    return work() / GB / (time.perf_counter() - started)


def _read(path: Path) -> int:
    room = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(room):
            pass
    return path.stat().st_size


def _write(path: Path, tile: NDArray[np.uint16]) -> int:
    raw = tile.tobytes()
    with path.open("wb", buffering=0) as file:
        for _ in range(8):
            file.write(raw)
        os.fsync(file.fileno())
    return 8 * len(raw)
