"""What pages cost: how fast they are answered among very many repos, what a first visit weighs, what a browser sees.

"Server time" is measured from outside, over one kept-alive connection, so it holds the whole way through gunicorn.
"""

import os
import shutil
import statistics
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

from tests.bench.measure_facets import REPOS, TYPED, fill, lists, p95
from tests.bench.report import Line, ceiling, listed, skipped
from tests.bench.weights import write_weights
from tests.bench.world import OWNER, World, hf, run_program
from tests.live import LiveHub

REPO = f"{OWNER}/pages"
MODEL_MS, TYPED_MS = 60.0, 50.0
# What a first visit may bring over the wire, in units of 1000 bytes, headers and fonts included.
VISIT_KB = 100.0
FILES = 40
PAGES = {
    "list": "/models",
    "list with facets": "/models?use=commercial&state=proven&fits=8",
    "model page": f"/{REPO}",
}
_SEEN = """() => new Promise((done) => {
  const seen = { shift: 0, largest: 0 };
  const watch = (type, each) => new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true });
  watch("largest-contentful-paint", (entry) => { seen.largest = entry.startTime; });
  watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
  setTimeout(() => done({ ...seen, first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 }), 300);
})"""  # noqa: E501  One observer a line.


def measure(world: World, *, rounds: int) -> list[Line]:
    """Return the lines of lists, of single pages, and of a browser, in one world: it takes minutes to fill."""
    with world.hub() as live:
        fill(world, live)
        _push(world, live)
        lines = [*lists(live, rounds=rounds), *_answers(live, rounds=rounds)]
        return [*lines, *_visits(live, rounds=rounds)]


def _push(world: World, live: LiveHub) -> None:
    """Push a model as a person would: a long card, forty small files, two large ones."""
    folder = world.scratch / "pages"
    folder.mkdir(exist_ok=True)
    part = (
        "## Part {0}\n\nIt weighs [sacks](#part-1) of **grain**, day by day.\n\n| task | score |\n|---|---:|\n"
        + "| reads | 71.3 |\n" * 12
        + "\n```python\nfrom transformers import pipeline\n\npipe = pipeline('text-generation')\n```\n\n"
        + "Some more words on what it was trained with. " * 20
        + "\n\n"
    )
    card = "---\nlicense: apache-2.0\nlanguage: [en, de]\npipeline_tag: text-generation\n---\n# A model\n\n"
    (folder / "README.md").write_text(
        card + "".join(part.format(number) for number in range(1, 11)), encoding="utf-8"
    )
    for number in range(FILES):
        (folder / f"notes-{number:02}.json").write_text(f'{{"number": {number}}}\n', encoding="utf-8")
    for number in range(2):
        write_weights(folder / f"model-{number}.bin", 2**21, seed=300 + number)
    run_program([hf(), "upload", REPO, str(folder)], world.client_env(live.url), base=live.env)


def _answers(live: LiveHub, *, rounds: int) -> list[Line]:
    letters = [f"/search?q={quote(text[:end])}" for text in TYPED for end in range(1, len(text) + 1)]
    note = f"pages: beside {REPOS:,} repos; 95th percentile, through HTTP, by a stranger"
    return [
        ceiling("model page", "ms", p95(live, [f"/{REPO}"] * 10, {}, rounds), most=MODEL_MS, note=note),
        ceiling(
            f"suggestions while typing, {len(letters)} texts", "ms",
            p95(live, letters, {"HX-Request": "true"}, 1), most=TYPED_MS, note=note,
        ),
    ]  # fmt: skip


def _visits(live: LiveHub, *, rounds: int) -> list[Line]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return [skipped("first visit", "kB", "no chromium is installed")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        found = {
            name: [_visit(browser, live.url + path) for _ in range(rounds + 1)][1:]
            for name, path in PAGES.items()
        }
        browser.close()
    return [line for name, visits in found.items() for line in _told(name, visits)]


def _visit(browser: Browser, address: str) -> dict[str, float]:
    """Open a page with an empty cache; returns what came over the wire and what the browser says of it."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        bytes_in: list[float] = []
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: bytes_in.append(event["encodedDataLength"]))
        page.goto(address, wait_until="networkidle")
        seen: dict[str, Any] = page.evaluate(_SEEN)
        return {**seen, "kb": sum(bytes_in) / 1000, "files": len(bytes_in)}


def _told(name: str, visits: Sequence[dict[str, float]]) -> list[Line]:
    load = os.getloadavg()[0]
    note = f"first visits: Chromium without a cache, 1440 by 900; load of the machine meanwhile {load:.1f}"
    weight = statistics.median(visit["kb"] for visit in visits)
    return [
        ceiling(f"first visit, {name}", "kB", weight, most=VISIT_KB, note=note),
        *(
            listed(f"{words}, {name}", unit, [visit[key] for visit in visits], note=note)
            for key, words, unit in (
                ("first", "first contentful paint", "ms"),
                ("largest", "largest contentful paint", "ms"),
            )
        ),
        ceiling(f"layout shift, {name}", "", max(visit["shift"] for visit in visits), most=0.1, note=note),
    ]
