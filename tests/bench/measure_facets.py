"""How fast lists are searched and narrowed among very many repos: through the doors, as readers and programs do.

`measure_pages` fills the hub and calls this.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from urllib.parse import quote

import requests

from tests.bench.report import Line, ceiling
from tests.bench.world import World
from tests.live import BASE_DIR, LiveHub

REPOS = 100_000
MOST_MS, MOST_TYPED_MS = 80.0, 50.0
# What people combine, three at a time: uses, sizes, openness, tasks, formats, states, words, and every order.
WISHES = (
    "use=commercial&format=gguf&language=en", "use=commercial&use=modify&{task}&sort={likes}",
    "users=1000000&state=proven&dtype=Q4_K_M", "users=1000000&use=redistribute&{task}&{words}=barge",
    "openness=4&sort={pulls}&architecture=sluice&state=proven", "openness=4&use=everywhere&users=800000000",
    "use=no-field-of-use-limits&{library}&{sizes}", "use=commercial&{sizes}&{words}=barentol&state=read",
    "author=maker042&format=safetensors&sort={new}", "{sizes}&language=nl&dtype=FP8&sort={trending}",
    "use=commercial&fits=8&state=proven",
)  # fmt: skip
_PAGE = {
    "likes": "likes", "pulls": "pulls", "new": "new", "trending": "trending", "task": "task=text-to-image",
    "library": "library=peft", "words": "q", "sizes": "from=4000000000&to=15000000000",
}  # fmt: skip
_API = {
    "likes": "likes", "pulls": "downloads", "new": "createdAt", "trending": "trendingScore",
    "task": "pipeline_tag=text-to-image", "library": "library=peft", "words": "q",
    "sizes": "num_parameters=min:4B,max:15B",
}  # fmt: skip
# What the field holds after each letter, when somebody types names, sizes, words of cards, and slips of the pen.
TYPED = (
    "barge",
    "steelyard 7b",
    "sluice-2.1",
    "maker042/",
    "barentol",
    "model weights",
    "trwaler",
    "lighter gguf 0042",
)


def lists(live: LiveHub, *, rounds: int) -> list[Line]:
    """Return the 95th percentiles over all wishes and letters."""
    api = [f"/api/models?limit=30&{wish.format(**_API)}" for wish in WISHES]
    counts = [f"/api/models-facets?{wish.format(**_API)}" for wish in WISHES]
    pages = [f"/models?{wish.format(**_PAGE)}" for wish in WISHES]
    letters = [f"/models?q={quote(text[:end])}" for text in TYPED for end in range(1, len(text) + 1)]
    part, after = ({"HX-Request": "true", "HX-Target": target} for target in ("results", "facets"))
    load = os.getloadavg()[0]
    note = (
        f"lists: {REPOS:,} repos; 95th percentile, through HTTP, by a stranger; {len(WISHES)} combinations;"
        f" load of the machine before {load:.1f}"
    )
    return [
        ceiling(name, "ms", p95(live, paths, headers, often), most=most, note=note)
        for name, paths, headers, often, most in (
            ("three facets, API", api, {}, rounds, MOST_MS),
            ("three facets, API, counts alone", counts, {}, rounds, MOST_MS),
            ("three facets, page with counts", pages, {}, rounds, MOST_MS),
            ("three facets, list by htmx", pages, part, rounds, MOST_MS),
            ("three facets, counts after it", pages, after, rounds, MOST_MS),
            (f"search as you type, {len(letters)} texts", letters, part, 1, MOST_TYPED_MS),
            ("search as you type, counts after it", letters, after, 1, MOST_MS),
        )
    ]


def fill(world: World, live: LiveHub) -> None:
    """Put very many repos into an empty hub."""
    env = {**live.env, **world.settings(), "PYTHONPATH": str(BASE_DIR)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.many_repos", str(REPOS)],
        cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def p95(live: LiveHub, paths: Sequence[str], headers: dict[str, str], rounds: int) -> float:
    """Return the 95th percentile of how long these addresses take, in ms, over one connection."""
    took = []
    with requests.Session() as session:
        for path in list(paths) * (1 + 5 * rounds):
            started = time.perf_counter()
            answer = session.get(live.url + path, headers=headers, timeout=60)
            took.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (path, answer.text[:500])
    # The first round warms what a hub in use has warm.
    return statistics.quantiles(took[len(paths) :], n=20)[18]
