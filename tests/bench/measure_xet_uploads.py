"""``hf upload`` by chunks: how fast a large file becomes pullable, and how little a changed one sends again."""

import time
from pathlib import Path

import numpy as np

from tests.bench.counting import CountingProxy, counting_proxy
from tests.bench.measure_uploads import put_plain, wait_until_pullable
from tests.bench.programs import Cost, run_counted, seconds_by_name
from tests.bench.report import Line, ceiling, speed
from tests.bench.weights import write_weights
from tests.bench.world import OWNER, World, hf, require_space
from tests.live import LiveHub

FILE = "model.safetensors"
TARGET = 0.5
NOTE = (
    "MB/s from the start of the program, with an empty HF_HOME, until HEAD resolve answers 200; the peer is a program"
    " that calls boto3's upload_file on the same file and store, in parts of 64 MiB"
)
SPLICED = 10 * 10**6
MOST_SHARE = 0.03
PIECE = 8 * 2**20
MB = 10**6


def measure_upload(world: World, path: Path, *, rounds: int) -> list[Line]:
    """Push other weights in each round, from a client without memory into a repo of its own."""
    size = path.stat().st_size
    require_space(world.root, (2 * rounds + 2) * size)
    rates: list[tuple[float, float]] = []
    notes: list[str] = []
    with world.hub() as live:
        for number in range(rounds):
            write_weights(path, size, seed=50 + number)
            seconds, note = _pair(world, live, path, number)
            rates.append((size / MB / seconds[0], size / MB / seconds[1]))
            notes.append(note)
    best = max(range(rounds), key=lambda number: rates[number][0])
    return [speed("xet-upload", "MB/s", rates, target=TARGET, note=f"{NOTE}; {notes[best]}")]


def _pair(world: World, live: LiveHub, path: Path, number: int) -> tuple[tuple[float, float], str]:
    """Measure ours and the peer; they take turns in going first."""
    if number % 2:
        ours, note = _push(world, live, path, number)
        return (ours, put_plain(world, live, path, number)), note
    peer = put_plain(world, live, path, number)
    ours, note = _push(world, live, path, number)
    return (ours, peer), note


def _push(world: World, live: LiveHub, path: Path, number: int) -> tuple[float, str]:
    assert live.process is not None
    before, started = seconds_by_name(live.process.pid), time.perf_counter()
    cost = _upload(world, live, path, f"{OWNER}/chunked-{number}", home=f"upload-{number}")
    seconds = time.perf_counter() - started
    after = seconds_by_name(live.process.pid)
    shares = ", ".join(
        f"{name} {used:.1f}" for name in sorted(after) if (used := after[name] - before.get(name, 0.0)) > 0.1
    )
    return seconds, f"processor seconds of xet-upload: client {cost.client:.1f}, {shares}"


def _upload(world: World, live: LiveHub, path: Path, repo: str, *, home: str) -> Cost:
    assert live.process is not None
    argv = [hf(), "upload", repo, str(path), FILE]
    cost = run_counted(argv, world.xet_env(live.url, home), base=live.env, server=live.process.pid)
    wait_until_pullable(f"{live.url}/{repo}/resolve/main/{FILE}", path.stat().st_size)
    return cost


def measure_splice(world: World, path: Path) -> list[Line]:
    """Count what crosses the wire when 10 MB come into the middle of a file that was sent before."""
    size = path.stat().st_size
    require_space(world.root, 4 * size)
    with counting_proxy(world.port + 1) as proxy, world.hub(HUB_BYTES_URL=proxy.url) as live:
        whole = _sent(world, live, proxy, path, home="same")
        assert whole > size / 10, f"only {whole} bytes passed the proxy: the chunks go another way"
        first, second = (_spliced(path, world.scratch / f"spliced-{seed}", seed=seed) for seed in (1, 2))
        same = _sent(world, live, proxy, first, home="same")
        first.unlink()
        fresh = _sent(world, live, proxy, second, home="fresh")
    return [_line("the same HF_HOME", same, whole, size), _line("an empty HF_HOME", fresh, whole, size)]


def _sent(world: World, live: LiveHub, proxy: CountingProxy, path: Path, *, home: str) -> int:
    before = proxy.sent
    _upload(world, live, path, f"{OWNER}/spliced", home=home)
    return proxy.sent - before


def _line(where: str, sent: int, whole: int, size: int) -> Line:
    note = (
        f"{SPLICED / MB:.0f} MB put into the middle of {size / MB:.0f} MB, pushed from {where}: {sent / MB:.1f} MB"
        f" sent, {100 * sent / size:.2f} % of the file (requests counted whole by a TCP proxy; the first push sent"
        f" {whole / MB:.0f} MB)"
    )
    return ceiling(f"xet-splice, {where}", "MB", sent / MB, most=MOST_SHARE * size / MB, note=note)


def _spliced(source: Path, target: Path, *, seed: int) -> Path:
    """Write a copy with new weights in its middle; each seed has a middle of its own, so neither knows the other."""
    fresh = np.random.default_rng(seed).standard_normal(SPLICED // 2, dtype=np.float32) * np.float32(0.02)
    middle = source.stat().st_size // (seed + 1) // 2 * 2
    with source.open("rb") as old, target.open("wb") as new:
        left = middle
        while left:
            piece = old.read(min(PIECE, left))
            new.write(piece)
            left -= len(piece)
        new.write((fresh.view(np.uint32) >> 16).astype(np.uint16).tobytes())
        while piece := old.read(PIECE):
            new.write(piece)
    return target
