"""Reading trees through their rows.

The SQL here is put together from constants of this file; every value travels as a parameter.
"""

# ruff: noqa: S608

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from hub.catalog.errors import EntryNotFound
from hub.catalog.models import Repo
from hub.catalog.names import FilePath
from hub.catalog.objects import FOLDER_MODE
from storage.recipes import ONLY_BY_CHUNKS

_FIELDS = "{t}.mode, {t}.oid, {t}.size, {t}.sha256, {t}.pointer_size"
# What a repo's claim tells, and how the file is called where it can be put together from chunks: `recipes.find` says
# when those of another domain will do.
_CLAIM = (
    "b.state, b.problem, (SELECT r.file_hash FROM storage_form f JOIN storage_recipe r ON r.id = f.recipe_id"
    " JOIN catalog_repo o ON o.id = b.repo_id"
    " WHERE f.blob_id = b.blob_id AND f.state = 'ok' AND b.state = 'proven'"
    f" AND (r.domain = o.namespace_id::text OR b.size > {ONLY_BY_CHUNKS} OR NOT EXISTS (SELECT FROM storage_form p"
    " WHERE p.blob_id = b.blob_id AND p.kind = 'plain' AND p.state = 'ok'))"
    " ORDER BY r.domain <> o.namespace_id::text, r.id LIMIT 1)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder at a commit.  ``state`` and ``problem`` tell how far a large file's bytes are proven.

    ``xet_hash`` names a file that clients may fetch by chunks.
    """

    path: str
    mode: int
    oid: str
    size: int
    sha256: str
    pointer_size: int
    state: str | None = None
    problem: str | None = None
    xet_hash: str | None = None

    @property
    def is_folder(self) -> bool:
        return self.mode == FOLDER_MODE

    @property
    def is_large(self) -> bool:
        """True where git holds a pointer and the bytes lie in the store."""
        return self.sha256 != ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def etag(self) -> str:
        """The content's own hash: clients name cache files by it."""
        return self.sha256 or self.oid


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What a commit puts at a path."""

    mode: int
    oid: str
    size: int
    sha256: str = ""
    pointer_size: int = 0


_ENTRIES_AT = (
    "WITH RECURSIVE asked(number, parts) AS ("
    "SELECT number, string_to_array(path, '/') FROM unnest(%(paths)s::text[]) WITH ORDINALITY p(path, number)),"
    " w(number, parts, depth, mode, oid, size, sha256, pointer_size) AS ("
    f"SELECT a.number, a.parts, 1, {_FIELDS.format(t='t')} FROM asked a JOIN catalog_treerow t"
    " ON t.network_id = %(network)s AND t.tree = %(tree)s AND t.name = a.parts[1]"
    f" UNION ALL SELECT w.number, w.parts, w.depth + 1, {_FIELDS.format(t='t')} FROM w JOIN catalog_treerow t"
    " ON t.network_id = %(network)s AND t.tree = w.oid AND t.name = w.parts[w.depth + 1]"
    f" WHERE w.mode = {FOLDER_MODE})"
    f" SELECT w.number, w.mode, w.oid, w.size, w.sha256, w.pointer_size, {_CLAIM} FROM w"
    " LEFT JOIN catalog_repoblob b ON w.sha256 <> '' AND b.repo_id = %(repo)s AND b.sha256 = w.sha256"
    " WHERE w.depth = cardinality(w.parts)"
)


def entries_at(repo: Repo, tree: str, paths: Sequence[FilePath]) -> dict[FilePath, Entry]:
    """Return what stands at each path below the root ``tree``, in one query whatever their number and depth.

    The query walks down step by step instead of joining the table with itself once per folder: planning such a join
    takes longer than answering it.
    """
    values: dict[str, Any] = {
        "network": repo.network_id,
        "tree": tree,
        "repo": repo.pk,
        "paths": [str(path) for path in paths],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES_AT, values)
        rows = cursor.fetchall()
    return {paths[number - 1]: Entry(str(paths[number - 1]), *row) for number, *row in rows}


def entry_at(repo: Repo, tree: str, path: FilePath) -> Entry | None:
    """Return what stands at ``path`` below the root ``tree``, in one query whatever the depth."""
    if len(path.parts) > _SHALLOW:
        return entries_at(repo, tree, [path]).get(path)
    values: list[Any] = [*path.parts[1:], repo.pk, repo.network_id, tree, path.parts[0]]
    with connection.cursor() as cursor:
        cursor.execute(_joined(len(path.parts) - 1), values)
        row = cursor.fetchone()
    return Entry(str(path), *row) if row else None


# Nearly all files lie so near the root, and a short join is a third faster than walking down.
_SHALLOW = 3


@functools.cache
def _joined(last: int) -> str:
    joins = "".join(
        f" JOIN catalog_treerow t{i} ON t{i}.network_id = t0.network_id AND t{i}.tree = t{i - 1}.oid AND t{i}.name = %s"
        for i in range(1, last + 1)
    )
    return (
        f"SELECT {_FIELDS.format(t=f't{last}')}, {_CLAIM} FROM catalog_treerow t0{joins}"
        f" LEFT JOIN catalog_repoblob b ON b.repo_id = %s AND b.sha256 = t{last}.sha256"
        " WHERE t0.network_id = %s AND t0.tree = %s AND t0.name = %s"
    )


def folder_tree(repo: Repo, tree: str, path: FilePath | None) -> str:
    """Return the tree id of a folder (of the root for None); raises EntryNotFound."""
    if path is None:
        return tree
    entry = entry_at(repo, tree, path)
    if entry is None or not entry.is_folder:
        raise EntryNotFound(f"{str(path)!r} is not a folder in this revision")
    return entry.oid


def list_folder(
    repo: Repo, tree: str, prefix: str = "", *, after: str = "", limit: int = 1000
) -> list[Entry]:
    """Return the entries directly in a folder, by name, beginning after ``after``."""
    return _walk(repo, tree, prefix, after, limit, deep=False)


def walk(
    repo: Repo, tree: str, prefix: str = "", *, after: str = "", limit: int | None = None
) -> list[Entry]:
    """Return every entry below a folder, folders included, by path, beginning after ``after``."""
    return _walk(repo, tree, prefix, after, limit, deep=True)


def _walk(repo: Repo, tree: str, prefix: str, after: str, limit: int | None, *, deep: bool) -> list[Entry]:
    step = (
        "UNION ALL SELECT w.path || '/' || t.name, "
        + _FIELDS.format(t="t")
        + " FROM w JOIN catalog_treerow t"
        f" ON t.network_id = %(network)s AND t.tree = w.oid WHERE w.mode = {FOLDER_MODE}"
    )
    sql = (
        "WITH RECURSIVE w(path, mode, oid, size, sha256, pointer_size) AS ("
        f"SELECT %(prefix)s || t.name, {_FIELDS.format(t='t')} FROM catalog_treerow t"
        f" WHERE t.network_id = %(network)s AND t.tree = %(tree)s {step if deep else ''})"
        f" SELECT w.*, {_CLAIM} FROM w LEFT JOIN catalog_repoblob b"
        " ON w.sha256 <> '' AND b.repo_id = %(repo)s AND b.sha256 = w.sha256"
        ' WHERE w.path > %(after)s COLLATE "C" ORDER BY w.path COLLATE "C" LIMIT %(limit)s'
    )
    values: dict[str, Any] = {
        "network": repo.network_id, "tree": tree, "prefix": prefix + "/" if prefix else "", "repo": repo.pk,
        "after": after, "limit": limit,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [Entry(*row) for row in cursor.fetchall()]


def find_files(repo: Repo, tree: str, words: Sequence[str], *, limit: int) -> list[Entry]:
    """Return files below a root whose paths hold each of these words, in any case, the shortest names first.

    How far a large file is proven is not told.
    """
    match = " AND ".join("strpos(lower(path), lower(%s)) > 0" for _ in words) or "true"
    sql = (
        "WITH RECURSIVE w(path, mode, oid, size, sha256, pointer_size) AS ("
        f"SELECT t.name::text, {_FIELDS.format(t='t')} FROM catalog_treerow t WHERE t.network_id = %s AND t.tree = %s"
        f" UNION ALL SELECT w.path || '/' || t.name, {_FIELDS.format(t='t')} FROM w JOIN catalog_treerow t"
        f" ON t.network_id = %s AND t.tree = w.oid WHERE w.mode = {FOLDER_MODE})"
        f" SELECT * FROM w WHERE mode <> {FOLDER_MODE} AND {match}"
        ' ORDER BY length(path), path COLLATE "C" LIMIT %s'
    )
    network = repo.network_id
    with connection.cursor() as cursor:
        cursor.execute(sql, [network, tree, network, *words, limit])
        return [Entry(*row) for row in cursor.fetchall()]


def files(repo: Repo, tree: str) -> Iterator[Entry]:
    """Yield every file (no folders) below the root ``tree``."""
    return (entry for entry in walk(repo, tree) if not entry.is_folder)


def suffixes(repo: Repo, tree: str) -> set[str]:
    """Return the lower-cased suffixes (``safetensors``) of all files below the root, counted where they lie."""
    sql = (
        "WITH RECURSIVE w(name, mode, oid) AS (SELECT name, mode, oid FROM catalog_treerow"
        " WHERE network_id = %(network)s AND tree = %(tree)s UNION"
        " SELECT t.name, t.mode, t.oid FROM w JOIN catalog_treerow t ON t.network_id = %(network)s AND t.tree = w.oid"
        f" WHERE w.mode = {FOLDER_MODE})"
        r" SELECT DISTINCT lower(substring(name from '\.([A-Za-z0-9]+)$')) FROM w"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"network": repo.network_id, "tree": tree})
        return {row[0] for row in cursor.fetchall() if row[0]}
