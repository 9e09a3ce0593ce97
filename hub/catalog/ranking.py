"""The order of what was found: the best first, or the largest by a column; in pages.

What matches best is what is called so, then what begins so, then what has the words in its name, its owner or its card.
Among equals the more popular ones come first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import facets, popularity, search, seeking, words
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo, RepoText
from hub.catalog.search import RELEVANCE, SORTS, Page, Query
from hub.catalog.seeking import FEW, MANY, Called, Hits

WHOLE_ID, WHOLE_NAME, BEGINS, WORDS_OF_NAME, IN_ID, IN_TEXT, ALIKE, REST = range(8)
# So many of those that only their texts speak for are ranked by these, the most popular ones.
MAX_WEIGHED = 100
# What is better by less than this is no reason to put the less popular one first.
_BETTER = 1.2
_PARTS = re.compile(r"[^\w.]|_")
# Where a page ended: how well the repo fits by name, by weight, its pulls, and its id; weight and pulls negated.
Key = tuple[int, int, int, UUID]
# The same with the number of the repo, or without either.
NumberKey = tuple[int, int, int, int]
Place = tuple[int, int, int]


class Hit(NamedTuple):
    """A repo that was found, and what it is ranked by."""

    number: int
    repo: UUID
    key: str
    downloads: int


_ROW = ("text__id", "pk", "key", "downloads")


def find(viewer: Viewer, query: Query, *, limit: int, cursor: str = "", found: Hits | None = None) -> Page:
    """Return one page in the order asked for; ``found`` is what `search.seek` gave for the query.

    Raises BadRequest for a bad sort or cursor.  Relevance is an order of what was typed: without that, it is trending.
    """
    column = SORTS.get(query.sort, "trending" if query.sort == RELEVANCE else "")
    if not column:
        known = ", ".join(sorted([*SORTS, RELEVANCE]))
        raise BadRequest(f"sort must be one of {known}, not {query.sort!r}.")
    if query.typed and found is None:
        found = search.seek(viewer, query, rough=True)
    if query.sort != RELEVANCE or found is None or not query.typed:
        rare = query.may_be_rare and not facets.are_many(viewer, query)
        return _by_column(search.matching(viewer, query, found), column, limit, cursor, rare=rare)
    if found.more:
        return _of_most(viewer, query, found, limit, cursor)
    if len(found.numbers) > MANY:
        return _of_many(viewer, query, found, limit, cursor)
    return _of_few(viewer, query, found, limit, cursor)


def _by_column(repos: QuerySet[Repo], column: str, limit: int, cursor: str, *, rare: bool) -> Page:
    if cursor:
        value, pk = search.read_cursor(cursor, 2)
        try:
            repos = search.behind(repos, column, value, pk)
        except (ValueError, TypeError):
            raise search.bad_cursor() from None
    found = _first_of_few(repos, column, limit + 1) if rare else None
    if found is None:
        found = list(repos.order_by(f"-{column}", "pk")[: limit + 1])
    if len(found) <= limit:
        return Page(found)
    value = getattr(found[limit - 1], column)
    shown = value.isoformat() if hasattr(value, "isoformat") else value
    return Page(found[:limit], search.pack_cursor(shown, found[limit - 1].pk))


def _first_of_few(repos: QuerySet[Repo], column: str, most: int) -> list[Repo] | None:
    """Return the first of these repos in the order of a column; None where they are more than `FEW`.

    The database does not know which values are rare.  It would walk through the whole order to find one of them.
    """
    few = repos.order_by().values_list(column, "pk")[: FEW + 1]
    try:
        sql, values = few.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH few(place, id) AS MATERIALIZED ({sql})"  # noqa: S608  What was asked for goes beside it.
            " SELECT id, (SELECT count(*) FROM few) FROM few ORDER BY place DESC, id LIMIT %s",
            [*values, most],
        )
        rows = cursor.fetchall()
    if rows and rows[0][1] > FEW:
        return None
    by_pk = repos.in_bulk([pk for pk, _ in rows]) if rows else {}
    return [by_pk[pk] for pk, _ in rows if pk in by_pk]


def _of_few(viewer: Viewer, query: Query, found: Hits, limit: int, cursor: str) -> Page:
    after = _read(cursor)
    fitting = search.matching(viewer, query, found)
    rows = fitting.order_by().values_list(*_ROW) if found.numbers else ()
    tiers = _tiers([Hit(*row) for row in rows], found, query)
    named = {hit: tier for hit, tier in tiers.items() if tier < IN_TEXT}
    keys = _keys(named, {}, after)
    if len(keys) <= limit:
        # Only where the page reaches those that their texts alone speak for need these be weighed.
        others = {hit: tier for hit, tier in tiers.items() if tier >= IN_TEXT}
        weights = (
            {hit.repo: found.closeness.get(hit.number, 0.0) for hit in others}
            if found.near
            else _weights(others, query)
        )
        keys += _keys(others, weights, after)
    return _page(fitting, keys, limit)


def _keys(tiers: Mapping[Hit, int], weights: Mapping[UUID, float], after: Key | None) -> list[Key]:
    keys = sorted(
        (tier, -_step(weights.get(hit.repo, 0.0)), -hit.downloads, hit.repo) for hit, tier in tiers.items()
    )
    return [key for key in keys if after is None or key > after]


def _page(repos: QuerySet[Repo], keys: Sequence[Key], limit: int) -> Page:
    shown = keys[:limit]
    by_pk = repos.in_bulk([key[-1] for key in shown]) if shown else {}
    page = [by_pk[key[-1]] for key in shown if key[-1] in by_pk]
    return Page(page, search.pack_cursor(*shown[-1]) if len(keys) > limit else "")


def _tiers(hits: Iterable[Hit], found: Hits, query: Query) -> dict[Hit, int]:
    order = Order(query.typed)
    return {hit: ALIKE if found.near else order.tier(hit.key) for hit in hits}


def _step(weight: float) -> int:
    return 1000 + round(log(weight, _BETTER)) if weight > 0 else 0


class Order:
    """How well ids fit what was typed."""

    def __init__(self, typed: str) -> None:
        self.wanted = typed.lower()
        self.joined = "-".join(self.wanted.split())
        self.words = words.typed(typed) or [self.wanted]

    def tier(self, key: str) -> int:
        """Return the place of an id, the smaller the better."""
        _, _, name = key.partition("/")
        if key == self.wanted:
            return WHOLE_ID
        if name in (self.wanted, self.joined):
            return WHOLE_NAME
        if name.startswith((self.wanted, self.joined)) or key.startswith(self.wanted):
            return BEGINS
        if all(word in name for word in self.words):
            parts = _PARTS.split(name)
            if all(any(part.startswith(word) for part in parts) for word in self.words):
                return WORDS_OF_NAME
        return IN_ID if self.wanted in key else IN_TEXT


def _weights(tiers: Mapping[Hit, int], query: Query) -> dict[UUID, float]:
    """Return how much the texts of the most popular of those weigh that only their texts speak for."""
    typed = words.typed(query.text)
    only_text = sorted((-hit.downloads, hit.repo) for hit, tier in tiers.items() if tier == IN_TEXT)
    if not only_text or not typed:
        return {}
    rank: Any = SearchRank(F("text__vector"), seeking.tsquery(typed), normalization=1)
    weighed = Repo.objects.filter(pk__in=[pk for _, pk in only_text[:MAX_WEIGHED]])
    return dict(weighed.annotate(rank=rank).values_list("pk", "rank"))


def _of_many(viewer: Viewer, query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Show what is called so, then what begins so, then everything else, the most popular ones first in each.

    Hits are put in order by number, and of these only what is shown is read.
    """
    called = (None if _is_else(query) else seeking.called(query.typed)) or Called()
    keys = _ordered(found.numbers, called, _read(cursor))
    return _paged(_shown(viewer, query, keys, limit), limit)


