"""Files that lie in chunks, fetched by the stock client chunk by chunk and by anybody else as plain bytes."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench.measure_downloads import cache_parent, wait_for
from tests.bench.measure_uploads import wait_until_pullable
from tests.bench.programs import Cost, run_counted
from tests.bench.report import Line, skipped, speed
from tests.bench.world import GB, OWNER, World, hf, python, require_space, run_program
from tests.live import LiveHub

REPO, FILE = f"{OWNER}/chunked", "model.safetensors"
DOOR = f"/{REPO}/resolve/main/{FILE}"
DOWNLOAD_TARGET, BRIDGE_TARGET, HOT_TARGET = 0.4, 0.5, 0.9
DOWNLOAD_NOTE = (
    "MB/s of the call hf_hub_download by Xet into an empty cache (in memory where /dev/shm has room); the peer is the"
    " same client's plain download from a static file by sendfile"
)
BRIDGE_NOTE = (
    "MB/s of one plain GET of resolve, redirects followed; the peer answers the same client by sendfile"
)
# A file is fetched so often, and waited for so long, before it counts as one that gets no plain form.
HOT_FETCHES, HOT_SECONDS = 3, 180.0


@dataclass(frozen=True, slots=True)
class Sides:
    """The hub with the file in chunks, and the static server beside it."""

    world: World
    live: LiveHub
    peer: subprocess.Popen[bytes]
    peer_url: str
    size: int

    def rate(self, cost: Cost) -> float:
        """Return MB/s by the time that the client printed."""
        return self.size * 1000 / GB / float(cost.printed.split()[-1])


@contextmanager
def _sides(world: World, path: Path, **settings: str) -> Iterator[Sides]:
    size = path.stat().st_size
    require_space(world.root, 4 * size)
    port = world.port + 7
    server = subprocess.Popen(python("static", str(path), str(port)))
    try:
        wait_for(f"http://127.0.0.1:{port}")
        with world.hub(**settings) as live:
            _push(world, live, path)
            yield Sides(world, live, server, f"http://127.0.0.1:{port}", size)
    finally:
        server.kill()
        server.wait()


def measure_download(world: World, path: Path, *, rounds: int) -> list[Line]:
    """Measure ``hf_hub_download`` by chunks."""
    with _sides(world, path) as sides:
        costs = _pairs(sides, _download_ours, _download_peer, rounds)
    return [_line("xet-download", sides, costs, target=DOWNLOAD_TARGET, note=DOWNLOAD_NOTE)]


def measure_bridge(world: World, path: Path, *, rounds: int) -> list[Line]:
    """Measure a plain GET of a file that lies in chunks only, and of the same file when it was asked for often."""
    with _sides(world, path, HUB_PLAIN_AFTER="0") as sides:
        cold = _pairs(sides, _fetch_ours, _fetch_peer, rounds)
        assert not _goes_to_the_store(sides), "the file has a plain form although none was to be made"
        lines = [_line("xet-bridge", sides, cold, target=BRIDGE_TARGET, note=BRIDGE_NOTE)]
    with _sides(world, path, HUB_PLAIN_AFTER=str(HOT_FETCHES)) as sides:
        if not _becomes_hot(sides):
            why = f"{HOT_FETCHES} fetches and {HOT_SECONDS:.0f} s brought no plain form"
            return [*lines, skipped("xet-bridge, hot", "MB/s", why)]
        hot = _pairs(sides, _fetch_ours, _fetch_peer, rounds)
    return [*lines, _line("xet-bridge, hot", sides, hot, target=HOT_TARGET, note=BRIDGE_NOTE)]


def _push(world: World, live: LiveHub, path: Path) -> None:
    """Push the file by chunks, where it was not pushed before."""
    if requests.head(live.url + DOOR, timeout=30).status_code != 200:
        run_program([hf(), "upload", REPO, str(path), FILE], world.xet_env(live.url), base=live.env)
    wait_until_pullable(live.url + DOOR, path.stat().st_size)
    head = requests.head(live.url + DOOR, timeout=30)
    assert head.headers.get("X-Xet-Hash"), "the file did not come by chunks"


Way = Callable[[Sides], Cost]


def _pairs(sides: Sides, ours: Way, peer: Way, rounds: int) -> list[tuple[Cost, Cost]]:
    """Measure both sides in turns; the first round only brings files into memory and does not count."""
    pairs = []
    for number in range(rounds + 1):
        if number % 2:
            mine, other = ours(sides), peer(sides)
        else:
            other, mine = peer(sides), ours(sides)
        pairs.append((mine, other))
    return pairs[1:]


def _line(name: str, sides: Sides, costs: list[tuple[Cost, Cost]], *, target: float, note: str) -> Line:
    rates = [(sides.rate(ours), sides.rate(peer)) for ours, peer in costs]
    ours, peer = min((pair for pair in costs), key=lambda pair: pair[0].wall)
    used = (
        f"processor seconds of {name}, client + servers: {ours.client:.1f} + {ours.servers:.1f},"
        f" peer {peer.client:.1f} + {peer.servers:.1f}"
    )
    return speed(name, "MB/s", rates, target=target, note=f"{note}; {used}")


def _download_ours(sides: Sides) -> Cost:
    assert sides.live.process is not None
    return _download(sides, sides.world.xet_env(sides.live.url), sides.live.process.pid)


def _download_peer(sides: Sides) -> Cost:
    return _download(sides, sides.world.xet_env(sides.peer_url), sides.peer.pid)


def _download(sides: Sides, env: dict[str, str], server: int) -> Cost:
    cache = Path(
        tempfile.mkdtemp(prefix="hub-bench-cache-", dir=cache_parent(sides.size) or sides.world.scratch)
    )
    try:
        argv = python("clients", "download", REPO, FILE, str(cache))
        return run_counted(
            argv, {**env, "HF_XET_CACHE": str(cache / "xet")}, base=sides.live.env, server=server
        )
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def _fetch_ours(sides: Sides) -> Cost:
    assert sides.live.process is not None
    return _fetch(sides, sides.live.url, sides.live.process.pid)


def _fetch_peer(sides: Sides) -> Cost:
    return _fetch(sides, sides.peer_url, sides.peer.pid)


def _fetch(sides: Sides, endpoint: str, server: int) -> Cost:
    argv = python("clients", "fetch", endpoint + DOOR, str(sides.size))
    return run_counted(argv, {}, base=sides.live.env, server=server)


def _goes_to_the_store(sides: Sides) -> bool:
    """Say whether resolve leads to the store itself, as it does for a file with a plain form."""
    answer = requests.get(sides.live.url + DOOR, allow_redirects=False, timeout=30)
    return answer.headers["Location"].startswith(sides.world.settings()["HUB_S3_ENDPOINT"])


def _becomes_hot(sides: Sides) -> bool:
    """Fetch the file as often as it takes, and wait for its plain form."""
    for _ in range(HOT_FETCHES):
        _fetch_ours(sides)
    deadline = time.monotonic() + HOT_SECONDS
    while not _goes_to_the_store(sides) and time.monotonic() < deadline:
        time.sleep(0.5)
    return _goes_to_the_store(sides)
