"""Duplicating a repo: its branches and tags with everything they reach, in a new object network.

The rows are copied rather than shared.  A commit is readable by its id within its network, so a public duplicate that
shared one would show what a private source commits later.  Bytes are not copied: the duplicate claims the same ones.

The SQL is put together from constants of this file; every value travels as a parameter.
"""

# ruff: noqa: S608

from typing import Any

from django.db import connection, transaction

from hub.accounts.identity import Viewer
from hub.catalog import access, clearances, quotas, refs, reviewed
from hub.catalog.commits import describe_head
from hub.catalog.errors import BeingProven
from hub.catalog.holdings import weigh
from hub.catalog.lookups import locate_in
from hub.catalog.models import CommitRecord, Ref, Repo, RepoBlob
from hub.catalog.names import RepoName
from hub.catalog.objects import FOLDER_MODE
from hub.catalog.repos import create_row

State = RepoBlob.State

_COMMITS = """
WITH RECURSIVE past(oid) AS (
  SELECT unnest(%(tips)s::varchar[]) UNION SELECT unnest(c.parents) FROM past
  JOIN catalog_commitrecord c ON c.network_id = %(old)s AND c.oid = past.oid)
SELECT oid FROM past"""
_TREES = f"""
WITH RECURSIVE reached(oid) AS (
  SELECT tree FROM catalog_commitrecord WHERE network_id = %(old)s AND oid = ANY(%(commits)s)
  UNION SELECT t.oid FROM reached JOIN catalog_treerow t ON t.network_id = %(old)s AND t.tree = reached.oid
  WHERE t.mode = {FOLDER_MODE})
SELECT oid FROM reached"""

# In this order: a commit names its card, and an object is reached through a commit or a tree's row.
_COPIES = (
    """INSERT INTO catalog_card (network_id, oid, data, warnings)
    SELECT %(new)s, oid, data, warnings FROM catalog_card WHERE id IN (
      SELECT card_id FROM catalog_commitrecord WHERE network_id = %(old)s AND oid = ANY(%(commits)s))""",
    """INSERT INTO catalog_commitrecord (network_id, oid, tree, parents, depth, author_id, author_name, created_at,
      title, message, card_id, facts, terms)
    SELECT %(new)s, c.oid, c.tree, c.parents, c.depth, c.author_id, c.author_name, c.created_at,
      c.title, c.message, mine.id, c.facts, c.terms FROM catalog_commitrecord c
    LEFT JOIN catalog_card theirs ON theirs.id = c.card_id
    LEFT JOIN catalog_card mine ON mine.network_id = %(new)s AND mine.oid = theirs.oid
    WHERE c.network_id = %(old)s AND c.oid = ANY(%(commits)s)""",
    """INSERT INTO catalog_treerow (network_id, tree, name, mode, oid, size, sha256, pointer_size)
    SELECT %(new)s, tree, name, mode, oid, size, sha256, pointer_size FROM catalog_treerow
    WHERE network_id = %(old)s AND tree = ANY(%(trees)s)""",
    """INSERT INTO catalog_gitobject (network_id, oid, type, size, data, key, created_at)
    SELECT %(new)s, oid, type, size, data, key, now() FROM catalog_gitobject WHERE network_id = %(old)s
    AND (oid = ANY(%(commits)s) OR oid = ANY(%(trees)s)
      OR oid IN (SELECT oid FROM catalog_treerow WHERE network_id = %(new)s))""",
    """INSERT INTO catalog_pathchange (network_id, commit, path)
    SELECT %(new)s, commit, path FROM catalog_pathchange WHERE network_id = %(old)s AND commit = ANY(%(commits)s)""",
    """INSERT INTO catalog_repoblob (repo_id, sha256, size, state, problem, blob_id, created_by_id, created_at,
      settled_at)
    SELECT %(repo)s, sha256, size, state, problem, blob_id, %(user)s, now(), now() FROM catalog_repoblob
    WHERE repo_id = %(source)s AND state = 'proven' AND NOT sha256 = ANY(%(withheld)s)
    AND sha256 IN (SELECT sha256 FROM catalog_treerow WHERE network_id = %(new)s)""",
)


@transaction.atomic
def duplicate(viewer: Viewer, source: Repo, *, to: RepoName, private: bool | None = None) -> Repo:
    """Make a repo with the branches and tags of another one that the viewer may pull; what is held stays behind.

    ``private=None`` follows the source, and so does the gate.  Raises what `create_repo` raises, AccessRestricted, and
    BeingProven while files of the source are: their proof would reach the source alone.
    """
    access.require_pull(viewer, source)
    if source.blobs.filter(state=State.PROVING).exists():
        raise BeingProven("Files of this repository are still being proven. Duplicate it when they are.")
    repo = create_row(viewer, name=to, private=source.private if private is None else private)
    named = source.refs.filter(name__startswith=refs.BRANCH) | source.refs.filter(name__startswith=refs.TAG)
    tips = [ref for ref in named if reviewed.may_pull_at(viewer, locate_in(source, ref.oid))]
    quotas.lock(repo.namespace)
    _copy(viewer, source, repo, [ref.oid for ref in tips])
    Ref.objects.bulk_create(Ref(repo=repo, name=ref.name, oid=ref.oid, message=ref.message) for ref in tips)
    Repo.objects.filter(pk=repo.pk).update(gated=source.gated, parameters=source.parameters)
    head = next(ref.oid for ref in tips if ref.name == refs.MAIN)
    describe_head(repo, CommitRecord.objects.select_related("card").get(network=repo.network_id, oid=head))
    weigh(repo)
    quotas.require_kept(repo.namespace)
    clearances.ask(repo)
    return repo


def _copy(viewer: Viewer, source: Repo, repo: Repo, tips: list[str]) -> None:
    values: dict[str, Any] = {
        "old": source.network_id, "new": repo.network_id, "source": source.pk, "repo": repo.pk, "tips": tips,
        "user": viewer.user.pk if viewer.user else None,
        "withheld": list(reviewed.withheld(viewer, source, list(source.blobs.values_list("sha256", flat=True)))),
    }  # fmt: skip
    with connection.cursor() as cursor:
        for name, sql in (("commits", _COMMITS), ("trees", _TREES)):
            cursor.execute(sql, values)
            values[name] = [row[0] for row in cursor.fetchall()]
        for sql in _COPIES:
            cursor.execute(sql, values)