def _is_else(query: Query) -> bool:
    """True where being called what was typed is not enough: what must be in the id stands there as it was typed."""
    return bool(query.name) and (bool(query.text) or " " in query.typed)


def _ordered(numbers: Iterable[int], called: Called, after: Key | None) -> list[NumberKey]:
    begun = _numbered(after)
    keys = sorted(
        (
            WHOLE_NAME if number in called.whole else BEGINS if number in called.begins else REST,
            0,
            -count,
            number,
        )
        for number, count in popularity.pulls_of(list(numbers)).items()
    )
    return [key for key in keys if begun is None or key > begun]


def _numbered(key: Key | None) -> NumberKey | None:
    """Return where a page ended with the repo's number for its id; 0 where it has gone."""
    if key is None:
        return None
    number = RepoText.objects.filter(repo=key[-1]).values_list("pk", flat=True).first()
    return (*key[:3], number or 0)


def _shown(viewer: Viewer, query: Query, keys: Sequence[NumberKey], limit: int) -> list[tuple[Place, Repo]]:
    """Read the first of these that fit, until a page is full and one more."""
    fitting = search.matching(viewer, replace(query, text="", name=""))
    shown: list[tuple[Place, Repo]] = []
    at, step = 0, limit + 5
    while at < len(keys) and len(shown) <= limit:
        some = keys[at : at + step]
        read = fitting.filter(seeking.one_of("text__id", [key[-1] for key in some]))
        by_number = {repo.text.pk: repo for repo in read}
        shown += [(key[:3], by_number[key[-1]]) for key in some if key[-1] in by_number]
        at, step = at + step, 10 * step
    return shown


