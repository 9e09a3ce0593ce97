"""Where a model comes from: edges from evidence, kept as rows, and the graph that terms are folded over.

An ancestor may lie here or elsewhere.  Of one elsewhere, `licenses.upstream` says what is known; one that is neither
here nor known is unknown, and unknown holds.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, evidence, kinship, revision_sets
from hub.catalog.cards import Claims
from hub.catalog.clearing import RELEASED
from hub.catalog.evidence import STRENGTH, UNRELATED, Evidence
from hub.catalog.models import Inspection, LineageEdge, Repo, RepoRedirect
from hub.catalog.trees import Entry
from licenses.ancestry import MAX_NODES, Edge, Node, Relation
from licenses.cases import current_cases
from licenses.records import Json
from licenses.upstream import UpstreamIndex

MAX_SMALL = 2**20
# Relations along which the terms of an ancestor matter.
_SHOWN_ONLY = {Relation.DATASET, Relation.NEW_VERSION, Relation.RESEMBLES}
_BY_CONTENT = {"bytes", "tensors"}
_READERS = {
    "config.json": lambda text: evidence.from_config(evidence.json_object(text)),
    "adapter_config.json": lambda text: evidence.from_adapter(evidence.json_object(text)),
    "mergekit_config.yml": evidence.from_mergekit,
    "mergekit_config.yaml": evidence.from_mergekit,
}


def gather(repo: Repo, entries: Sequence[Entry], claims: Claims) -> list[LineageEdge]:
    """Return the edges that a tree's files, its card, its weights and the hub's own record show, unsaved."""
    weights = [entry for entry in entries if entry.is_large and revision_sets.is_weights(entry.path)]
    inspected = dict(
        Inspection.objects.filter(sha256__in=[one.sha256 for one in weights]).values_list("sha256", "data")
    )
    told = list(evidence.from_card(claims))
    for entry in entries:
        reader = _READERS.get(entry.path)
        if reader is not None and not entry.is_large and entry.size <= MAX_SMALL:
            told += reader(revision_sets.content_of(repo, entry.oid))
    for data in inspected.values():
        told += evidence.from_gguf(data.get("metadata") or {})
    tensors = (str(one[0]) for data in inspected.values() for one in (data.get("tensors") or [])[:50])
    is_adapter = evidence.looks_like_adapter((one.path for one in entries), tensors)
    named = evidence.settled(_not_itself(repo, told), is_adapter=is_adapter)
    return [*_named_edges(repo, named), *_known_edges(repo, weights)]


def _not_itself(repo: Repo, told: Iterable[Evidence]) -> list[Evidence]:
    """A config that names the model it lies beside says nothing; a card that does has it in a circle."""
    return [one for one in told if one.source == "card" or one.key != repo.key]


def _named_edges(repo: Repo, named: Iterable[tuple[Evidence, Relation]]) -> list[LineageEdge]:
    edges: dict[tuple[str, str], LineageEdge] = {}
    for one, relation in named:
        # A data set and a model may have the same id, and both be named by one card.
        parent = f"datasets/{one.key}" if relation is Relation.DATASET else one.key
        edges.setdefault(
            (parent[:200], one.source), _edge(repo, parent[:200], one.parent, relation, one.source)
        )
    return list(edges.values())


def _known_edges(repo: Repo, weights: Sequence[Entry]) -> list[LineageEdge]:
    found = kinship.kin_of(repo, weights)
    if repo.source_id:
        found = [(repo.source_id, Relation.QUANTIZED, "hub"), *found]
    there = Repo.objects.in_bulk([pk for pk, _, _ in found])
    return [
        _edge(repo, there[pk].key, there[pk].full_name, relation, source)
        for pk, relation, source in found
        if pk in there
    ]


def _edge(repo: Repo, parent: str, name: str, relation: Relation, source: str) -> LineageEdge:
    return LineageEdge(
        repo=repo,
        parent=parent,
        name=name[:200],
        relation=str(relation),
        source=source,
        strength=STRENGTH[source],
    )


def write_edges(repo: Repo, edges: Sequence[LineageEdge]) -> None:
    """Replace a repo's edges by these; what reviewers wrote stays."""
    here = _hosted({edge.parent for edge in edges})
    for edge in edges:
        edge.parent_repo = _known_to(edge.repo, here.get(edge.parent), edge.source)
    LineageEdge.objects.filter(repo=repo).exclude(source="reviewer").delete()
    LineageEdge.objects.bulk_create(edges)


