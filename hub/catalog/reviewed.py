"""The gate where a revision, or a file's digest, is known: only what was reviewed is handed out.

A revision of a model is reviewed where what bears on its terms is what some released case of this repo is about.  A
large file is where it lies in such a revision, and not only in what guests propose.  Who belongs to the namespace, and
who reviews, may have any.
"""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, revision_sets
from hub.catalog.access import Rights
from hub.catalog.clearing import Clearance
from hub.catalog.errors import TermsHeld
from hub.catalog.lookups import Located, rights_if_needed
from hub.catalog.models import CommitRecord, Ref, Repo, TreeRow
from hub.catalog.names import is_pull_ref
from hub.catalog.objects import FOLDER_MODE
from licenses import acceptances
from licenses.cases import RELEASING
from licenses.models import Case, Suspension

# Files that lie in a commit with released terms (or in the tip of main) which is not only somebody's proposal.
_LANDED = """
WITH RECURSIVE holds(sha256, tree) AS (
  SELECT sha256, tree FROM catalog_treerow WHERE network_id = %(network)s AND sha256 = ANY(%(digests)s)
  UNION SELECT h.sha256, t.tree FROM holds h JOIN catalog_treerow t
    ON t.network_id = %(network)s AND t.oid = h.tree AND t.mode = %(folder)s),
landed(oid) AS (
  SELECT unnest(%(landed)s::varchar[]) UNION SELECT unnest(c.parents) FROM landed
  JOIN catalog_commitrecord c ON c.network_id = %(network)s AND c.oid = landed.oid),
proposed(oid) AS (
  SELECT unnest(%(proposed)s::varchar[]) UNION SELECT unnest(c.parents) FROM proposed
  JOIN catalog_commitrecord c ON c.network_id = %(network)s AND c.oid = proposed.oid)
SELECT DISTINCT h.sha256 FROM holds h
JOIN catalog_commitrecord c ON c.network_id = %(network)s AND c.tree = h.tree
WHERE (c.terms = ANY(%(terms)s) OR c.oid = %(head)s)
AND (c.oid NOT IN (SELECT oid FROM proposed) OR c.oid IN (SELECT oid FROM landed))"""


def require_pull_at(viewer: Viewer, at: Located) -> None:
    """Raise unless the viewer may have the bytes of this revision."""
    rights = at.rights or rights_if_needed(viewer, at.repo)
    access.require_pull(viewer, at.repo, rights)
    if not _is_reviewed(viewer, at, rights):
        raise TermsHeld(
            f"This revision of {at.repo.full_name} is held: what it says of its terms was not reviewed, or counts no "
            f"more. See {clearing.terms_url(at.repo)}"
        )


def may_pull_at(viewer: Viewer, at: Located) -> bool:
    """Say whether the viewer may have the bytes of this revision."""
    rights = at.rights or rights_if_needed(viewer, at.repo)
    return access.may_pull(viewer, at.repo, rights).allowed and _is_reviewed(viewer, at, rights)


def _is_reviewed(viewer: Viewer, at: Located, rights: Rights | None) -> bool:
    repo = at.repo
    if at.commit == repo.head or not _counts(repo) or access.is_at_home(viewer, repo, rights):
        return True
    return bool(_released(viewer, repo, [_terms(at)]))


def _counts(repo: Repo) -> bool:
    return clearing.is_enforced() and clearing.holds_weights(repo)


def _released(viewer: Viewer, repo: Repo, terms: Collection[str]) -> list[str]:
    """Return those of these revision sets whose terms are released, and may be had by the viewer now."""
    by_digest = {revision_sets.digest_for(one, repo.full_name): one for one in terms}
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    cases = Case.objects.filter(lasting, subject=str(repo.pk), digest__in=by_digest, state__in=RELEASING)
    told = cases.values("digest", "current", "consent", "licenses", "lineage")
    return [by_digest[one["digest"]] for one in told if one["current"] or _still_stands(viewer, repo, one)]