def _paged(shown: Sequence[tuple[Place, Repo]], limit: int) -> Page:
    page = [repo for _, repo in shown[:limit]]
    return Page(page, search.pack_cursor(*shown[limit - 1][0], page[-1].pk) if len(shown) > limit else "")


def _of_most(viewer: Viewer, query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Show the same order where nobody knows all that was found, but perhaps what is called so.

    Everything else is read in its order, of which a page is full soon.
    """
    after = _read(cursor)
    called = found.called
    shown: list[tuple[Place, Repo]] = []
    if called is not None and (after is None or after[0] < REST):
        keys = _ordered(called.whole | called.begins, called, after)
        shown, after = _shown(viewer, query, keys, limit), None
    short = seeking.short_of(query.typed)
    whole, begins = Q(text__short=short), Q(text__short__startswith=short)
    fitting = search.matching(viewer, query, found)
    # Who is called so fits; to ask for the words as well would only mislead the planner.
    named = fitting if _is_else(query) else search.matching(viewer, replace(query, text="", name=""))
    parts = [(REST, fitting.exclude(begins))]
    if called is None:
        parts = [(WHOLE_NAME, named.filter(whole)), (BEGINS, named.filter(begins).exclude(whole)), *parts]
    for tier, part in parts:
        shown += _walked(tier, part, after, limit + 1 - len(shown))
    return _paged(shown, limit)


def _walked(tier: int, part: QuerySet[Repo], after: Key | None, most: int) -> list[tuple[Place, Repo]]:
    if most <= 0 or (after is not None and tier < after[0]):
        return []
    if after is not None and tier == after[0]:
        part = search.behind(part, "downloads", -after[2], after[3])
    return [((tier, 0, -repo.downloads), repo) for repo in part.order_by("-downloads", "pk")[:most]]


def _read(cursor: str) -> Key | None:
    if not cursor:
        return None
    tier, weight, popularity, pk = search.read_cursor(cursor, 4)
    try:
        return search.whole(tier), search.whole(weight), search.whole(popularity), UUID(str(pk))
    except ValueError:
        raise search.bad_cursor() from None
