"""Memory of the hub's own processes while a very large file goes in and out."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import psutil
import requests

from tests.bench.measure_uploads import wait_until_pullable
from tests.bench.report import Line, ceiling
from tests.bench.weights import write_weights
from tests.bench.world import OWNER, World, hf, require_space, run_program
from tests.live import LiveHub

REPO, FILE = f"{OWNER}/memory", "model.safetensors"
MOST_MB = 400.0
STREAMS = 4
PAUSE = 0.25
MB = 10**6


def _pss(process: psutil.Process) -> int:
    """Return a process's proportional share of the memory it uses, in bytes; 0 once it has ended."""
    try:
        text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    except (OSError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


class Watch:
    """Samples the memory of the two kinds of processes in a thread until the block ends; keeps the peaks in MB."""

    def __init__(self, live: LiveHub) -> None:
        assert live.process is not None
        self.root = psutil.Process(live.process.pid)
        self.peaks = {"web": 0.0, "worker": 0.0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            sums = {"web": 0, "worker": 0}
            for process in self.root.children(recursive=True):
                if group := _group_of(process):
                    sums[group] += _pss(process)
            for group, size in sums.items():
                self.peaks[group] = max(self.peaks[group], size / MB)


def _group_of(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    if "gunicorn" in " ".join(words):
        return "web"
    return "worker" if "celery" in " ".join(words) else ""


def measure(world: World, *, size: int, delivery: str) -> list[Line]:
    """Push and pull a file of ``size`` bytes and report the peaks."""
    require_space(world.root, 3 * size)
    path = write_weights(world.scratch / FILE, size, seed=9)
    try:
        with world.hub(delivery) as live:
            time.sleep(3)
            with Watch(live) as watch:
                run_program(
                    [hf(), "upload", REPO, str(path), FILE], world.client_env(live.url), base=live.env
                )
                address = f"{live.url}/{REPO}/resolve/main/{FILE}"
                wait_until_pullable(address, size)
                _pull(address, size)
    finally:
        path.unlink()
    note = (
        f"peak sum of proportional set sizes; {size / 10**9:.1f} GB in by hf upload, out by {STREAMS} streams"
    )
    return [
        ceiling(
            f"memory of {group}, {delivery}", "MB", peak, most=MOST_MB, note=note if group == "web" else ""
        )
        for group, peak in watch.peaks.items()
    ]


def _pull(address: str, size: int) -> None:
    share = -(-size // STREAMS)
    starts = range(0, size, share)
    with ThreadPoolExecutor(STREAMS) as pool:
        read = sum(pool.map(lambda start: _read(address, start, min(start + share, size) - 1), starts))
    assert read == size, f"{read} of {size} bytes came"


def _read(address: str, first: int, last: int) -> int:
    with requests.get(address, headers={"Range": f"bytes={first}-{last}"}, stream=True, timeout=60) as answer:
        assert answer.status_code == 206, answer.text[:500]
        return sum(len(piece) for piece in answer.iter_content(2**20))
