"""How fast lists are narrowed by permitted use among very many repos: through the doors, as readers and programs do."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import requests

from tests.bench.report import Line, ceiling
from tests.bench.world import World
from tests.live import BASE_DIR, LiveHub

REPOS = 100_000
MOST_MS = 50.0
# What people combine: uses, sizes, openness, tasks, words, and every order.
WISHES = (
    "use=commercial", "use=commercial&use=modify&sort={likes}", "users=1000000",
    "users=1000000&use=redistribute&{task}",
    "openness=4&sort={pulls}", "openness=4&use=everywhere&users=800000000", "use=no-field-of-use-limits&{library}",
    "use=commercial&{text}=model-0042", "use=commercial&sort={new}", "openness=3&{text}=0077&use=modify",
)  # fmt: skip
_PAGE = {
    "likes": "likes",
    "pulls": "pulls",
    "new": "new",
    "task": "task=text-to-image",
    "library": "library=peft",
    "text": "q",
}
_API = {
    "likes": "likes", "pulls": "downloads", "new": "createdAt", "task": "pipeline_tag=text-to-image",
    "library": "library=peft", "text": "search",
}  # fmt: skip


def measure(world: World, *, rounds: int) -> list[Line]:
    """Return the 95th percentiles over all wishes, of the list alone and of the page with all of its counts."""
    with world.hub() as live:
        _fill(world, live)
        api = [f"/api/models?limit=30&{wish.format(**_API)}" for wish in WISHES]
        pages = [f"/models?{wish.format(**_PAGE)}" for wish in WISHES]
        note = f"facets: {REPOS:,} repos, {len(WISHES)} combinations; 95th percentile, through HTTP, by a stranger"
        return [
            ceiling("facet search, API", "ms", _p95(live, api, {}, rounds), most=MOST_MS, note=note),
            ceiling("facet search, page with counts", "ms", _p95(live, pages, {}, rounds), most=MOST_MS, note=note),
            ceiling(
                "facet search, htmx with counts", "ms", _p95(live, pages, {"HX-Target": "results"}, rounds),
                most=MOST_MS, note=note,
            ),
        ]  # fmt: skip


def _fill(world: World, live: LiveHub) -> None:
    env = {**live.env, **world.settings(), "PYTHONPATH": str(BASE_DIR)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.many_repos", str(REPOS)],
        cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _p95(live: LiveHub, paths: Sequence[str], headers: dict[str, str], rounds: int) -> float:
    took = []
    with requests.Session() as session:
        for path in list(paths) * (1 + 5 * rounds):
            started = time.perf_counter()
            answer = session.get(live.url + path, headers=headers, timeout=60)
            took.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (path, answer.text[:500])
    # The first round warms what a hub in use has warm.
    return statistics.quantiles(took[len(paths) :], n=20)[18]
