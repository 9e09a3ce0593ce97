"""How far the large files of a commit are proven, added up by the database: one query for a page, one for a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, Value, When

from hub.catalog.models import Repo, RepoBlob
from hub.catalog.objects import FOLDER_MODE

State = RepoBlob.State
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Proof:
    """Counts of files and bytes below a root tree.

    ``refused`` names the first few that were rejected, ``largest`` the largest file that can be pulled.
    Small files are git objects: their id is their hash, so they need no further proof.
    """

    files: int
    size: int
    large: int
    proven: int
    proving: int
    refused: tuple[str, ...]
    largest: str

    @property
    def rejected(self) -> int:
        """Large files whose bytes were refused, or never came."""
        return self.large - self.proven - self.proving

    @property
    def state(self) -> str:
        """One of ``small`` (no large files), ``proven``, ``proving`` and ``rejected``; the worst file decides."""
        if self.rejected:
            return "rejected"
        if self.proving:
            return "proving"
        return "proven" if self.large else "small"


_PROOF = f"""
WITH RECURSIVE w(path, mode, oid, size, sha256) AS (
  SELECT name::text, mode, oid, size, sha256 FROM catalog_treerow WHERE network_id = %(network)s AND tree = %(tree)s
  UNION ALL
  SELECT w.path || '/' || t.name, t.mode, t.oid, t.size, t.sha256 FROM w
  JOIN catalog_treerow t ON t.network_id = %(network)s AND t.tree = w.oid WHERE w.mode = {FOLDER_MODE})
SELECT count(*), coalesce(sum(w.size), 0), count(*) FILTER (WHERE w.sha256 <> ''),
  count(*) FILTER (WHERE b.state = 'proven'), count(*) FILTER (WHERE b.state = 'proving'),
  (array_agg(w.path ORDER BY w.path)
    FILTER (WHERE w.sha256 <> '' AND coalesce(b.state, 'rejected') = 'rejected'))[1:%(named)s],
  (array_agg(w.path ORDER BY w.sha256 = '' OR b.state IS NOT DISTINCT FROM 'proven' DESC,
    w.path = '.gitattributes', w.size DESC, w.path))[1]
FROM w LEFT JOIN catalog_repoblob b ON w.sha256 <> '' AND b.repo_id = %(repo)s AND b.sha256 = w.sha256
WHERE w.mode <> {FOLDER_MODE}
"""  # noqa: S608  Only a constant is put in.


def proof_of(repo: Repo, tree: str) -> Proof:
    """Return what is known of every file below the root ``tree``."""
    values: dict[str, Any] = {"network": repo.network_id, "tree": tree, "repo": repo.pk, "named": MAX_NAMED}
    with connection.cursor() as cursor:
        cursor.execute(_PROOF, values)
        files, size, large, proven, proving, refused, largest = cursor.fetchone()
    return Proof(files, int(size), large, proven, proving, tuple(refused or ()), largest or "")


_UNSETTLED = f"""
WITH RECURSIVE claims AS (
  SELECT repo_id, sha256, state FROM catalog_repoblob WHERE repo_id = ANY(%(repos)s) AND state <> 'proven'),
w(repo_id, network_id, mode, oid, sha256) AS (
  SELECT r.id, r.network_id, t.mode, t.oid, t.sha256 FROM catalog_repo r
  JOIN catalog_commitrecord c ON c.network_id = r.network_id AND c.oid = r.head
  JOIN catalog_treerow t ON t.network_id = r.network_id AND t.tree = c.tree
  WHERE r.id IN (SELECT repo_id FROM claims)
  UNION
  SELECT w.repo_id, w.network_id, t.mode, t.oid, t.sha256 FROM w
  JOIN catalog_treerow t ON t.network_id = w.network_id AND t.tree = w.oid WHERE w.mode = {FOLDER_MODE})
SELECT w.repo_id, max(claims.state) FROM w
JOIN claims ON claims.repo_id = w.repo_id AND claims.sha256 = w.sha256 GROUP BY w.repo_id
"""  # noqa: S608  Only a constant is put in.


def unsettled(repos: Sequence[Repo]) -> dict[UUID, str]:
    """Return ``proving`` or ``rejected`` for those repos whose tip of main holds such a file.

    The search begins from the claims that are not proven, which are few.
    """
    with connection.cursor() as cursor:
        # 'rejected' sorts after 'proving', so the worst file decides.
        cursor.execute(_UNSETTLED, {"repos": [repo.pk for repo in repos]})
        return dict(cursor.fetchall())


_SIZES = f"""
WITH RECURSIVE w(head, network_id, mode, oid, size) AS (
  SELECT c.oid, c.network_id, t.mode, t.oid, t.size
  FROM unnest(%(networks)s::bigint[], %(heads)s::text[]) AS wanted(network, head)
  JOIN catalog_commitrecord c ON c.network_id = wanted.network AND c.oid = wanted.head
  JOIN catalog_treerow t ON t.network_id = c.network_id AND t.tree = c.tree
  UNION ALL
  SELECT w.head, w.network_id, t.mode, t.oid, t.size FROM w
  JOIN catalog_treerow t ON t.network_id = w.network_id AND t.tree = w.oid WHERE w.mode = {FOLDER_MODE})
SELECT network_id, head, coalesce(sum(size) FILTER (WHERE mode <> {FOLDER_MODE}), 0) FROM w GROUP BY 1, 2
"""  # noqa: S608  Only a constant is put in.
MOST_KEPT = 50_000
# What a commit holds never changes, so each is added up once by a process, until so many are known.
_known: dict[tuple[int, str], int] = {}


def sizes_of(repos: Sequence[Repo]) -> dict[UUID, int]:
    """Return the bytes of the files at each tip of main, which is what a download takes; one query, or none."""
    tips = {repo.pk: (repo.network_id, repo.head) for repo in repos if repo.head}
    sizes = {tip: size for tip in tips.values() if (size := _known.get(tip)) is not None}
    if left := list(set(tips.values()) - sizes.keys()):
        values: dict[str, Any] = {
            "networks": [network for network, _ in left],
            "heads": [head for _, head in left],
        }
        with connection.cursor() as cursor:
            cursor.execute(_SIZES, values)
            found = {(network, head): int(size) for network, head, size in cursor.fetchall()}
        sizes |= {tip: found.get(tip, 0) for tip in left}
        if len(_known) > MOST_KEPT:
            _known.clear()
        _known.update(sizes)
    return {pk: sizes[tip] for pk, tip in tips.items()}


def note(repo: Repo) -> None:
    """Write how far the files at the tip of main are proven into the repo's own row, for lists."""
    state = unsettled([repo]).get(repo.pk)
    settled = Case(When(used_storage__gt=0, then=Value("proven")), default=Value("small"))
    Repo.objects.filter(pk=repo.pk).update(proof=state or settled)