def _hosted(keys: Iterable[str]) -> dict[str, Repo]:
    """Return the repos that these keys name, by a present or a former id; data sets behind ``datasets/``."""
    wanted = {Repo.Type.DATASET: set[str](), Repo.Type.MODEL: set[str]()}
    for key in keys:
        is_data = key.startswith("datasets/")
        wanted[Repo.Type.DATASET if is_data else Repo.Type.MODEL].add(key.removeprefix("datasets/"))
    found: dict[str, Repo] = {}
    for type_, names in wanted.items():
        prefix = "datasets/" if type_ == Repo.Type.DATASET else ""
        moved = RepoRedirect.objects.filter(type=type_, key__in=names).select_related("repo")
        found |= {prefix + one.key: one.repo for one in moved}
        found |= {prefix + one.key: one for one in Repo.objects.filter(type=type_, key__in=names)}
    return found


def _known_to(child: Repo, parent: Repo | None, source: str) -> Repo | None:
    """A private repo is there for those only who may read it: naming one must not tell whether it exists."""
    if parent is None or not parent.private or source in (*_BY_CONTENT, "hub", "reviewer"):
        return parent
    is_kin = child.namespace_id == parent.namespace_id
    return parent if is_kin or access.may_read(Viewer(user=child.created_by), parent) else None


