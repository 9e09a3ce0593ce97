"""Everything that a reader learns of a repo's terms: what was found, what binds it, what is open, on whose word.

A name that the viewer must not read is taken out of all of it first: findings, duties and the graph name ancestors.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import F, Func, Q
from redis import RedisError

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing
from hub.catalog.desktexts import Text, readable, texts_of
from hub.catalog.lineage import graph_of, hidden_names, without
from hub.catalog.models import CommitRecord, LineageEdge, Repo
from hub.catalog.openness import evidence_for, graded
from licenses.cases import current_case
from licenses.findings import Finding
from licenses.lineage import Lineage
from licenses.matches import Detection
from licenses.models import Case, Decision, License
from licenses.openness import Evidence, Openness
from licenses.policy import Mode
from licenses.proofs import Met, Proved, prove
from licenses.readings import readings_of
from licenses.records import detection_from_json, findings_from_json, lineage_from_json
from licenses.terms import Reading

HIDDEN = "a repository you cannot see"
MAX_CHILDREN = 12
EVIDENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of the terms of one repo, as one viewer may read it.  ``case`` is None where nothing was read yet.

    ``lineage``, ``findings``, ``duties`` and ``graph`` have no name in them that the viewer cannot see.
    """

    repo: Repo
    case: Case | None
    lineage: Lineage
    findings: tuple[Finding, ...]
    detected: Mapping[str, Detection]
    readings: Mapping[str, Reading]
    texts: Sequence[Text]
    duties: Sequence[Proved]
    graph: Mapping[str, Sequence[Mapping[str, Any]]]
    openness: Openness | None
    evidence: Mapping[str, Evidence]

    @property
    def binding(self) -> Sequence[Reading]:
        """The readings of the licenses that bind whoever uses it."""
        return [self.readings[one] for one in self.lineage.use_licenses if one in self.readings]

    @property
    def missing(self) -> Sequence[Proved]:
        return [one for one in self.duties if one.state is Met.MISSING]

    @property
    def holding(self) -> Sequence[Finding]:
        return [one for one in self.findings if one.holds]


def panel_of(viewer: Viewer, repo: Repo) -> Panel:
    """Read a repo's terms for a viewer who may read the repo."""
    case = current_case(str(repo.pk))
    told = masked(viewer, case) if case else {"lineage": {}, "findings": []}
    lineage, findings = lineage_from_json(told["lineage"]), findings_from_json(told["findings"])
    detected = {str(one["path"]): detection_from_json(one) for one in case.detected} if case else {}
    readings = _readings(lineage, findings, case)
    texts = texts_of(repo, case) if case else []
    duties = list(prove(
        lineage.duties, name=repo.full_name, files=readable(texts),
        texts={path: found.licenses for path, found in detected.items()}, findings=findings, readings=readings,
    ))  # fmt: skip
    graph = graph_of(viewer, repo, case.lineage) if case else {"nodes": [], "edges": []}
    evidence = _evidence(repo, lineage, detected, readings)
    # Data sets and libraries have licenses of their own, which bind the model in nothing.
    others = {one.license for one in evidence.values()} - {"", *readings}
    every = {**readings, **readings_of(License.objects.filter(slug__in=others))} if others else readings
    grade = graded(repo, evidence, lineage.use_licenses, every) if evidence else None
    return Panel(repo, case, lineage, findings, detected, readings, texts, duties, graph, grade, evidence)


@dataclass(frozen=True, slots=True)
class Pending:
    """Why terms are open: the state of the case, and the findings that hold it, the gravest first."""

    state: str = ""
    points: Sequence[Finding] = ()


def pending_of(viewer: Viewer, repo: Repo) -> Pending:
    """Return what is open of a repo's terms, without names that the viewer cannot see.

    No query where they are settled.
    """
    is_asked = clearing.mode() is not Mode.OFF and repo.clearance != Repo.Clearance.SCANNING
    case = current_case(str(repo.pk)) if is_asked and not clearing.is_released(repo) else None
    if case is None:
        return Pending()
    found = findings_from_json(masked(viewer, case)["findings"])
    return Pending(case.state, tuple(one for one in found if one.holds))


