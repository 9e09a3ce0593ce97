"""From what a client sends (a repo id and a revision) to a repo and a commit: one query, then the gate."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import F

from hub.accounts.identity import Viewer
from hub.catalog import access, revisions
from hub.catalog.access import Rights
from hub.catalog.errors import CatalogError, RepoNotFound, RevisionNotFound
from hub.catalog.models import CommitRecord, Repo, RepoRedirect
from hub.catalog.names import RepoName
from hub.catalog.revisions import Located

__all__ = ["Located"]

DEFAULT_REVISION = "main"


class Moved(CatalogError):
    """The repo has another id now; ``repo`` is where it is."""

    def __init__(self, repo: Repo) -> None:
        super().__init__(f"The repository is now called {repo.full_name}.")
        self.repo = repo


def find_repo(viewer: Viewer, name: RepoName) -> Repo:
    """Return a repo that the viewer may read; raises RepoNotFound, or Moved when it was renamed."""
    row = Repo.objects.select_related("namespace").filter(type=name.type, key=name.key).first()
    return _admitted(viewer, name, row)[0]


def locate(viewer: Viewer, name: RepoName, revision: str = DEFAULT_REVISION) -> Located:
    """Return a repo at a revision; raises RepoNotFound, Moved or RevisionNotFound."""
    repo, at = revisions.find_named(name, revision) or (None, None)
    _, rights = _admitted(viewer, name, repo)
    found = _present(at, revision)
    return replace(found, rights=rights) if rights is not None else found


def locate_in(repo: Repo, revision: str) -> Located:
    """Return a repo that was found before, at a revision; raises RevisionNotFound."""
    return _present(revisions.find_all([repo.pk], revision).get(repo.pk), revision)


def locate_heads(repos: Sequence[Repo]) -> dict[UUID, Located]:
    """Return the tips of main of repos that the viewer may read, in one query."""
    return revisions.find_all([repo.pk for repo in repos], DEFAULT_REVISION)


def _present(at: Located | None, revision: str) -> Located:
    if at is None:
        raise RevisionNotFound(f"Invalid rev id: {revision}")
    return at


def _admitted(viewer: Viewer, name: RepoName, repo: Repo | None) -> tuple[Repo, Rights | None]:
    if repo is None:
        raise _elsewhere(viewer, name)
    rights = access.rights_of(viewer, repo) if repo.private and viewer.user is not None else None
    access.require_read(viewer, repo, rights)
    return repo, rights


def _elsewhere(viewer: Viewer, name: RepoName) -> CatalogError:
    """A former id leads on only for those who may read the repo; for others it is as absent as any."""
    redirect = (
        RepoRedirect.objects.select_related("repo__namespace").filter(type=name.type, key=name.key).first()
    )
    if redirect is not None and access.may_read(viewer, redirect.repo):
        return Moved(redirect.repo)
    return RepoNotFound("Repository not found")


def rights_if_needed(viewer: Viewer, repo: Repo) -> Rights | None:
    """Read rights only where a decision depends on them, so that public reads cost no query."""
    return access.rights_of(viewer, repo) if viewer.user is not None and access.asks_who(repo) else None


def history(repo: Repo, commit: str, *, path: str = "", skip: int = 0, limit: int = 50) -> list[CommitRecord]:
    """Return commits reachable from ``commit``, those that changed ``path`` where it is given, newest first.

    One query.
    """
    return list(
        CommitRecord.objects.raw(
            "WITH RECURSIVE past(oid) AS (SELECT %s::varchar UNION SELECT unnest(c.parents) FROM past"
            " JOIN catalog_commitrecord c ON c.network_id = %s AND c.oid = past.oid)"
            " SELECT c.* FROM past JOIN catalog_commitrecord c ON c.network_id = %s AND c.oid = past.oid"
            " WHERE %s = '' OR EXISTS (SELECT FROM catalog_pathchange p WHERE p.network_id = c.network_id"
            " AND p.commit = c.oid AND p.path = %s)"
            " ORDER BY c.depth DESC, c.created_at DESC, c.oid OFFSET %s LIMIT %s",
            [commit, repo.network_id, repo.network_id, path, path, skip, limit],
        )
    )


def count_history(repo: Repo, commit: str) -> int:
    """Return how long the longest line of commits from ``commit`` to a root is."""
    depth = CommitRecord.objects.filter(network=repo.network_id, oid=commit).values_list(
        F("depth") + 1, flat=True
    )
    return depth.first() or 0


def last_commits(repo: Repo, commit: str, paths: list[str]) -> dict[str, CommitRecord]:
    """Return, for each path, the newest commit reachable from ``commit`` that changed it; one query for all."""
    found = CommitRecord.objects.raw(
        "WITH RECURSIVE past(oid) AS (SELECT %s::varchar UNION SELECT unnest(c.parents) FROM past"
        " JOIN catalog_commitrecord c ON c.network_id = %s AND c.oid = past.oid)"
        " SELECT DISTINCT ON (p.path) c.*, p.path FROM catalog_pathchange p JOIN past ON past.oid = p.commit"
        " JOIN catalog_commitrecord c ON c.network_id = p.network_id AND c.oid = p.commit"
        " WHERE p.network_id = %s AND p.path = ANY(%s) ORDER BY p.path, c.depth DESC",
        [commit, repo.network_id, repo.network_id, paths],
    )
    return {record.path: record for record in found}  # type: ignore[attr-defined]
