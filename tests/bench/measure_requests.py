"""HEAD resolve and model info, in requests a second, against a bare Django view with one query."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.load import requests_per_second
from tests.bench.report import Line, speed
from tests.bench.weights import write_weights
from tests.bench.world import OWNER, TOKEN, World, hf, run_program
from tests.live import BASE_DIR, LiveHub

REPO = f"{OWNER}/requests"
FILE = "model.safetensors"
CONNECTIONS = 16
NOTE = (
    f"requests a second over {CONNECTIONS} kept-alive connections on a public repo; the peer is one view with one"
    " query and no middleware in the same gunicorn group (processes, threads, settings, database)"
)
DOORS = {
    "HEAD resolve": ("HEAD", f"/{REPO}/resolve/main/{FILE}"),
    "model info": ("GET", f"/api/models/{REPO}"),
}
TARGETS = {"anonymous": 0.4, "token": 0.25}


def measure(world: World, *, seconds: float, rounds: int) -> list[Line]:
    """Go round the peer and the four ways of asking, so that each ratio compares neighbours in time."""
    with world.hub() as live:
        _fill(world, live)
        with _bare(live, port=world.port + 9) as port:
            pairs = _rounds(live, port, seconds=seconds, rounds=rounds)
    return [
        speed(f"{door}, {who}", "req/s", found, target=TARGETS[who], note=NOTE)
        for (door, who), found in pairs.items()
    ]


def _rounds(
    live: LiveHub, bare: int, *, seconds: float, rounds: int
) -> dict[tuple[str, str], list[tuple[float, float]]]:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {
        (door, who): [] for door in DOORS for who in TARGETS
    }
    for number in range(rounds + 1):
        for door, who in found:
            method, path = DOORS[door]
            token = TOKEN if who == "token" else ""
            peer = _rate(bare, "GET", f"/bare/{REPO}", seconds=seconds)
            ours = _rate(live.port, method, path, token=token, seconds=seconds)
            # The first round only warms up connections, plans and caches.
            if number:
                found[door, who].append((ours, peer))
    return found


def _rate(port: int, method: str, path: str, *, token: str = "", seconds: float) -> float:
    return requests_per_second(port, method, path, token=token, seconds=seconds, connections=CONNECTIONS)


def _fill(world: World, live: LiveHub) -> None:
    """Push a small model as a person would: a card, a configuration, two large files."""
    folder = world.scratch / "model"
    folder.mkdir(exist_ok=True)
    card = "---\nlicense: apache-2.0\nlanguage: [en]\ntags: [bench]\n---\n# A model\n" + "Words. " * 200
    (folder / "README.md").write_text(card, encoding="utf-8")
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    for number, name in enumerate((FILE, "tokenizer.model")):
        write_weights(folder / name, 2 * 2**20, seed=100 + number)
    run_program([hf(), "upload", REPO, str(folder)], world.client_env(live.url), base=live.env)
    for method, path in DOORS.values():
        answer = requests.request(method, live.url + path, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"


@contextmanager
def _bare(live: LiveHub, *, port: int) -> Iterator[int]:
    """Run the peer: the hub's web group with `tests.bench.bare_settings` in place of the hub's."""
    env = {
        **live.env, "HUB_PORT": str(port), "HUB_PROCESS": "web", "DJANGO_SETTINGS_MODULE": "tests.bench.bare_settings",
    }  # fmt: skip
    argv = [sys.executable, "-m", "gunicorn", "-c", "python:hub.stack.gunicorn_conf"]
    with Path(os.devnull).open("w") as nowhere:
        server = subprocess.Popen(argv, cwd=BASE_DIR, env=env, stderr=nowhere)
    try:
        _wait_for(f"http://127.0.0.1:{port}/bare/{REPO}")
        yield port
    finally:
        server.terminate()
        server.wait(timeout=15)


def _wait_for(address: str) -> None:
    for _ in range(400):
        try:
            if requests.get(address, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{address} does not answer")
