"""How often each repo was pulled, in one array, so that thousands of hits are put in order without reading their rows.

Repos are numbered by their rows in `RepoText`.  Where they are many, a worker writes the array each minute; what is
newer than it is asked of the database.
"""

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from hub.catalog.models import RepoText

# Up to here the rows themselves are read.
MANY = 2_000
# Should the worker be away, what it wrote is not kept for longer.
KEPT_SECONDS = 300
# What the array holds for a number that is nobody's; more pulls than fit beside it are as many as fit.
_UNKNOWN = 2**32 - 1
_STAMP, _NAME = "pulls:stamp", "pulls"

_PULLS = """
SELECT array_agg(t.id), array_agg(r.downloads) FROM catalog_repotext t JOIN catalog_repo r ON r.id = t.repo_id
"""


def pulls_of(numbers: Sequence[int]) -> dict[int, int]:
    """Return how often these repos were pulled, as far as the last minute knows."""
    known = _kept()
    found = {number: known[number] if number < len(known) else _UNKNOWN for number in numbers}
    unknown = [number for number, pulls in found.items() if pulls == _UNKNOWN]
    if unknown:
        with connection.cursor() as cursor:
            cursor.execute(f"{_PULLS} WHERE t.id = ANY(%s)", [unknown])
            ids, pulls = cursor.fetchone()
        found |= dict(zip(ids or (), pulls or (), strict=True))
    return found


def refresh() -> None:
    """Write the array anew, where there are many repos."""
    if len(RepoText.objects.values_list("pk")[: MANY + 1]) <= MANY:
        cache.delete_many([_STAMP, _NAME])
        return
    with connection.cursor() as cursor:
        cursor.execute(_PULLS)
        ids, pulls = cursor.fetchone()
    cache.set(_NAME, _pack(zip(ids, pulls, strict=True), max(ids)), KEPT_SECONDS)
    cache.set(_STAMP, timezone.now().isoformat(), KEPT_SECONDS)


_here: list[tuple[str, "array[int]"]] = []


def _kept() -> "array[int]":
    """Return what the worker wrote last; each process unpacks it once."""
    stamp = cache.get(_STAMP)
    if stamp is None:
        return array("I")
    if not _here or _here[0][0] != stamp:
        packed = cache.get(_NAME)
        if packed is None:
            return array("I")
        _here[:] = [(stamp, _unpack(packed))]
    return _here[0][1]


def _pack(pulls: Iterable[tuple[int, int]], last: int) -> bytes:
    table = array("I", [_UNKNOWN]) * (last + 1)
    for number, count in pulls:
        table[number] = min(count, _UNKNOWN - 1)
    if sys.byteorder == "big":
        table.byteswap()
    return zlib.compress(table.tobytes(), 1)


def _unpack(packed: bytes) -> "array[int]":
    table = array("I")
    table.frombytes(zlib.decompress(packed))
    if sys.byteorder == "big":
        table.byteswap()
    return table