def _still_stands(viewer: Viewer, repo: Repo, case: Mapping[str, Any]) -> bool:
    """Nobody reads an earlier case again: ask here what would have held it since, and what it asks to be accepted."""
    suspended = Suspension.objects.filter(
        kind=Suspension.Kind.LICENSE, lifted_at=None, key__in=case["licenses"]
    )
    above = [
        one["repo"]
        for one in case["lineage"].get("nodes", ())
        if one["repo"] not in ("", str(repo.pk)) and not one["key"].startswith("datasets/")
    ]
    refused = Repo.objects.filter(pk__in=above, clearance__in=[Clearance.BLOCKED, Clearance.SUSPENDED])
    if suspended.exists() or refused.exists():
        return False
    follows = repo.source is not None and case["lineage"].get("follows")
    key = (
        repo.source.consent if repo.source and follows else acceptances.key_of(str(repo.pk), case["consent"])
    )
    if key in ("", repo.consent):
        return True
    in_scope = not viewer.is_narrowed or access.rights_of(viewer, repo).scope != ""
    return in_scope and access.acceptance_for(viewer, repo, key) is not None


def _terms(at: Located) -> str:
    """Return the digest of a commit's revision set; commits from before there were any get theirs now."""
    mine = CommitRecord.objects.filter(network=at.repo.network_id, oid=at.commit)
    known = mine.values_list("terms", flat=True).first()
    if not known:
        known = revision_sets.read(at.repo, at.tree).digest
        mine.update(terms=known)
    return known


def withheld(viewer: Viewer, repo: Repo, digests: Collection[str]) -> set[str]:
    """Return which of these files the viewer may not have although they may pull from the repo.

    Those are files whose digest is suspended, and files that lie in no revision that was reviewed.
    """
    stopped = Suspension.objects.filter(kind=Suspension.Kind.DIGEST, lifted_at=None, key__in=digests)
    found = set(stopped.values_list("key", flat=True))
    if not (found or _counts(repo)) or access.is_at_home(viewer, repo):
        return set()
    return found | _unreviewed(viewer, repo, digests) if _counts(repo) else found


def _unreviewed(viewer: Viewer, repo: Repo, digests: Collection[str]) -> set[str]:
    told = CommitRecord.objects.filter(network=repo.network_id).exclude(terms="").order_by()
    terms = list(told.values_list("terms", flat=True).distinct())
    released = _released(viewer, repo, terms)
    refs = list(Ref.objects.filter(repo=repo).values_list("name", "oid"))
    proposed = [oid for name, oid in refs if is_pull_ref(name)]
    rows = TreeRow.objects.filter(network=repo.network_id, sha256__in=digests).order_by()
    listed = set(rows.values_list("sha256", flat=True).distinct())
    own = set(
        repo.blobs.filter(sha256__in=digests, created_by=viewer.user).values_list("sha256", flat=True)
        if viewer.user is not None
        else ()
    )
    if len(released) < len(terms) or proposed:
        listed = _landed(repo, listed, released, refs)
    return set(digests) - listed - own


def _landed(
    repo: Repo, digests: Collection[str], terms: Collection[str], refs: Collection[tuple[str, str]]
) -> set[str]:
    values: dict[str, Any] = {
        "network": repo.network_id, "digests": list(digests), "terms": list(terms), "head": repo.head,
        "folder": FOLDER_MODE, "landed": [oid for name, oid in refs if not is_pull_ref(name)],
        "proposed": [oid for name, oid in refs if is_pull_ref(name)],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_LANDED, values)
        return {row[0] for row in cursor.fetchall()}


def require_not_withheld(viewer: Viewer, repo: Repo, sha256: str) -> None:
    """Raise TermsHeld for a file whose digest is suspended, or that lies in no revision that was reviewed."""
    if withheld(viewer, repo, [sha256]):
        raise TermsHeld(
            f"A file of {repo.full_name} is held: it is suspended, or lies in no revision that was reviewed. "
            f"See {clearing.terms_url(repo)}"
        )
