"""Recall: given a license, a repo or a digest, what is affected, and who has it.

*Roots* are what the question names.  Repos that hold the same weights are affected as well, and so is all that was made
from either.  A digest stands for its bytes wherever they lie.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from hub.accounts.identity import Viewer
from hub.catalog.auditing import require_audit
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.catalog.models import Inspection, LineageEdge, PullRecord, Repo, RepoBlob, RepoRedirect
from licenses.models import License

KINDS = ("license", "repo", "digest")
# Models share tokenizers and vocabularies without being related; no such file is that large.
WEIGHTS = ("safetensors", "gguf", "pickle")
LARGE = 64 * 2**20
# A family tree larger than this is cut, and the answer says so.
MOST_REPOS = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Affected:
    """A repo that a recall reaches, and why: a word for the reason, and what it is about."""

    repo: Repo
    whys: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Recall:
    """What a recall found.  ``digests``: the bytes in question, where the question names a digest."""

    kind: str
    key: str
    title: str
    affected: list[Affected]
    digest: str = ""
    former: str = ""
    is_cut: bool = False

    @property
    def pulls(self) -> QuerySet[PullRecord]:
        """Who got affected bytes, the latest day first; of a repo that is gone by the name it had."""
        if self.digest:
            about = Q(sha256=self.digest)
        else:
            about = Q(repo__in=[one.repo.pk for one in self.affected])
            about |= Q(repo=None, label__iexact=self.former) if self.former else Q()
        return (
            PullRecord.objects.filter(about)
            .select_related("user", "repo")
            .order_by("-day", "-first_at", "pk")
        )

    def totals(self) -> dict[str, Any]:
        """Return how many people and files, how often, and between which days."""
        return self.pulls.order_by().aggregate(
            people=Count("user", distinct=True), strangers=Sum("times", filter=Q(user=None), default=0),
            times=Sum("times", default=0), first=Min("day"), last=Max("day"),
        )  # fmt: skip


def find(viewer: Viewer, kind: str, key: str) -> Recall:
    """Answer a recall for a reviewer; raises BadRequest, or EntryNotFound for what was never here."""
    require_audit(viewer)
    if kind not in KINDS:
        raise BadRequest(f"kind must be one of {', '.join(KINDS)}, not {kind[:40]!r}.")
    if not key or len(key) > 200:
        raise BadRequest("key must name a licence, a repository or a sha256.")
    return {"license": _of_license, "repo": _of_repo, "digest": _of_digest}[kind](key)


def _of_license(key: str) -> Recall:
    row = License.objects.filter(slug__iexact=key).first()
    name = row.slug if row else key
    reach = _Reach()
    reach.add(Repo.objects.filter(concluded__contains=[name]), "license", name)
    reach.add(Repo.objects.filter(license__iexact=key).exclude(concluded__contains=[name]), "declared", key)
    if row is None and not reach.found:
        raise EntryNotFound(f"No licence is called {key}, and no repository declares one of this name.")
    reach.spread_bytes()
    return reach.recall("license", name, row.name if row else key)


def _of_repo(key: str) -> Recall:
    repo = _repo_called(key)
    if repo is None:
        former = (
            PullRecord.objects.filter(repo=None, label__iexact=key).values_list("label", flat=True).first()
        )
        if former is None:
            raise EntryNotFound(f"There is no repository {key}, and nobody has pulled one of this name.")
        return Recall("repo", key, former, [], former=former)
    reach = _Reach()
    reach.add([repo], "itself", repo.full_name)
    reach.spread_bytes()
    return reach.recall("repo", repo.full_name if repo.type == Repo.Type.MODEL else f"datasets/{repo.full_name}",
                        repo.full_name)  # fmt: skip


def _repo_called(key: str) -> Repo | None:
    type_ = Repo.Type.DATASET if key.startswith("datasets/") else Repo.Type.MODEL
    name = key.removeprefix("datasets/").lower()
    found = Repo.objects.filter(type=type_, key=name).first()
    if found is None and len(key) == 36 and "/" not in key:
        try:
            found = Repo.objects.filter(pk=UUID(key)).first()
        except ValueError:
            return None
    if found is None:
        former = RepoRedirect.objects.select_related("repo").filter(type=type_, key=name).first()
        return former.repo if former else None
    return found


def _of_digest(key: str) -> Recall:
    digest = key.lower()
    if not _SHA256.fullmatch(digest):
        raise BadRequest("A digest is a sha256 of 64 hexadecimal digits.")
    reach = _Reach()
    reach.add(Repo.objects.filter(blobs__sha256=digest), "holds", digest)
    if not reach.found and not PullRecord.objects.filter(sha256=digest).exists():
        raise EntryNotFound("No repository holds this digest, and nobody has pulled it.")
    found = reach.recall("digest", digest, f"sha256 {digest[:12]}…")
    found.digest = digest
    return found


class _Reach:
    """Repos that were reached so far, each with its reasons, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: dict[UUID, Affected] = {}
        self.is_cut = False

    def add(self, repos: Iterable[Repo], why: str, about: str) -> list[Repo]:
        """Add repos for one reason; returns those that are new."""
        fresh = []
        for repo in repos:
            if repo.pk in self.found:
                self._tell(repo, why, about)
            elif len(self.found) < MOST_REPOS:
                self.found[repo.pk] = Affected(repo, [(why, about)])
                fresh.append(repo)
            else:
                self.is_cut = True
        return fresh

    def _tell(self, repo: Repo, why: str, about: str) -> None:
        whys = self.found[repo.pk].whys
        if (why, about) not in whys and whys[0][0] != "itself":
            whys.append((why, about))

    def spread_bytes(self) -> None:
        """Add the repos that hold the same weights as those found so far."""
        roots = set(self.found)
        weights = Inspection.objects.filter(format__in=WEIGHTS).values("sha256")
        large = RepoBlob.objects.filter(Q(sha256__in=weights) | Q(size__gte=LARGE))
        mine = large.filter(repo__in=roots).values("sha256")
        twins = RepoBlob.objects.filter(sha256__in=mine).exclude(repo__in=roots).select_related("repo")
        for claim in twins.order_by("repo", "pk")[:MOST_REPOS]:
            self.add([claim.repo], "same-bytes", claim.sha256)

    def spread_descendants(self) -> None:
        """Add all that was made from those found so far, level by level."""
        level = [one.repo for one in self.found.values()]
        while level:
            made: list[Repo] = []
            for child, parent, why in _children(level):
                made += self.add([child], why, parent)
            level = made

    def recall(self, kind: str, key: str, title: str) -> Recall:
        """Return the answer, with what was made from what was found."""
        self.spread_descendants()
        return Recall(kind, key, title, list(self.found.values()), is_cut=self.is_cut)


