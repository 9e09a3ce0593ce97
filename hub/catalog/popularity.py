"""How often each repo was pulled, in one array, so that thousands of hits are put in order without reading their rows.

Repos are numbered by their rows in `RepoText`.  Where they are many, a worker writes the array each minute; what is
newer than it is asked of the database.
"""

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence

from django.db import connection

from hub.catalog import minutely
from hub.catalog.minutely import MANY
from hub.catalog.models import RepoText

# What the array holds for a number that is nobody's; more pulls than fit beside it are as many as fit.
_UNKNOWN = 2**32 - 1
_NAME = "pulls"

_PULLS = """
SELECT array_agg(t.id), array_agg(r.downloads) FROM catalog_repotext t JOIN catalog_repo r ON r.id = t.repo_id
"""


def pulls_of(numbers: Sequence[int]) -> dict[int, int]:
    """Return how often these repos were pulled, as far as was counted last."""
    known = minutely.kept(_NAME, _unpack) or array("I")
    found = {number: known[number] if number < len(known) else _UNKNOWN for number in numbers}
    unknown = [number for number, pulls in found.items() if pulls == _UNKNOWN]
    if unknown:
        with connection.cursor() as cursor:
            cursor.execute(f"{_PULLS} WHERE t.id = ANY(%s)", [unknown])
            ids, pulls = cursor.fetchone()
        # What has gone meanwhile was pulled by nobody.
        found |= dict.fromkeys(unknown, 0) | dict(zip(ids or (), pulls or (), strict=True))
    return found


def refresh() -> None:
    """Write the array anew, where there are many repos."""
    if len(RepoText.objects.values_list("pk")[: MANY + 1]) <= MANY:
        minutely.forget(_NAME)
        return
    with connection.cursor() as cursor:
        cursor.execute(_PULLS)
        ids, pulls = cursor.fetchone()
    minutely.keep(_NAME, _pack(zip(ids, pulls, strict=True), max(ids)))


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
