"""``hf_hub_download`` of a large file from the hub, against the same client and a bare static file server."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from tests.bench.measure_uploads import wait_until_pullable
from tests.bench.report import Line, speed
from tests.bench.world import GB, OWNER, World, hf, python, require_space, run_program
from tests.live import LiveHub

REPO, FILE = f"{OWNER}/downloads", "model.safetensors"
TARGET = 0.9
NOTE = (
    "MB/s of the call hf_hub_download into an empty cache (in memory where /dev/shm has room); the peer answers the"
    " same client's HEAD and GET from a static file by sendfile"
)


def cache_parent(size: int) -> Path | None:
    """Return a folder in memory for a cache of one file, or None where there is too little room."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 * size else None


def _seconds(live: LiveHub, world: World, endpoint: str, size: int) -> float:
    cache = Path(tempfile.mkdtemp(prefix="hub-bench-cache-", dir=cache_parent(size) or world.scratch))
    try:
        printed = run_program(
            python("clients", "download", REPO, FILE, str(cache)), world.client_env(endpoint), base=live.env
        )
        return float(printed.split()[-1])
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def wait_for(endpoint: str) -> None:
    """Ask until a server answers."""
    for _ in range(200):
        try:
            requests.head(endpoint, timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"{endpoint} does not answer")


def measure(world: World, path: Path, *, delivery: str, rounds: int) -> Line:
    """Measure one delivery mode; the file is pushed where the repo does not have it yet."""
    size = path.stat().st_size
    require_space(world.root, 3 * size)
    port = world.port + 7
    server = subprocess.Popen(python("static", str(path), str(port)))
    try:
        wait_for(f"http://127.0.0.1:{port}")
        with world.hub(delivery) as live:
            _push(world, live, path)
            addresses = (live.url, f"http://127.0.0.1:{port}")
            # The first round only brings both files into memory.
            pairs = [_pair(world, live, addresses, size, number) for number in range(rounds + 1)][1:]
    finally:
        server.kill()
        server.wait()
    return speed(f"download, {delivery}", "MB/s", pairs, target=TARGET, note=NOTE)


def _pair(
    world: World, live: LiveHub, addresses: tuple[str, str], size: int, number: int
) -> tuple[float, float]:
    """Measure ours and the peer; they take turns in going first."""
    rates = {}
    for address in addresses if number % 2 else reversed(addresses):
        rates[address] = size * 1000 / GB / _seconds(live, world, address, size)
    ours, peer = (rates[address] for address in addresses)
    return ours, peer


def _push(world: World, live: LiveHub, path: Path) -> None:
    address = f"{live.url}/{REPO}/resolve/main/{FILE}"
    if requests.head(address, timeout=30).status_code != 200:
        run_program([hf(), "upload", REPO, str(path), FILE], world.client_env(live.url), base=live.env)
    wait_until_pullable(address, path.stat().st_size)