def masked(viewer: Viewer, case: Case) -> Mapping[str, Any]:
    """Return what a case keeps of lineage and findings, without the names of repos that the viewer cannot see."""
    text = json.dumps({"lineage": case.lineage, "findings": case.findings}, ensure_ascii=False)
    found: Mapping[str, Any] = json.loads(without(text, hidden_names(viewer, case.lineage), HIDDEN))
    return found


def _readings(lineage: Lineage, findings: Sequence[Finding], case: Case | None) -> Mapping[str, Reading]:
    cited = [part.strip() for one in findings for part in one.license.split(",")]
    wanted = {*lineage.use_licenses, *lineage.licenses, *cited, *(case.licenses if case else ())} - {""}
    return readings_of(License.objects.filter(slug__in=wanted)) if wanted else {}


def _evidence(
    repo: Repo, lineage: Lineage, detected: Mapping[str, Detection], readings: Mapping[str, Reading]
) -> Mapping[str, Evidence]:
    """Return what the tip of main shows of a model's parts; kept for a while, because a tree may have many files."""
    if repo.type != Repo.Type.MODEL or not repo.head:
        return {}
    told = json.dumps(
        [str(repo.pk), repo.head, lineage.licenses, sorted(readings), repo.updated_at.isoformat()]
    )
    key = f"openness:1:{hashlib.sha256(told.encode()).hexdigest()}"
    try:
        kept = cache.get(key)
    except RedisError:
        kept = None
    if isinstance(kept, dict):
        return kept
    record = (
        CommitRecord.objects.select_related("card").filter(network=repo.network_id, oid=repo.head).first()
    )
    if record is None:
        return {}
    texts = {path: found.licenses[0] for path, found in detected.items() if found.is_clean and found.licenses}
    found = evidence_for(repo, record, licenses=lineage.licenses, readings=readings, texts=texts)
    with contextlib.suppress(RedisError):
        cache.set(key, found, EVIDENCE_SECONDS)
    return found


def history_of(case: Case) -> Sequence[Decision]:
    """Return what was decided on a repo's terms, the newest first; private notes are for reviewers' own pages."""
    rows = Decision.objects.filter(case__subject=case.subject).select_related("by").defer("note_private")
    return list(rows.order_by("-at", "-pk")[:50])


def children_of(viewer: Viewer, repo: Repo) -> Sequence[tuple[Repo, str]]:
    """Return what the viewer may see of what was made from a repo, with the relation, the most pulled first."""
    edges = dict(
        LineageEdge.objects.filter(Q(parent_repo=repo) | Q(parent=repo.key)).order_by("strength")
        .values_list("repo_id", "relation")[:500]
    )  # fmt: skip
    made = access.visible_repos(viewer).filter(Q(source=repo) | Q(pk__in=list(edges))).exclude(pk=repo.pk)
    rows = made.select_related("namespace").order_by("-downloads", "key")[:MAX_CHILDREN]
    return [(row, edges.get(row.pk, "quantized")) for row in rows]


def under(viewer: Viewer, license_id: str, most: int) -> Sequence[Repo]:
    """Return the models that a license binds and the viewer may see, the most pulled first."""
    rows = access.visible_repos(viewer, Repo.Type.MODEL).filter(concluded__contains=[license_id])
    return list(rows.select_related("namespace").order_by("-downloads", "key")[:most])


def binding_here(viewer: Viewer) -> frozenset[str]:
    """Return the licenses that bind a model which the viewer may see."""
    models = access.visible_repos(viewer, Repo.Type.MODEL).order_by()
    # One pass over what models name is quicker by far than asking for each license.
    named = models.annotate(named=Func(F("concluded"), function="unnest")).values_list("named", flat=True)
    return frozenset(named.distinct())