def _children(parents: list[Repo]) -> Iterator[tuple[Repo, str, str]]:
    """Yield what was made from these repos: the child, the parent's name, and how that is known."""
    names = {repo.key: repo.full_name for repo in parents if repo.type == Repo.Type.MODEL}
    by_pk = {repo.pk: repo.full_name for repo in parents}
    for repo in Repo.objects.filter(source__in=by_pk):
        yield repo, by_pk[repo.source_id], "made-here"  # type: ignore[index]
    edges = LineageEdge.objects.filter(Q(parent_repo__in=by_pk) | Q(parent__in=names)).select_related("repo")
    for edge in edges.order_by("-strength", "pk"):
        yield edge.repo, by_pk.get(edge.parent_repo_id) or names[edge.parent], edge.relation  # type: ignore[arg-type]
    for repo in Repo.objects.filter(base_models__overlap=list(names.values())):
        for base in set(repo.base_models) & set(names.values()):
            yield repo, base, "base-model"


def by_person(found: Recall, limit: int) -> list[dict[str, Any]]:
    """Return who got affected bytes: each user once, with how many files of how many repos, how often and when."""
    rows = found.pulls.order_by().values("user", name=F("user__username"))
    totals = rows.annotate(
        files=Count("pk"),
        repos=Count("repo", distinct=True),
        times=Sum("times"),
        first=Min("first_at"),
        last=Max("day"),
    )
    return [dict(row) for row in totals.order_by("-last", "name")[:limit]]
