"""What a decision rests on and what it would do: ancestors, earlier decisions, and who is touched by it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from hub.catalog.evidence import UNRELATED
from hub.catalog.models import LineageEdge, Repo
from licenses import cases
from licenses.cards import threshold_sentence
from licenses.lineage import Inherited, Lineage
from licenses.models import Case, Decision
from licenses.readings import upstream_index
from licenses.records import findings_from_json, lineage_from_json
from licenses.uses import permitted_uses

MAX_ANCESTORS = 60
MAX_DESCENDANTS = 500
# How sure each source of evidence is, in words.
STRENGTH = {
    "tensors": "identical tensors", "bytes": "identical files", "hub": "made by this hub", "gguf": "GGUF metadata",
    "adapter": "adapter configuration", "config": "model configuration", "card": "the card", "reviewer": "a reviewer",
}  # fmt: skip
_USES = {
    "commercial": "use it commercially", "redistribute": "hand it on", "modify": "change it",
    "no-field-of-use-limits": "use it for any purpose", "everywhere": "use it anywhere",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A model from which this one comes: on what evidence, under which terms, what it hands down, what is open."""

    name: str
    child: str
    relation: str
    evidence: tuple[str, ...]
    licenses: tuple[str, ...]
    told_by: str
    duties: tuple[str, ...]
    open: tuple[str, ...]
    clear: tuple[str, ...]
    repo: Repo | None = None
    depth: int = 1
    by_reviewer: bool = False

    @property
    def is_denied(self) -> bool:
        """True where a reviewer has said that it is none."""
        return self.relation == UNRELATED


def ancestors_of(case: Case, repo: Repo) -> Sequence[Ancestor]:
    """Return the ancestors, nearest first; reviewers see private ones as well."""
    lineage = lineage_from_json(case.lineage)
    findings = findings_from_json(case.findings)
    index = upstream_index()
    found = []
    for depth, edges in _upwards(repo):
        parent, edge = edges[0].parent_repo, edges[0]
        known = index.find(edge.parent)
        about = [one for one in findings if one.subject.casefold() == edge.parent and one.holds]
        found.append(
            Ancestor(
                name=parent.full_name if parent else edge.name or edge.parent,
                child=edge.repo.full_name,
                relation=edge.relation,
                evidence=tuple(dict.fromkeys(STRENGTH.get(one.source, one.source) for one in edges)),
                licenses=tuple(parent.concluded) if parent else ((known.license,) if known else ()),
                told_by="its review here" if parent else (known.evidence if known else ""),
                duties=tuple(
                    duty.kind for duty in lineage.duties if duty.origin.casefold() == edge.parent.casefold()
                ),
                open=tuple(one.message for one in about),
                clear=tuple(dict.fromkeys(one.clear for one in about if one.clear)),
                repo=parent,
                depth=depth,
                by_reviewer=any(one.source == "reviewer" for one in edges),
            )
        )
    return found


def _upwards(repo: Repo) -> Iterator[tuple[int, list[LineageEdge]]]:
    """Yield every ancestor once with the edges that lead to it, strongest first."""
    seen = {repo.key}
    level, depth = [repo], 1
    while level and len(seen) <= MAX_ANCESTORS:
        rows = LineageEdge.objects.filter(repo__in=level).select_related(
            "repo", "parent_repo", "parent_repo__namespace"
        )
        grouped: dict[str, list[LineageEdge]] = {}
        for row in rows.order_by("-strength", "parent", "pk"):
            if row.parent not in seen:
                grouped.setdefault(row.parent, []).append(row)
        seen |= set(grouped)
        for edges in grouped.values():
            yield depth, edges
        level = [edges[0].parent_repo for edges in grouped.values() if edges[0].parent_repo]
        depth += 1


def descendants_of(repo: Repo) -> Sequence[Repo]:
    """Return the repos here that come from this one, however far down; they are read again after a decision."""
    found: dict[object, Repo] = {}
    level = [repo]
    while level and len(found) < MAX_DESCENDANTS:
        keys = [one.key for one in level]
        rows = Repo.objects.filter(
            Q(source__in=level) | Q(lineage__parent_repo__in=level) | Q(lineage__parent__in=keys)
        )
        new = {one.pk: one for one in rows.select_related("namespace").distinct()[:MAX_DESCENDANTS]}
        level = [one for pk, one in new.items() if pk not in found and pk != repo.pk]
        found |= {one.pk: one for one in level}
    return sorted(found.values(), key=lambda one: one.key)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What people will see once this is released."""

    may: tuple[str, ...]
    may_not: tuple[str, ...]
    thresholds: tuple[str, ...]
    countries: tuple[str, ...]
    consent: tuple[dict[str, str], ...]
    descendants: Sequence[Repo]


def consequences_of(case: Case, repo: Repo) -> Consequences:
    """Return what a release would do."""
    lineage: Lineage = lineage_from_json(case.lineage)
    uses = permitted_uses(lineage)
    return Consequences(
        may=tuple(words for use, words in _USES.items() if use in uses),
        may_not=tuple(words for use, words in _USES.items() if use not in uses),
        thresholds=tuple(dict.fromkeys(_sentence(one) for one in lineage.thresholds if one.threshold)),
        countries=tuple(dict.fromkeys(one.region for one in lineage.geography if one.region)),
        consent=tuple({str(key): str(value) for key, value in one.items()} for one in case.consent),
        descendants=descendants_of(repo),
    )


def _sentence(one: Inherited) -> str:
    return f"{threshold_sentence(one.threshold)} ({one.license})" if one.threshold else ""


@dataclass(frozen=True, slots=True)
class Precedent:
    """What was decided on the same texts before; ``last`` can be applied, and ``others`` wait with the same texts."""

    approved: int
    rejected: int
    last: Decision | None
    others: Sequence[Case]

    @property
    def is_none(self) -> bool:
        return not self.approved and not self.rejected


def precedent_of(case: Case, *, now: datetime) -> Precedent:
    """Return the earlier decisions on these texts under these licences."""
    if not case.texts:
        return Precedent(0, 0, None, ())
    same = Decision.objects.filter(texts=sorted(case.texts), licenses=list(case.licenses)).exclude(case=case)
    verbs = Counter(same.exclude(to_state=Case.State.SECOND_REVIEW).values_list("verb", flat=True))
    waiting = Case.objects.filter(
        current=True, state__in=cases.WAITING, texts=sorted(case.texts), licenses=list(case.licenses)
    )
    last = cases.precedent_of(case.texts, case.licenses, now=now)
    return Precedent(
        verbs[Decision.Verb.APPROVE], verbs[Decision.Verb.REJECT], last,
        list(waiting.exclude(pk=case.pk).order_by("opened_at")[:50]),
    )  # fmt: skip
