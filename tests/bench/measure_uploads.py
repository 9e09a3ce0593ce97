"""``hf upload`` of a large file until it is proven and pullable, against boto3 and the same store."""

import time
from pathlib import Path

import requests

from tests.bench.report import Line, speed
from tests.bench.weights import renew
from tests.bench.world import GB, OWNER, TOKEN, World, hf, python, require_space, run_program
from tests.live import LiveHub

FILE = "model.safetensors"
TARGET = 0.5
NOTE = (
    "MB/s from the start of the program until HEAD resolve answers 200; the peer is a program that calls boto3's"
    " upload_file with its defaults, but parts of 64 MiB as the hub asks for"
)


def measure(world: World, path: Path, *, delivery: str, rounds: int) -> Line:
    """Push other bytes in each round, into a repo of its own that is deleted again."""
    size = path.stat().st_size
    require_space(world.root, (2 * rounds + 2) * size)
    with world.hub(delivery) as live:
        pairs = [_pair(world, live, renew(path, seed=number + 1), number) for number in range(rounds)]
    rates = [(size * 1000 / GB / ours, size * 1000 / GB / peer) for ours, peer in pairs]
    return speed(f"upload, {delivery}", "MB/s", rates, target=TARGET, note=NOTE)


def _pair(world: World, live: LiveHub, path: Path, number: int) -> tuple[float, float]:
    """Measure ours and the peer; they take turns in going first."""
    ways = {"ours": _push, "peer": put_plain}
    names = list(ways) if number % 2 else list(reversed(ways))
    seconds = {name: ways[name](world, live, path, number) for name in names}
    return seconds["ours"], seconds["peer"]


def put_plain(world: World, live: LiveHub, path: Path, number: int) -> float:
    """Return the seconds that boto3 takes to put the file into the hub's own store; it is deleted again."""
    settings = world.settings()
    names = ("HUB_S3_ENDPOINT", "HUB_S3_BUCKET", "HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY")
    store = [settings[name] for name in names]
    started = time.perf_counter()
    run_program(python("clients", "put", str(path), f"bench/{number}", *store), {}, base=live.env)
    seconds = time.perf_counter() - started
    run_program(python("clients", "delete", f"bench/{number}", *store), {}, base=live.env)
    return seconds


def _push(world: World, live: LiveHub, path: Path, number: int) -> float:
    repo = f"{OWNER}/upload-{number}"
    started = time.perf_counter()
    run_program([hf(), "upload", repo, str(path), FILE], world.client_env(live.url), base=live.env)
    wait_until_pullable(f"{live.url}/{repo}/resolve/main/{FILE}", path.stat().st_size)
    seconds = time.perf_counter() - started
    _delete(live, repo)
    return seconds


def wait_until_pullable(address: str, size: int) -> None:
    """Ask until the file is no longer being proven; raises AssertionError when it is refused."""
    deadline = time.monotonic() + 60 + size / 10**7
    while (answer := requests.head(address, timeout=30)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.headers}"


def _delete(live: LiveHub, repo: str) -> None:
    namespace, name = repo.split("/")
    answer = requests.delete(
        f"{live.url}/api/repos/delete",
        json={"organization": namespace, "name": name, "type": "model"},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=60,
    )
    assert answer.ok, answer.text