@dataclass(slots=True)
class Graph:
    """A model and everything above it.  ``hosted`` are the repos among the nodes; ``names`` how to show them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    hosted: dict[str, Repo] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def uncleared(self, target: str) -> list[Repo]:
        """Return the hosted ancestors whose terms matter and are not cleared here.

        Of whoever merely had the same weights before, only what was refused counts.
        """
        found: dict[str, Repo] = {}
        seen, left = {target}, [target]
        while left:
            child = left.pop()
            for edge in (one for one in self.edges if one.child == child and one.relation not in _SHOWN_ONLY):
                repo = self.hosted.get(edge.parent)
                refused = repo is not None and repo.clearance in (
                    Repo.Clearance.BLOCKED,
                    Repo.Clearance.SUSPENDED,
                )
                weighs = edge.evidence not in _BY_CONTENT or refused
                if repo is not None and repo.clearance not in RELEASED and weighs:
                    found[edge.parent] = repo
                if edge.parent not in seen:
                    seen.add(edge.parent)
                    left.append(edge.parent)
        return [found[key] for key in sorted(found)]

    def to_json(self) -> Json:
        """Return nodes and edges as a case keeps them; ``repo`` is the number of one that lies here."""
        return {
            "nodes": [
                {
                    "key": key, "name": self.names.get(key, key), "modality": node.modality,
                    "licenses": None if node.licenses is None else list(node.licenses),
                    "repo": str(self.hosted[key].pk) if key in self.hosted else "",
                }
                for key, node in self.nodes.items()
            ],
            "edges": [
                {"child": one.child, "parent": one.parent, "relation": str(one.relation), "evidence": one.evidence}
                for one in self.edges
            ],
        }  # fmt: skip


def build(
    repo: Repo, edges: Sequence[LineageEdge], *, own: tuple[str, ...], modality: str, upstream: UpstreamIndex
) -> Graph:
    """Return the graph above a repo, whose own edges and licences are given; ancestors are read level by level."""
    graph = Graph()
    graph.nodes[repo.full_name] = Node(repo.full_name, own, modality)
    graph.hosted[repo.full_name], graph.names[repo.full_name] = repo, repo.full_name
    reviewed = list(LineageEdge.objects.filter(repo=repo, source="reviewer"))
    level: dict[str, Sequence[LineageEdge]] = {repo.full_name: [*reviewed, *edges]}
    while level and len(graph.nodes) < MAX_NODES:
        level = _climb(graph, level, upstream)
    return graph


def _climb(
    graph: Graph, level: Mapping[str, Sequence[LineageEdge]], upstream: UpstreamIndex
) -> dict[str, Sequence[LineageEdge]]:
    """Add the parents of one level; return the edges above those that are new and lie here."""
    standing = {child: _strongest(edges) for child, edges in level.items()}
    here = _hosted({edge.parent for edges in standing.values() for edge in edges})
    fresh: dict[str, Repo | None] = {}
    for child, edges in standing.items():
        for edge in edges:
            repo = _known_to(graph.hosted[child], here.get(edge.parent), edge.source)
            key = _node_key(edge, repo)
            graph.edges.append(Edge(child, key, Relation(edge.relation), edge.source))
            if key not in graph.nodes and key not in fresh:
                fresh[key] = repo
                graph.names[key] = key
    _add_nodes(graph, fresh, upstream)
    hosted = {repo.pk: key for key, repo in fresh.items() if repo is not None}
    above: dict[str, list[LineageEdge]] = {}
    for edge in LineageEdge.objects.filter(repo__in=hosted):
        above.setdefault(hosted[edge.repo_id], []).append(edge)
    return dict(above)


def _node_key(edge: LineageEdge, repo: Repo | None) -> str:
    if repo is None:
        return edge.name or edge.parent
    return f"datasets/{repo.full_name}" if repo.type == Repo.Type.DATASET else repo.full_name


def _strongest(edges: Iterable[LineageEdge]) -> list[LineageEdge]:
    """Return one edge for each parent, by the strongest evidence, without those that a reviewer struck out."""
    best: dict[str, LineageEdge] = {}
    for edge in sorted(edges, key=lambda one: -one.strength):
        best.setdefault(edge.parent, edge)
    return [edge for edge in best.values() if edge.relation != UNRELATED]


def _add_nodes(graph: Graph, fresh: Mapping[str, Repo | None], upstream: UpstreamIndex) -> None:
    """A model here has the licences of its own case, and those under which its id is known elsewhere as well."""
    cases = current_cases([str(repo.pk) for repo in fresh.values() if repo is not None])
    for key, repo in fresh.items():
        known = None if key.startswith("datasets/") else upstream.find(key)
        elsewhere = (known.license,) if known is not None and known.counts else None
        own = None
        if repo is not None:
            graph.hosted[key] = repo
            case = cases.get(str(repo.pk))
            own = tuple(case.lineage["own"]) if case and case.lineage.get("own") else None
        licenses = elsewhere if own is None else tuple(dict.fromkeys([*own, *(elsewhere or ())]))
        graph.nodes[key] = Node(key, licenses, known.modality if known else "")


def descendants(repo: Repo) -> QuerySet[Repo]:
    """Return the repos that were made from this one or name it, by its present id or a former one."""
    prefix = "datasets/" if repo.type == Repo.Type.DATASET else ""
    keys = [prefix + key for key in (repo.key, *repo.former_ids.values_list("key", flat=True))]
    named = LineageEdge.objects.filter(Q(parent_repo=repo) | Q(parent__in=keys)).values("repo")
    return Repo.objects.filter(Q(pk__in=named) | Q(source=repo)).exclude(pk=repo.pk)


def graph_of(viewer: Viewer, repo: Repo, told: Json) -> Json:
    """Return the graph of a case as the viewer may see it: a repo that they cannot see has no name and no address.

    Of those they see it tells ``clearance``, as it is by now.
    """
    nodes = [dict(one) for one in told.get("nodes", ())]
    here = access.visible_repos(viewer).filter(pk__in=[one["repo"] for one in nodes if one["repo"]])
    visible = {str(pk): clearance for pk, clearance in here.values_list("pk", "clearance")}
    hidden: dict[str, str] = {}
    for node in nodes:
        node["hidden"] = bool(node["repo"]) and node["repo"] not in visible and not access.may_review(viewer)
        if node["hidden"]:
            hidden[node["key"]] = f"a repository you cannot see ({len(hidden) + 1})"
            node |= {"key": hidden[node["key"]], "name": "a repository you cannot see", "repo": ""}
        elif node["repo"] in visible:
            node["clearance"] = visible[node["repo"]]
    edges = [
        {
            **one,
            "child": hidden.get(one["child"], one["child"]),
            "parent": hidden.get(one["parent"], one["parent"]),
        }
        for one in told.get("edges", ())
    ]
    return {"nodes": nodes, "edges": edges}


def hidden_names(viewer: Viewer, told: Json) -> list[str]:
    """Return the names in a case's graph that this viewer must not read anywhere, findings included."""
    if access.may_review(viewer):
        return []
    here = {str(one["repo"]): str(one["name"]) for one in told.get("nodes", ()) if one["repo"]}
    seen = access.visible_repos(viewer).filter(pk__in=here).values_list("pk", flat=True)
    return [name for pk, name in here.items() if pk not in {str(one) for one in seen}]


def private_names(told: Json) -> list[str]:
    """Return the names in a case's graph that must not stand in what everybody reads."""
    here = [one["repo"] for one in told.get("nodes", ()) if one["repo"]]
    return list(Repo.objects.filter(pk__in=here, private=True).values_list("full_name", flat=True))


def without(text: str, names: Iterable[str], instead: str) -> str:
    """Return a text in which these names are replaced, in any case and where they stand for themselves."""
    for name in names:
        text = re.sub(rf"(?<![\w./-]){re.escape(name)}(?![\w/-]|\.\w)", instead, text, flags=re.IGNORECASE)
    return text
