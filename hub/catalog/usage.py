"""Counting what namespaces hold, for their quotas.

Every distinct large file counts once with its size, however it lies in the store and whoever else holds it, so that
nobody learns of others by what their own files cost.  To that come files on their way in, small files, chunks that
were sent lately and make no file yet, and whatever chunks take beyond the files that they make.
"""

# ruff: noqa: S608  The SQL is put together from constants of this file; every value travels as a parameter.

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection

# Held, sent, or registered in chunks: an upload's sender and a recipe's owner begin with the id of the repo.
_FILES = """
  SELECT r.namespace_id AS space, b.sha256, b.size
    FROM catalog_repoblob b JOIN catalog_repo r ON r.id = b.repo_id WHERE b.state <> 'rejected' AND {here}
  UNION ALL SELECT r.namespace_id, u.sha256, u.size
    FROM storage_upload u JOIN catalog_repo r ON r.id::text = split_part(u.owner, ':', 1)
    WHERE u.state IN ('open', 'stored') AND {here}
  UNION ALL SELECT r.namespace_id, p.sha256, p.size
    FROM storage_recipe p JOIN catalog_repo r ON r.id::text = p.owner WHERE p.state = 'proving' AND {here}"""
_SMALL = """
  SELECT r.namespace_id AS space, sum(o.size) AS bytes
    FROM catalog_gitobject o JOIN catalog_repo r ON r.network_id = o.network_id WHERE {here} GROUP BY 1"""
# A domain is a namespace, or that of a user ("u7") or a token ("t7"), whose chunks are their own namespace's matter.
_SPACE_OF = """CASE
    WHEN {domain} ~ '^[0-9]+$' THEN {domain}::bigint
    WHEN {domain} ~ '^u[0-9]+$' THEN
      (SELECT n.id FROM accounts_namespace n WHERE n.user_id = substr({domain}, 2)::bigint)
    WHEN {domain} ~ '^t[0-9]+$' THEN (SELECT n.id FROM accounts_token t JOIN accounts_namespace n
      ON n.user_id = t.user_id WHERE t.id = substr({domain}, 2)::bigint) END"""
# Chunks of a namespace's own domain are its own; others are those of the repo that registered the file.
_MADE = """
  SELECT CASE WHEN p.domain ~ '^[0-9]+$' THEN p.domain::bigint ELSE r.namespace_id END AS space, p.id, p.size
    FROM storage_recipe p LEFT JOIN catalog_repo r ON r.id::text = p.owner WHERE {made_here}"""
_BEYOND = """
  SELECT space, sum(bytes) AS bytes FROM (
    SELECT space, -size AS bytes FROM made
    UNION ALL SELECT space, x.stored_size FROM
      (SELECT DISTINCT m.space, n.xorb_id FROM made m JOIN storage_recipexorb n ON n.recipe_id = m.id) taken
      JOIN storage_xorb x ON x.id = taken.xorb_id) both_sides GROUP BY 1"""
_LOOSE = f"""
  SELECT {_SPACE_OF.format(domain="x.domain")} AS space, x.stored_size AS bytes FROM storage_xorb x
    WHERE x.created_at > now() - make_interval(hours => %(grace)s) AND {{loose_here}}
    AND NOT EXISTS (SELECT 1 FROM storage_recipexorb n WHERE n.xorb_id = x.id)"""
_SUMS = f"""
WITH files AS ({_FILES}), made AS ({_MADE}), parts AS (
  SELECT space, sum(size) AS bytes FROM
    (SELECT space, sha256, max(size) AS size FROM files GROUP BY 1, 2) distinct_files GROUP BY 1
  UNION ALL {_SMALL}
  UNION ALL SELECT space, greatest(bytes, 0) FROM ({_BEYOND}) beyond
  UNION ALL SELECT space, bytes FROM ({_LOOSE}) loose WHERE %(with_loose)s)
SELECT space, sum(bytes)::bigint FROM parts WHERE space IS NOT NULL AND {{counted}} GROUP BY 1"""
_ONE = {
    "here": "r.namespace_id = %(space)s", "counted": "space = %(space)s",
    "made_here": "(p.domain = %(domain)s OR (p.domain !~ '^[0-9]' AND r.namespace_id = %(space)s))",
    # Domains of tokens and users are few, and told apart above.
    "loose_here": "(x.domain = %(domain)s OR x.domain !~ '^[0-9]')",
}  # fmt: skip
_ALL = dict.fromkeys(_ONE, "true")


def of(space: int, *, with_loose: bool = True) -> int:
    """Return the bytes that one namespace holds; chunks that make no file yet are left out where that is said."""
    return _sums(_ONE, space=space, domain=str(space), with_loose=with_loose).get(space, 0)


def of_all() -> dict[int, int]:
    """Return the bytes of every namespace that holds any."""
    return _sums(_ALL, with_loose=True)


def _sums(where: dict[str, str], **values: Any) -> dict[int, int]:
    values["grace"] = settings.HUB_UPLOAD_GRACE_HOURS
    with connection.cursor() as cursor:
        cursor.execute(_SUMS.format(**where), values)
        return dict(cursor.fetchall())


def known(space: int, digests: Collection[str]) -> set[str]:
    """Return which of these files count for a namespace already."""
    sql = f"SELECT DISTINCT sha256 FROM ({_FILES.format(**_ONE)}) files WHERE sha256 = ANY(%(digests)s)"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"space": space, "digests": list(digests)})
        return {row[0] for row in cursor.fetchall()}


def sizes_held(space: int, sizes: Collection[int]) -> set[int]:
    """Return which of these sizes a file of a namespace has."""
    sql = f"SELECT DISTINCT size FROM ({_FILES.format(**_ONE)}) files WHERE size = ANY(%(sizes)s::bigint[])"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"space": space, "sizes": list(sizes)})
        return {row[0] for row in cursor.fetchall()}


def loose_in(domain: str) -> int:
    """Return the bytes of chunks that were sent into a domain lately and make no file yet."""
    sql = f"SELECT coalesce(sum(bytes), 0)::bigint FROM ({_LOOSE.format(loose_here='x.domain = %(domain)s')}) loose"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"domain": domain, "grace": settings.HUB_UPLOAD_GRACE_HOURS})
        return int(cursor.fetchone()[0])
