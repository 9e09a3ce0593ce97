"""One reading of a model's terms: what lies in it, what it descends from, and what both come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from hub.catalog import clearing, kinship, lineage, revision_sets
from hub.catalog.clearing import RELEASED, Clearance
from hub.catalog.evidence import json_object
from hub.catalog.lineage import Graph
from hub.catalog.models import CommitRecord, LineageEdge, Repo
from licenses.cases import State
from licenses.expressions import BadExpression
from licenses.findings import Code, Finding, Severity
from licenses.identify import Catalogue, Identification
from licenses.lineage import Lineage, judge
from licenses.models import Decision
from licenses.readings import all_readings, edition, upstream_index
from licenses.terms import Reading
from licenses.upstream import UpstreamIndex
from workers.license_texts import Gathered, declared_in, gather, inside_findings


@dataclass(slots=True)
class Scan:
    """One reading of a repo's terms."""

    repo: Repo
    gathered: Gathered
    edges: list[LineageEdge]
    graph: Graph
    identification: Identification
    judged: Lineage
    readings: Mapping[str, Reading]
    now: datetime
    own: tuple[str, ...]
    extra: list[Finding]
    edition: str


def read(repo: Repo, record_: CommitRecord) -> Scan:
    """Read a repo at a commit; nothing is written."""
    now, told = timezone.now(), edition()
    readings, upstream = all_readings(), upstream_index()
    catalogue = Catalogue(readings)
    gathered = gather(repo, record_)
    declared = declared_in(gathered, catalogue)
    identification = catalogue.identify(declared, gathered.detections)
    own = _own(repo, gathered, identification, catalogue)
    edges = lineage.gather(repo, gathered.entries, gathered.claims)
    graph = lineage.build(
        repo, edges, own=own, modality=_modality(repo, gathered, upstream), upstream=upstream
    )
    above = [node.licenses or () for key, node in graph.nodes.items() if key != repo.full_name]
    inherited = {one for licenses in above for one in licenses}
    identification = catalogue.identify(declared, gathered.detections, inherited=inherited)
    judged = judge(repo.full_name, graph.nodes, graph.edges, gathered.proof(repo.full_name), readings)
    extra = inside_findings(gathered, declared, catalogue)
    extra += [*_of_ancestors(repo, graph), *_of_own_name(repo, own, upstream), *_left_out(gathered)]
    extra += _of_twins(repo, gathered)
    return Scan(repo, gathered, edges, graph, identification, judged, readings, now, own, extra, told)


def _own(
    repo: Repo, gathered: Gathered, identification: Identification, catalogue: Catalogue
) -> tuple[str, ...]:
    """Return the model's own licences: what the card says for sure, else the texts, else what a reviewer concluded."""
    if identification.standing == "open" or not identification.declared.ids:
        last = Decision.objects.filter(
            case__subject=str(repo.pk), verb=Decision.Verb.APPROVE, to_state=State.APPROVED, texts=gathered.texts
        ).order_by("-pk").first()  # fmt: skip
        if last is not None and last.concluded:
            try:
                return catalogue.expressions.ids(last.concluded)
            except BadExpression:
                # The catalogue has lost a licence of it since: what is read now counts.
                pass
    return identification.declared.ids or identification.detected


def _modality(repo: Repo, gathered: Gathered, upstream: UpstreamIndex) -> str:
    """Some licences exclude countries for one modality only; where a model's is not known, they exclude."""
    if (known := upstream.find(repo.full_name)) is not None and known.modality:
        return known.modality
    entry = next((one for one in gathered.entries if one.path == "config.json" and not one.is_large), None)
    if entry is None or entry.size > lineage.MAX_SMALL:
        return ""
    config = json_object(revision_sets.content_of(repo, entry.oid))
    names = config.get("architectures")
    is_text = (
        isinstance(names, list) and bool(names) and all(str(one).endswith("ForCausalLM") for one in names)
    )
    sees = any("vision" in str(key) or "audio" in str(key) or "image" in str(key) for key in config)
    return "text" if is_text and not sees else ""


def _of_ancestors(repo: Repo, graph: Graph) -> list[Finding]:
    return [
        Finding(
            Code.LIN_UNRESOLVED, Severity.FIX,
            f"{one.full_name}: {clearing.SAYS[Clearance(one.clearance)] if one.clearance not in RELEASED else ''}.",
            f"The review of {one.full_name} comes first.", subject=one.full_name,
        )
        for one in graph.uncleared(repo.full_name)
    ]  # fmt: skip


def _of_twins(repo: Repo, gathered: Gathered) -> list[Finding]:
    """Bytes that were stopped elsewhere wait here for a person, whoever had them first."""
    weights = [one for one in gathered.entries if revision_sets.is_weights(one.path)]
    count = len(kinship.suspended_twins(repo, weights))
    if not count:
        return []
    where = "a repository that is suspended" if count == 1 else f"{count} repositories that are suspended"
    return [
        Finding(
            Code.LIN_UNRESOLVED, Severity.FIX, f"Large files of it lie in {where} as well.",
            "A reviewer says whether what stopped them there stops them here.",
        )
    ]  # fmt: skip


def _of_own_name(repo: Repo, own: tuple[str, ...], upstream: UpstreamIndex) -> list[Finding]:
    """A model that bears the id of one elsewhere is under that one's terms, whatever its card says here."""
    known = upstream.find(repo.full_name)
    if known is None or not known.counts or known.license in own:
        return []
    return [
        Finding(
            Code.LIC_MISMATCH, Severity.BLOCK,
            f"A model of this name is known to be under {known.license}; the card says {', '.join(own) or 'nothing'}.",
            "Correct the card, or rename the repository.", license=known.license, subject=repo.full_name,
        )
    ]  # fmt: skip


def _left_out(gathered: Gathered) -> list[Finding]:
    if not gathered.revision.left_out:
        return []
    return [
        Finding(
            Code.LIC_AMBIGUOUS, Severity.FIX,
            f"{gathered.revision.left_out} more files speak of terms than are read ({revision_sets.MAX_FILES}).",
            "Keep the texts that apply, in the root or one folder down.",
        )
    ]  # fmt: skip
