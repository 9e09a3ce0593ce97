"""What a worker counts for every process: kept in the cache, and unpacked once by each process.

It counts each minute in which something was written.  Lists among many repos live by it; where they are few, and should
the worker be away, there is nothing here.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from hub.catalog.models import Repo, RepoText

# Up to so many repos nothing is kept, and the rows themselves are read for each reader.
MANY = 2_000
KEPT_SECONDS = 300
# For so long what was counted stands for what nobody writes to; then it is counted again, before it lapses.
UNCHANGED_SECONDS = 200
_SEEN = "minutely:writes"
_WRITES = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables WHERE relname = ANY(%s)
"""
T = TypeVar("T")

_here: dict[str, tuple[str, Any]] = {}


def recount(*ways: Callable[[], None]) -> None:
    """Count anew in all these ways, unless nothing was written that they count: on a large hub it takes seconds.

    The database tells of writes a few seconds later, so what is missed in one minute is counted in the next.
    """
    writes = _writes()
    if cache.get(_SEEN) == writes:
        return
    for way in ways:
        way()
    cache.set(_SEEN, writes, UNCHANGED_SECONDS)


def _writes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_WRITES, [[Repo._meta.db_table, RepoText._meta.db_table]])
        return int(cursor.fetchone()[0])


def keep(name: str, packed: bytes) -> None:
    """Give something to every process."""
    cache.set(name, packed, KEPT_SECONDS)
    cache.set(_stamp(name), timezone.now().isoformat(), KEPT_SECONDS)


def forget(name: str) -> None:
    """Take it back."""
    cache.delete_many([name, _stamp(name)])


def kept(name: str, unpack: Callable[[bytes], T]) -> T | None:
    """Return what was kept last under a name, None where there is nothing."""
    stamp = cache.get(_stamp(name))
    if stamp is None:
        return None
    if _here.get(name, ("",))[0] != stamp:
        packed = cache.get(name)
        if packed is None:
            return None
        _here[name] = stamp, unpack(packed)
    found: T = _here[name][1]
    return found


def _stamp(name: str) -> str:
    return f"{name}:stamp"
