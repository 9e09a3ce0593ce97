"""Many clients send xorbs at once: memory of the web processes, and how long people wait for a page meanwhile."""

import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.bench.measure_memory import MOST_MB, Watch
from tests.bench.measure_uploads import wait_until_pullable
from tests.bench.report import Line, ceiling, speed
from tests.bench.weights import write_weights
from tests.bench.world import OWNER, TOKEN, World, hf, python, require_space, run_program
from tests.live import BASE_DIR, LiveHub

REPO, FILE = f"{OWNER}/crowd", "model.safetensors"
AT_ONCE = 64
MOST_MS = 200.0
XORB_BYTES = 64 * 2**20
PAGES = ("/", f"/{REPO}")
QUIET_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Waits:
    """How long pages took, in milliseconds."""

    p50: float
    p95: float
    worst: float
    count: int

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f}, p95 {self.p95:.0f}, worst {self.worst:.0f} ms of {self.count} pages"


def measure(world: World) -> list[Line]:
    """Send the xorbs and ask for pages all the while, one at a time."""
    require_space(world.root, (AT_ONCE * 2 + 4) * XORB_BYTES)
    with world.hub() as live:
        _fill(world, live)
        quiet = _pages_during(live, lambda: time.sleep(QUIET_SECONDS))
        with Watch(live) as watch:
            told: list[str] = []
            busy = _pages_during(live, lambda: told.append(_crowd(live)))
    sent = f"{AT_ONCE} concurrent xorbs of 64 MiB raw, each another: {told[0]}"
    taken = float(told[0].split()[-1])
    return [
        speed("xet-concurrency, xorbs taken", "xorbs", [(taken, float(AT_ONCE))], target=1.0, note=sent),
        ceiling(
            "xet-concurrency, memory of web", "MB", watch.peaks["web"], most=MOST_MB,
            note="peak sum of proportional set sizes of all gunicorn processes of both groups meanwhile",
        ),
        ceiling(
            "xet-concurrency, page p95", "ms", busy.p95, most=MOST_MS,
            note=f"GET {' and '.join(PAGES)} in turn meanwhile: {busy}; before: {quiet}",
        ),
    ]  # fmt: skip


def _fill(world: World, live: LiveHub) -> None:
    """Push a small model, so that there is a page of one."""
    path = write_weights(world.scratch / FILE, 2 * 2**20, seed=77)
    run_program([hf(), "upload", REPO, str(path), FILE], world.xet_env(live.url), base=live.env)
    wait_until_pullable(f"{live.url}/{REPO}/resolve/main/{FILE}", path.stat().st_size)
    for page in PAGES:
        requests.get(live.url + page, timeout=30).raise_for_status()


def _crowd(live: LiveHub) -> str:
    """Send the xorbs from a program of its own and return what it says of them."""
    answer = requests.get(
        f"{live.url}/api/models/{REPO}/xet-write-token/main",
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=30,
    ).json()
    argv = python("senders", answer["casUrl"], answer["accessToken"], str(AT_ONCE), str(XORB_BYTES))
    return run_program(argv, {}, base=live.env).strip()


def _pages_during(live: LiveHub, work: Callable[[], None]) -> Waits:
    """Ask for pages from a program of its own, one after the other, for as long as the work takes."""
    argv = python("clients", "pages", *(live.url + page for page in PAGES))
    with subprocess.Popen(
        argv, cwd=BASE_DIR, env=live.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            work()
        finally:
            # It stops when nobody is left to tell it anything.
            printed, _ = child.communicate()
    waits = [float(word) for word in printed.split()]
    assert len(waits) >= 2, "no page was answered"
    p95 = statistics.quantiles(waits, n=20, method="inclusive")[-1]
    return Waits(statistics.median(waits), p95, max(waits), len(waits))
