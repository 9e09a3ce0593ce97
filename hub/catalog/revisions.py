"""What a revision means in a repo: the one query that nearly every request begins with.

The SQL is put together from constants of this file; every value travels as a parameter.
"""

# ruff: noqa: S608

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from hub.accounts.models import Namespace
from hub.catalog.access import Rights
from hub.catalog.models import Repo
from hub.catalog.names import RepoName, candidate_refs, is_oid_prefix
from hub.rows import Columns

SHORT_OID = 7
OID = 40

_REPO = Columns(Repo, "r")
_NAMESPACE = Columns(Namespace, "n")
# 'refs/heads/x' sorts before 'refs/tags/x', so a branch wins over a tag of the same name.
_BY_REF = "(SELECT oid FROM catalog_ref WHERE repo_id = r.id AND name = ANY(%s) ORDER BY name LIMIT 1)"
_BY_OID = "(SELECT oid FROM catalog_commitrecord WHERE network_id = r.network_id AND oid = %s)"
_BY_PREFIX = (
    # A beginning that two commits share means neither of them, as in git.
    "(SELECT CASE WHEN count(*) = 1 THEN min(oid) END FROM (SELECT oid FROM catalog_commitrecord"
    " WHERE network_id = r.network_id AND oid LIKE %s LIMIT 2) AS found)"
)
BY_KEY = "r.type = %s AND r.key = %s"
BY_ID = "r.id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Located:
    """A repo at one commit.  The card and the facts stay text until somebody reads them."""

    repo: Repo
    revision: str
    commit: str
    tree: str
    created_at: datetime
    card_text: str | None
    facts_text: str
    # What ties the viewer to the repo, where admitting them needed it.
    rights: Rights | None = None

    @property
    def card(self) -> dict[str, Any]:
        """What the front matter of the README says."""
        found: dict[str, Any] = json.loads(self.card_text or "{}")
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """What inspections of the files add up to."""
        found: dict[str, Any] = json.loads(self.facts_text)
        return found


Found = tuple[Repo, Located | None]


@functools.cache
def _sql(where: str, meanings: tuple[str, ...]) -> str:
    return (
        f"SELECT c.oid, c.tree, c.created_at, k.data::text, c.facts::text, {_NAMESPACE.sql}, {_REPO.sql}"
        " FROM catalog_repo r JOIN accounts_namespace n ON n.id = r.namespace_id"
        " LEFT JOIN catalog_commitrecord c"
        f" ON c.network_id = r.network_id AND c.oid = COALESCE({', '.join(meanings)})"
        f" LEFT JOIN catalog_card k ON k.id = c.card_id WHERE {where}"
    )


def _find(where: str, values: Sequence[str | list[UUID]], revision: str) -> list[Found]:
    """Return the repos, each with the commit that ``revision`` means in it: a branch before a tag before an id."""
    meanings: dict[str, str | list[str]] = {_BY_REF: candidate_refs(revision)}
    if len(revision) == OID and is_oid_prefix(revision):
        meanings[_BY_OID] = revision
    elif len(revision) >= SHORT_OID and is_oid_prefix(revision):
        meanings[_BY_PREFIX] = revision + "%"
    with connection.cursor() as cursor:
        cursor.execute(_sql(where, tuple(meanings)), [*meanings.values(), *values])
        return [_read(row, revision) for row in cursor.fetchall()]


def _read(row: Sequence[Any], revision: str) -> Found:
    commit, tree, created_at, card, facts = row[:5]
    split = 5 + len(_NAMESPACE)
    repo = _REPO.read(row[split:])
    repo.namespace = _NAMESPACE.read(row[5:split])
    return repo, Located(repo, revision, commit, tree, created_at, card, facts) if commit else None


def find_named(name: RepoName, revision: str) -> Found | None:
    """Return the repo of a name and its commit at a revision, each None where there is none.  Asks no gate."""
    found = _find(BY_KEY, [name.type, name.key], revision)
    return found[0] if found else None


def find_all(repos: Sequence[UUID], revision: str) -> dict[UUID, Located]:
    """Return these repos at a revision, without those that do not have it, in one query.  Asks no gate."""
    found = _find(BY_ID, [list(repos)], revision)
    return {repo.pk: at for repo, at in found if at is not None}
