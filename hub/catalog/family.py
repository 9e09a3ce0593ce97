"""The family of a repo for one reader: what it comes from, and what was made from it.

Whoever cannot see a repo learns neither its name nor that there is one: it is left out, with what is known only by way
of it, and nothing counts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.evidence import UNRELATED
from hub.catalog.models import LineageEdge, Repo

MOST, LEVELS = 60, 3
Graph = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model above, here or elsewhere; ``child`` is what came from it.

    ``repo`` and ``clearance`` are '' for one that is not here.
    """

    name: str
    repo: str
    relation: str
    evidence: str
    licenses: Sequence[str] | None
    depth: int
    child: str
    clearance: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A repo that was made from another one, and what was made from it."""

    repo: Repo
    relation: str
    evidence: str
    made: list["Made"] = field(default_factory=list)


def visible(graph: Graph, target: str) -> Graph:
    """Return the part of a case's graph that hangs together without the nodes that are hidden from the reader."""
    nodes = {str(node["key"]): node for node in graph["nodes"] if not node.get("hidden")}
    edges = [edge for edge in graph["edges"] if edge["child"] in nodes and edge["parent"] in nodes]
    reached, left = {target}, [target]
    while left:
        child = left.pop()
        above = {str(edge["parent"]) for edge in edges if edge["child"] == child} - reached
        reached |= above
        left += above
    kept = [edge for edge in edges if edge["child"] in reached]
    return {"nodes": [node for key, node in nodes.items() if key in reached], "edges": kept}


def ancestors(graph: Graph, target: str) -> tuple[list[Ancestor], bool]:
    """Return who is above the target in a visible graph, the nearest first, and whether there are more than `MOST`."""
    nodes = {str(node["key"]): node for node in graph["nodes"]}
    found: dict[str, Ancestor] = {}
    level, depth = [target], 1
    while level and len(found) <= MOST:
        above: list[str] = []
        for edge in graph["edges"]:
            parent = str(edge["parent"])
            if edge["child"] in level and parent not in found and parent != target:
                found[parent] = _ancestor(nodes[parent], edge, depth)
                above.append(parent)
        level, depth = above, depth + 1
    return list(found.values())[:MOST], len(found) > MOST


def _ancestor(node: Mapping[str, Any], edge: Mapping[str, Any], depth: int) -> Ancestor:
    name = str(node.get("name") or node["key"])
    return Ancestor(
        name, str(node.get("repo") or ""), str(edge["relation"]), str(edge.get("evidence", "")), node.get("licenses"),
        depth, str(edge["child"]), str(node.get("clearance") or ""),
    )  # fmt: skip


def descendants(viewer: Viewer, repo: Repo) -> tuple[list[Made], bool]:
    """Return what was made from a repo, the most pulled first, `MOST` in all, and whether there is more.

    Three queries for each generation.
    """
    found: list[Made] = []
    level, seen, is_more = {repo.pk: found}, {repo.pk}, False
    for _ in range(LEVELS):
        room = MOST + 1 - len(seen)
        below = _below(viewer, list(Repo.objects.filter(pk__in=level)), seen, room + 1)
        is_more = is_more or len(below) > room
        deeper: dict[UUID, list[Made]] = {}
        for parent, one in below[:room]:
            level[parent].append(one)
            deeper[one.repo.pk] = one.made
        seen |= set(deeper)
        level = deeper
        if not level:
            break
    return found, is_more


def _below(viewer: Viewer, parents: Sequence[Repo], seen: set[UUID], most: int) -> list[tuple[UUID, Made]]:
    """Return what was made from any of these and the reader may see, each once, by its strongest evidence."""
    keys = {_key(one): one.pk for one in parents}
    edges = LineageEdge.objects.filter(Q(parent_repo__in=parents) | Q(parent__in=keys)).exclude(repo__in=seen)
    best: dict[UUID, tuple[UUID, str, str]] = {}
    rows = edges.order_by("-strength", "pk").values_list(
        "repo", "parent_repo", "parent", "relation", "source"
    )
    here = set(keys.values())
    for child, parent, name, relation, source in rows[: 50 * MOST]:
        best.setdefault(child, (parent if parent in here else keys.get(name, parent), relation, source))
    made = dict(
        Repo.objects.filter(source__in=parents).exclude(pk__in=seen).values_list("pk", "source")[:5000]
    )
    best |= {pk: (source, "quantized", "hub") for pk, source in made.items() if source and pk not in best}
    wanted = [pk for pk, (parent, relation, _) in best.items() if relation != UNRELATED and parent in here]
    rows_here = access.visible_repos(viewer).filter(pk__in=wanted).select_related("namespace")
    return [
        (best[one.pk][0], Made(one, best[one.pk][1], best[one.pk][2]))
        for one in rows_here.order_by("-downloads", "key")[:most]
    ]


def quantized(viewer: Viewer, repo: Repo, most: int) -> list[Repo]:
    """Return repos with a model's weights in GGUF that the viewer may see: made from it here, or said to be."""
    edges = LineageEdge.objects.filter(
        Q(parent_repo=repo) | Q(parent=_key(repo)), relation__in=("quantized", "converted")
    )
    found = access.visible_repos(viewer, Repo.Type.MODEL).filter(tags__contains=["gguf"]).exclude(pk=repo.pk)
    mine = found.filter(Q(source=repo) | Q(pk__in=edges.values("repo"))).select_related("namespace")
    return sorted(mine.order_by("key")[: 10 * most], key=lambda one: not is_close(one, repo))[:most]


def own_forms(viewer: Viewer, repo: Repo, most: int) -> list[Repo]:
    """Return those of `quantized` that come from a model by more than their own word."""
    return [one for one in quantized(viewer, repo, most) if is_close(one, repo)]


def is_close(one: Repo, repo: Repo) -> bool:
    """Say whether a repo comes from another by more than its own word: made from it here, or by the same people."""
    return one.source_id == repo.pk or one.namespace_id == repo.namespace_id


def _key(repo: Repo) -> str:
    return f"datasets/{repo.key}" if repo.type == Repo.Type.DATASET else repo.key


def told(viewer: Viewer, repo: Repo, case_graph: Graph) -> dict[str, Any]:
    """Return the family as the API tells it; ``case_graph`` is what `lineage.graph_of` returns."""
    above, more_above = ancestors(visible(case_graph, repo.full_name), repo.full_name)
    below, more_below = descendants(viewer, repo)
    return {
        "id": repo.full_name,
        "ancestors": [
            {
                "id": one.name, "here": one.repo != "", "relation": one.relation, "evidence": one.evidence,
                "licenses": None if one.licenses is None else list(one.licenses), "depth": one.depth, "of": one.child,
            }
            for one in above
        ],
        "descendants": _told_made(below), "moreAncestors": more_above, "moreDescendants": more_below,
    }  # fmt: skip


def _told_made(made: Sequence[Made]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.repo.full_name, "relation": one.relation, "evidence": one.evidence,
            "licenses": list(one.repo.concluded), "downloads": one.repo.downloads, "descendants": _told_made(one.made),
        }
        for one in made
    ]  # fmt: skip
