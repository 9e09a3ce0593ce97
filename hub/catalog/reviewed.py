"""The gate where a revision, or a file's digest, is known: only what was reviewed is handed out.

A revision of a model is reviewed where what bears on its terms is what some released case of this repo is about.  Who
belongs to the namespace, and who reviews, may have any.
"""

from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, revision_sets
from hub.catalog.access import Rights
from hub.catalog.errors import TermsHeld
from hub.catalog.lookups import Located, rights_if_needed
from hub.catalog.models import CommitRecord, Repo
from licenses.cases import RELEASING
from licenses.models import Case, Suspension


def require_pull_at(viewer: Viewer, at: Located) -> None:
    """Raise unless the viewer may have the bytes of this revision."""
    rights = at.rights or rights_if_needed(viewer, at.repo)
    access.require_pull(viewer, at.repo, rights)
    if not _is_reviewed(viewer, at, rights):
        raise TermsHeld(
            f"This revision of {at.repo.full_name} is held: what it says of its terms was not reviewed. "
            f"See {clearing.terms_url(at.repo)}"
        )


def may_pull_at(viewer: Viewer, at: Located) -> bool:
    """Say whether the viewer may have the bytes of this revision."""
    rights = at.rights or rights_if_needed(viewer, at.repo)
    return access.may_pull(viewer, at.repo, rights).allowed and _is_reviewed(viewer, at, rights)


def _is_reviewed(viewer: Viewer, at: Located, rights: Rights | None) -> bool:
    repo = at.repo
    if at.commit == repo.head or repo.type != Repo.Type.MODEL or not clearing.is_enforced():
        return True
    if access.is_at_home(viewer, repo, rights):
        return True
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    digest = revision_sets.digest_for(_terms(at), repo.full_name)
    released = Case.objects.filter(lasting, subject=str(repo.pk), digest=digest, state__in=RELEASING)
    return released.exists()


def _terms(at: Located) -> str:
    """Return the digest of a commit's revision set; commits from before there were any get theirs now."""
    mine = CommitRecord.objects.filter(network=at.repo.network_id, oid=at.commit)
    known = mine.values_list("terms", flat=True).first()
    if not known:
        known = revision_sets.read(at.repo, at.tree).digest
        mine.update(terms=known)
    return known


def withheld(viewer: Viewer, repo: Repo, digests: Collection[str]) -> set[str]:
    """Return which of these files nobody may have, whoever holds them, because their digest is suspended."""
    stopped = Suspension.objects.filter(kind=Suspension.Kind.DIGEST, lifted_at=None, key__in=digests)
    found = set(stopped.values_list("key", flat=True))
    return set() if found and access.is_at_home(viewer, repo) else found


def require_not_withheld(viewer: Viewer, repo: Repo, sha256: str) -> None:
    """Raise TermsHeld for a file whose digest is suspended."""
    if withheld(viewer, repo, [sha256]):
        raise TermsHeld(f"A file of {repo.full_name} is suspended. See {clearing.terms_url(repo)}")
