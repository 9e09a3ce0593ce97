"""A line of descent as a drawing: bases to the left, the model, what was made from it to the right; and as a list.

Places are numbers for the template; nothing is drawn by scripts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.deskfacts import STRENGTH
from hub.catalog.models import Repo
from hub.catalog.panel import Panel
from hub.pages.saying import said
from hub.pages.standing import Standing, standing_above, standing_of

WIDTH, HEIGHT, ACROSS, DOWN = 250, 68, 330, 90
MAX_LEVELS, MAX_IN_LEVEL = 3, 6
_LETTERS = 27
_WORDS = {
    "quantized": gettext_noop("quantized"), "converted": gettext_noop("converted"), "copy": gettext_noop("copy"),
    "finetune": gettext_noop("fine-tune"), "merge": gettext_noop("merged"), "adapter": gettext_noop("adapter"),
    "component": gettext_noop("part of it"), "distilled": gettext_noop("taught by"),
    "dataset": gettext_noop("trained on"), "new_version": gettext_noop("new version"),
    "resembles": gettext_noop("resembles"),
}  # fmt: skip
# Relations along which terms do not travel.
_WEAK = {"dataset", "new_version", "resembles"}


@dataclass(frozen=True, slots=True)
class Place:
    """One model in the drawing.  ``seal`` tells its terms: none to keep, some that travel, not known, held."""

    name: str
    above: str
    terms: str
    seal: str
    url: str
    relation: str
    evidence: str
    depth: int
    x: float
    y: float
    is_this: bool = False

    @property
    def outline(self) -> str:
        """The plate with its cut corners, as a path."""
        x, y, right, low = self.x, self.y, self.x + WIDTH, self.y + HEIGHT
        return f"M{x + 8} {y}H{right - 8}L{right} {y + 8}V{low - 8}L{right - 8} {low}H{x + 8}L{x} {low - 8}V{y + 8}z"

    @property
    def short(self) -> str:
        return self.name if len(self.name) <= _LETTERS else self.name[: _LETTERS - 1] + "…"

    @property
    def short_terms(self) -> str:
        return self.terms if len(self.terms) <= _LETTERS + 4 else self.terms[: _LETTERS + 3] + "…"


@dataclass(frozen=True, slots=True)
class Line:
    """One relation: the curve with its head, and where its word stands."""

    curve: str
    word: str
    x: float
    y: float
    weak: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """``left_out`` counts what the drawing has no room for; the list below it is as long as the drawing."""

    places: Sequence[Place]
    lines: Sequence[Line]
    width: float
    height: float
    left_out: int = 0

    @property
    def is_alone(self) -> bool:
        return len(self.places) < 2


def drawing_of(panel: Panel, children: Sequence[tuple[Repo, str]]) -> Drawing:
    """Lay out the graph of a panel and what was made from its repo."""
    nodes = {str(node["key"]): node for node in panel.graph["nodes"]}
    levels, via, left_out = _levels(panel.repo.full_name, panel.graph["edges"], nodes)
    made = children[:MAX_IN_LEVEL]
    tallest = max([len(level) for level in levels] + [len(made)])
    columns = len(levels) + bool(made)
    height = max(1, tallest) * DOWN
    places: dict[str, Place] = {}
    for depth, level in enumerate(levels):
        x = 1 + (len(levels) - 1 - depth) * ACROSS
        for row, key in enumerate(level):
            y = (height - len(level) * DOWN) / 2 + row * DOWN + 11
            edge = via.get(key, {})
            places[key] = _place(panel, nodes.get(key, {"key": key}), edge, depth, x, y)
    lines = [
        _line(places[str(edge["parent"])], places[str(edge["child"])], str(edge["relation"]))
        for edge in panel.graph["edges"]
        if edge["parent"] in places
        and edge["child"] in places
        and places[str(edge["parent"])].x < places[str(edge["child"])].x
    ]
    this = places[panel.repo.full_name]
    for row, (repo, relation) in enumerate(made):
        y = (height - len(made) * DOWN) / 2 + row * DOWN + 11
        child = _child(panel, repo, relation, 1 + len(levels) * ACROSS, y)
        places[f"child {repo.pk}"] = child
        lines.append(_line(this, child, relation))
    ordered = sorted(places.values(), key=lambda one: -one.depth)
    return Drawing(
        ordered, lines, columns * ACROSS - (ACROSS - WIDTH) + 2, height, left_out + max(0, len(children) - len(made))
    )  # fmt: skip


def _levels(
    target: str, edges: Sequence[Mapping[str, Any]], nodes: Mapping[str, Any]
) -> tuple[list[list[str]], dict[str, Mapping[str, Any]], int]:
    """Return the keys of each generation, the edge that first led to each, and how many found no room."""
    levels, via = [[target]], dict[str, Mapping[str, Any]]()
    seen = {target}
    while len(levels) <= MAX_LEVELS:
        found: dict[str, Mapping[str, Any]] = {}
        for edge in edges:
            if edge["child"] in levels[-1] and edge["parent"] not in seen:
                found.setdefault(str(edge["parent"]), edge)
        if not found:
            break
        level = list(found)[:MAX_IN_LEVEL]
        seen |= set(level)
        via |= {key: found[key] for key in level}
        levels.append(level)
    return levels, via, max(0, len(nodes) - len(seen))


def _place(
    panel: Panel, node: Mapping[str, Any], edge: Mapping[str, Any], depth: int, x: float, y: float
) -> Place:
    name, is_this = str(node.get("name") or node["key"]), depth == 0
    above, _slash, last = name.rpartition("/")
    licenses = panel.lineage.use_licenses if is_this else node.get("licenses")
    relation = str(edge.get("relation", ""))
    repo = str(node.get("repo") or "")
    url = "" if node.get("hidden") or not repo or is_this else f"/{name}"
    standing = standing_of(panel.repo) if is_this else standing_above(str(node.get("clearance") or ""))
    terms, seal = terms_shown(panel, licenses, standing)
    return Place(
        last or name, above.removeprefix("datasets/"), terms, seal, url,
        relation_words(relation), said(STRENGTH.get(str(edge.get("evidence", "")), "")), depth, x, y, is_this,
    )  # fmt: skip


def _brief(panel: Panel, license_id: str) -> str:
    reading = panel.readings.get(license_id)
    return (reading.spdx or reading.name.removesuffix(" License")) if reading else license_id


def _seal(panel: Panel, licenses: Sequence[str] | None) -> str:
    if not licenses:
        return "unknown"
    known = [panel.readings.get(one) for one in licenses]
    return "proven" if all(one and one.is_permissive for one in known) else "terms"


def terms_shown(panel: Panel, licenses: Sequence[str] | None, standing: Standing | None) -> tuple[str, str]:
    """Return the words and the seal of a model's terms: those that nobody has settled are not shown as if they bound.

    ``standing`` is None for a model that is not here, and for one above whose terms bind.
    """
    if standing is not None and standing.is_open:
        return standing.word, standing.seal
    words = _("licence not known") if licenses is None else ", ".join(_brief(panel, one) for one in licenses)
    is_claimed = standing is not None and standing.seal == "declared"
    return words or _("no licence"), "declared" if is_claimed else _seal(panel, licenses)


def _child(panel: Panel, repo: Repo, relation: str, x: float, y: float) -> Place:
    terms, seal = terms_shown(panel, repo.concluded or None, standing_of(repo))
    return Place(
        repo.name, repo.namespace.name, terms, seal, f"/{repo.full_name}", relation_words(relation), "", -1, x, y
    )  # fmt: skip


def relation_words(relation: str) -> str:
    """Return how two models are related, as the word beside a line."""
    return _(_WORDS[relation]) if relation in _WORDS else relation


def _line(left: Place, right: Place, relation: str) -> Line:
    x1, y1 = left.x + WIDTH, left.y + HEIGHT / 2
    x2, y2 = right.x, right.y + HEIGHT / 2
    middle = (x1 + x2) / 2
    curve = f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 2} {y2}m-6 -4l6 4l-6 4"
    return Line(curve, relation_words(relation), middle - 4, (y1 + y2) / 2, relation in _WEAK)
