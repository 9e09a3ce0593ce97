"""Who had the same weights first: whole files by their sha256, large tensors by the digests of their bytes."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from hub.catalog.models import LineageEdge, Repo, RepoBlob, TensorDigest
from hub.catalog.trees import Entry
from licenses.ancestry import Relation

MOST_ROWS = 20_000
MOST_TENSORS = 4096
# Smaller files and tensors are alike by chance: empty ones, ones full of zeros.
LEAST_BYTES = 64 * 1024
_ALL, _HALF = 0.99, 0.5
PROVEN = RepoBlob.State.PROVEN

Kin = list[tuple[UUID, Relation, str]]


def kin_of(repo: Repo, weights: Sequence[Entry]) -> Kin:
    """Return the repos that held these weights before this one did, with the relation that it shows and the source."""
    large = {one.sha256: one.size for one in weights if one.state == PROVEN and one.size >= LEAST_BYTES}
    mine = dict(RepoBlob.objects.filter(repo=repo, sha256__in=large).values_list("sha256", "created_at"))
    if not mine:
        return []
    found: Kin = []
    if first := _first_with(repo, mine, {sha: {sha: large[sha]} for sha in mine}):
        other, shared = first
        found.append((other, _by_bytes(shared / sum(large.values())), "bytes"))
    if alike := _by_tensors(repo, mine):
        other, share = alike
        if share >= _HALF and other not in [one for one, _, _ in found]:
            found.append((other, Relation.COPY if share >= _ALL else Relation.FINETUNE, "tensors"))
    return found


def suspended_twins(repo: Repo, entries: Sequence[Entry]) -> list[Repo]:
    """Return the suspended repos, beside its own family, that hold a large file of this one."""
    mine = [one.sha256 for one in entries if one.is_large and one.size >= LEAST_BYTES]
    held = RepoBlob.objects.filter(sha256__in=mine, state=PROVEN, repo__clearance=Repo.Clearance.SUSPENDED)
    family = {repo.pk, repo.source_id}
    found = Repo.objects.filter(pk__in=held.values("repo")).exclude(pk__in=[pk for pk in family if pk])
    return list(found.exclude(source=repo).order_by("pk")[:20])


def holders_of(repos: Collection[UUID]) -> QuerySet[Repo]:
    """Return the other repos that hold a large file of these."""
    files = RepoBlob.objects.filter(repo__in=repos, size__gte=LEAST_BYTES).values("sha256")
    twins = RepoBlob.objects.filter(sha256__in=files, state=PROVEN).exclude(repo__in=repos)
    return Repo.objects.filter(pk__in=twins.values("repo"))


def _by_bytes(share: float) -> Relation:
    if share >= _ALL:
        return Relation.COPY
    return Relation.FINETUNE if share >= _HALF else Relation.COMPONENT


def _by_tensors(repo: Repo, mine: Mapping[str, datetime]) -> tuple[UUID, float] | None:
    rows = TensorDigest.objects.filter(sha256__in=mine).order_by("-size")[:MOST_TENSORS]
    sizes = dict(rows.values_list("digest", "size"))
    if not sizes:
        return None
    held: defaultdict[str, dict[str, int]] = defaultdict(dict)
    same = TensorDigest.objects.filter(digest__in=sizes).exclude(sha256__in=mine)
    for sha256, digest in same.values_list("sha256", "digest")[:MOST_ROWS]:
        held[sha256][digest] = sizes[digest]
    first = _first_with(repo, mine, held)
    return (first[0], first[1] / sum(sizes.values())) if first else None


def _first_with(
    repo: Repo, mine: Mapping[str, datetime], held: Mapping[str, Mapping[str, int]]
) -> tuple[UUID, int] | None:
    """Return the repo that holds most of these bytes and held them before this repo did; the earliest of equals.

    ``held`` says which parts (whole files, or tensors) with which sizes each file holds.
    """
    family = Q(repo=repo) | Q(repo__source=repo) | Q(repo__derived=repo)
    if repo.source_id:
        family |= Q(repo__source=repo.source_id)
    others = RepoBlob.objects.filter(sha256__in=held, state=PROVEN, repo__type=repo.type).exclude(family)
    followers = LineageEdge.objects.filter(parent_repo=repo, source__in=["bytes", "tensors"]).values("repo")
    others = others.exclude(repo__in=followers)
    since, parts = max(mine.values()), defaultdict[UUID, dict[str, int]](dict)
    first: dict[UUID, datetime] = {}
    rows = others.filter(created_at__lt=since).order_by("created_at", "pk")
    for other, sha256, at in rows.values_list("repo_id", "sha256", "created_at")[:MOST_ROWS]:
        if sha256 in mine and at >= mine[sha256]:
            continue
        parts[other].update(held[sha256])
        first.setdefault(other, at)
    if not parts:
        return None
    best = max(parts, key=lambda other: (sum(parts[other].values()), -first[other].timestamp()))
    return best, sum(parts[best].values())
