"""How many repos fit, and how many would with one more wish: for lists that are narrowed step by step.

Everything that lists count by stands in one column, `Repo.facets`.  The repos of a hub fall into few distinct ones, so
the database counts those, in an index alone, and the rest is arithmetic.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, search
from hub.catalog.models import Repo
from hub.catalog.models.repos import FACET_SEPARATOR, USES
from hub.catalog.search import Query

# A search by words is counted up to here, so that a word that stands in every name costs no more than another.
MAX_COUNTED = 10_000
# Where so many repos are public, what they come to is kept for a moment.
MANY, KEPT_SECONDS, MAX_SUMS = 5_000, 15.0, 500
USERS_STEPS = (10_000, 1_000_000, 100_000_000, 1_000_000_000)
NAMES = ("task", "library", "license", "uses", "users", "openness")

Values = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """``total`` repos fit; ``values`` says how many would with each value of a facet; ``exact`` where all were seen."""

    total: int
    values: Mapping[str, Values]
    exact: bool = True

    def top(self, name: str, most: int) -> list[tuple[str, int]]:
        """Return the commonest values of a facet, equals by name."""
        return sorted(self.values[name].items(), key=lambda pair: (-pair[1], pair[0]))[:most]


@dataclass(frozen=True, slots=True)
class _Bucket:
    """All repos with the same facets.  ``users`` is the limit, as in `Repo.users_limit`."""

    task: str
    library: str
    license: str
    uses: int
    openness: int
    users: int | None
    count: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was counted, when, and what it came to for wishes that others had meanwhile."""

    at: float
    buckets: Sequence[_Bucket]
    sums: dict[tuple[object, ...], Counts]


_kept: dict[str, _Kept] = {}


def counts(viewer: Viewer, query: Query) -> Counts:
    """Count what fits a query among the repos that the viewer may know of."""
    wide = replace(
        query, tags=tuple(query.tags), task="", library="", license="", uses=(), users=None, openness=None
    )
    public, all_seen = _public(viewer, wide)
    private, private_seen = _private(viewer, wide)
    kept = _kept.get(wide.type)
    if kept is None or public is not kept.buckets or private:
        return _add_up([*public, *private], query, all_seen and private_seen)
    wish = (query.task, query.library, query.license, tuple(query.uses), query.users, query.openness)
    if wish not in kept.sums and len(kept.sums) < MAX_SUMS:
        kept.sums[wish] = _add_up(public, query, True)
    return kept.sums.get(wish) or _add_up(public, query, True)


def _public(viewer: Viewer, wide: Query) -> tuple[Sequence[_Bucket], bool]:
    repos = search.narrowed(search.public_repos(viewer, wide.type), wide)
    if wide != Query(type=wide.type, sort=wide.sort):
        return _capped(repos)
    if repos.query.is_empty():
        return (), True
    kept = _kept.get(wide.type)
    if kept is not None and time.monotonic() - kept.at <= KEPT_SECONDS:
        return kept.buckets, True
    buckets = _grouped(repos)
    if sum(bucket.count for bucket in buckets) >= MANY:
        _kept[wide.type] = _Kept(time.monotonic(), buckets, {})
    else:
        _kept.pop(wide.type, None)
    return buckets, True


def _private(viewer: Viewer, wide: Query) -> tuple[Sequence[_Bucket], bool]:
    if viewer.user is None:
        return (), True
    repos = access.visible_repos(viewer, wide.type).filter(private=True)
    return _capped(search.narrowed(repos, wide))


def _grouped(repos: QuerySet[Repo]) -> Sequence[_Bucket]:
    found = repos.order_by().values_list("facets").annotate(number=Count("*"))
    return [_bucket(text, number) for text, number in found]


def _capped(repos: QuerySet[Repo]) -> tuple[Sequence[_Bucket], bool]:
    seen = list(repos.order_by().values_list("facets", flat=True)[: MAX_COUNTED + 1])
    buckets = [_bucket(text, number) for text, number in Counter(seen[:MAX_COUNTED]).items()]
    return buckets, len(seen) <= MAX_COUNTED


def _bucket(text: str, number: int) -> _Bucket:
    task, library, license_, uses, openness, limit = text.split(FACET_SEPARATOR)
    return _Bucket(task, library, license_, int(uses), int(openness), int(limit) if limit else None, number)


def _add_up(buckets: Iterable[_Bucket], query: Query, exact: bool) -> Counts:
    """A bucket that fails one facet's wish alone still counts for the other values of that facet."""
    bits = sum(1 << USES.index(use) for use in query.uses)
    found: dict[str, Counter[Any]] = {name: Counter() for name in NAMES}
    total = 0
    for one in buckets:
        failed = _failed(one, query)
        # Uses add up: a model that lacks one of those wished for is not counted for another.
        if len(failed) > 1 or one.uses & bits != bits:
            continue
        if not failed:
            total += one.count
        for name in failed or NAMES:
            found[name][getattr(one, name)] += one.count
    values: dict[str, Values] = {name: _without_blank(found[name]) for name in ("task", "library", "license")}
    return Counts(total, {**values, **_steps(found["uses"], found["users"], found["openness"])}, exact)


def _without_blank(counter: Counter[str]) -> Values:
    return {value: count for value, count in counter.items() if value}


def _steps(uses: Counter[int], limits: Counter[int | None], rungs: Counter[int]) -> Mapping[str, Values]:
    """Return how many allow each use, take each number of users, and stand on each rung or above."""
    tables: dict[str, Counter[str]] = {"use": Counter(), "users": Counter(), "openness": Counter()}
    for allowed, count in uses.items():
        tables["use"].update({use: count for bit, use in enumerate(USES) if allowed & 1 << bit})
    for limit, count in limits.items():
        tables["users"].update({str(step): count for step in USERS_STEPS if _fits(limit, step)})
    for reached, count in rungs.items():
        tables["openness"].update({str(rung): count for rung in range(1, reached + 1)})
    return tables


def _failed(one: _Bucket, query: Query) -> list[str]:
    failed = [
        name
        for name, wanted, value in (
            ("task", query.task, one.task),
            ("library", query.library, one.library),
            ("license", query.license, one.license),
        )
        if wanted and wanted != value
    ]
    if query.users is not None and not _fits(one.users, query.users):
        failed.append("users")
    if query.openness is not None and one.openness < query.openness:
        failed.append("openness")
    return failed


def _fits(limit: int | None, users: int) -> bool:
    return limit is None or limit > users
