"""Counting what namespaces hold, for their quotas.

Every distinct large file counts once with its size, however it lies in the store and whoever else holds it, so that
nobody learns of others by what their own files cost.  To that come files on their way in, small files, chunks that
were sent lately and make no file yet, and whatever chunks take beyond the files that they make.
"""

# ruff: noqa: S608  The SQL is put together from constants of this file; every value travels as a parameter.

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection

from hub.accounts.models import Namespace, Token

# Held, sent, or registered in chunks: an upload's sender and a recipe's owner begin with the id of the repo.
_FILES = """
  SELECT r.namespace_id AS space, b.sha256, b.size
    FROM catalog_repoblob b JOIN catalog_repo r ON r.id = b.repo_id WHERE b.state <> 'rejected' AND {here}
  UNION ALL SELECT r.namespace_id, u.sha256, u.size
    FROM storage_upload u JOIN catalog_repo r ON r.id::text = split_part(u.owner, ':', 1)
    WHERE u.state IN ('open', 'stored') AND {here}
  UNION ALL SELECT r.namespace_id, p.sha256, p.size
    FROM storage_recipe p JOIN catalog_repo r ON r.id::text = p.owner WHERE p.state = 'proving' AND {here}"""
_LARGE = f"""
  SELECT space, sum(size)::bigint FROM
    (SELECT space, sha256, max(size) AS size FROM ({_FILES}) files GROUP BY 1, 2) distinct_files GROUP BY 1"""
_SMALL = """
  SELECT r.namespace_id, sum(o.size)::bigint
    FROM catalog_gitobject o JOIN catalog_repo r ON r.network_id = o.network_id WHERE {here} GROUP BY 1"""
# Chunks by domain: what files need, and what was sent lately and no file needs.
_CHUNKS = """
  SELECT domain, coalesce(sum(stored_size) FILTER (WHERE needed), 0)::bigint,
    coalesce(sum(stored_size) FILTER
      (WHERE NOT needed AND created_at > now() - make_interval(hours => %(grace)s)), 0)::bigint
  FROM (SELECT x.domain, x.stored_size, x.created_at,
    EXISTS (SELECT 1 FROM storage_recipexorb n WHERE n.xorb_id = x.id) AS needed
    FROM storage_xorb x WHERE {there}) chunks GROUP BY 1"""
_MADE = "SELECT x.domain, sum(x.size)::bigint FROM storage_recipe x WHERE {there} GROUP BY 1"
_ONE = {"here": "r.namespace_id = %(space)s", "there": "x.domain = ANY(%(domains)s)"}
_ALL = dict.fromkeys(_ONE, "true")


def of(space: int, *, with_loose: bool = True) -> int:
    """Return the bytes that one namespace holds; chunks that make no file yet are left out where that is said."""
    files: int = sum(size for part in (_LARGE, _SMALL) for _, size in _rows(part, _ONE, {"space": space}))
    chunks = _chunks(_domains_of(space)).values()
    return files + sum(beyond + (loose if with_loose else 0) for beyond, loose in chunks)


def of_all() -> dict[int, int]:
    """Return the bytes of every namespace that holds any."""
    sums: Counter[int] = Counter()
    for part in (_LARGE, _SMALL):
        sums.update(dict(_rows(part, _ALL, {})))
    for domain, (beyond, loose) in _chunks(None).items():
        space = _space_of(domain) if beyond + loose else None
        if space is not None:
            sums[space] += beyond + loose
    return dict(sums)


def loose_in(domain: str) -> int:
    """Return the bytes of chunks that were sent into a domain lately and make no file yet."""
    return sum(loose for _, loose in _chunks([domain]).values())


def proposed_by(user: int, *, home: Collection[int]) -> int:
    """Return the bytes of large files that a user has sent to repos of other namespaces than those named."""
    sql = """
      SELECT coalesce(sum(size), 0)::bigint FROM (SELECT sha256, max(size) AS size FROM (
        SELECT b.sha256, b.size FROM catalog_repoblob b JOIN catalog_repo r ON r.id = b.repo_id
          WHERE b.created_by_id = %(user)s AND b.state <> 'rejected' AND r.namespace_id <> ALL(%(home)s)
        UNION ALL SELECT u.sha256, u.size
          FROM storage_upload u JOIN catalog_repo r ON r.id::text = split_part(u.owner, ':', 1)
          WHERE u.state IN ('open', 'stored') AND split_part(u.owner, ':', 2) = %(user)s::text
          AND r.namespace_id <> ALL(%(home)s)) sent GROUP BY 1) files"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"user": user, "home": list(home)})
        return int(cursor.fetchone()[0])


def _rows(sql: str, where: dict[str, str], values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**where), values)
        return list(cursor.fetchall())


def _chunks(domains: list[str] | None) -> dict[str, tuple[int, int]]:
    """Return, by domain, what its chunks take beyond the files that they make, and what makes no file yet."""
    where, values = (
        (_ALL if domains is None else _ONE),
        {"domains": domains, "grace": settings.HUB_UPLOAD_GRACE_HOURS},
    )
    made = dict(_rows(_MADE, where, values))
    return {
        domain: (max(needed - made.get(domain, 0), 0), loose)
        for domain, needed, loose in _rows(_CHUNKS, where, values)
    }


def _domains_of(space: int) -> list[str]:
    """Return the domains whose chunks are a namespace's matter: its own, and those of its user and their tokens."""
    user = Namespace.objects.get(pk=space).user_id
    if user is None:
        return [str(space)]
    narrowed = Token.objects.filter(user=user, kind=Token.Kind.FINE_GRAINED).values_list("pk", flat=True)
    return [str(space), f"u{user}", *(f"t{pk}" for pk in narrowed)]


def _space_of(domain: str) -> int | None:
    """Return the namespace whose matter the chunks of a domain are; None where it is gone."""
    kind, number = domain[:1], domain[1:]
    if domain.isdecimal():
        return Namespace.objects.filter(pk=int(domain)).values_list("pk", flat=True).first()
    if kind not in "tu" or not number.isdecimal():
        return None
    whose = {"user": int(number)} if kind == "u" else {"user__tokens": int(number)}
    return Namespace.objects.filter(**whose).values_list("pk", flat=True).first()


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
