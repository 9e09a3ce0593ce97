"""The order of what was found: the best first, or the largest by a column; in pages.

What matches best is what is called so, then what begins so, then what has the words in its name, its owner or its card.
Among equals the more popular ones come first.
"""

import re
from collections.abc import Iterable, Sequence
from math import log
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.db.models import F, Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import search, seeking, words
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo
from hub.catalog.search import RELEVANCE, SORTS, Page, Query
from hub.catalog.seeking import FEW, Hits

WHOLE_ID, WHOLE_NAME, BEGINS, WORDS_OF_NAME, IN_ID, IN_TEXT, ALIKE, REST = range(8)
# So many of those that only their texts speak for are ranked by these, the most popular ones.
MAX_WEIGHED = 300
# With more matches than this, what is shown first is chosen by name and popularity alone.
MANY = 1000
# What is better by less than this is no reason to put the less popular one first.
_BETTER = 1.2
_PARTS = re.compile(r"[^\w.]|_")
# Where a page ended: how well the repo fits by name, by weight, its pulls, and its id; weight and pulls negated.
Key = tuple[int, int, int, UUID]


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
        found = search.seek(viewer, query)
    if query.sort != RELEVANCE or found is None or not query.typed:
        return _by_column(
            search.matching(viewer, query, found), column, limit, cursor, rare=query.may_be_rare
        )
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
    rows = list(repos.order_by().values_list(column, "pk")[: FEW + 1])
    if len(rows) > FEW:
        return None
    rows.sort(key=lambda row: row[1])
    rows.sort(key=lambda row: row[0], reverse=True)
    by_pk = repos.in_bulk([pk for _, pk in rows[:most]]) if rows else {}
    return [by_pk[pk] for _, pk in rows[:most] if pk in by_pk]


def _of_few(viewer: Viewer, query: Query, found: Hits, limit: int, cursor: str) -> Page:
    after = _read(cursor)
    fitting = search.matching(viewer, query, found)
    rows = fitting.order_by().values_list(*_ROW) if found.numbers else ()
    keys = _keys([Hit(*row) for row in rows], found, query)
    return _page(fitting, [key for key in keys if after is None or key > after], limit)


def _page(repos: QuerySet[Repo], keys: Sequence[Key], limit: int) -> Page:
    shown = keys[:limit]
    by_pk = repos.in_bulk([key[-1] for key in shown]) if shown else {}
    page = [by_pk[key[-1]] for key in shown if key[-1] in by_pk]
    return Page(page, search.pack_cursor(*shown[-1]) if len(keys) > limit else "")


def _keys(hits: Iterable[Hit], found: Hits, query: Query) -> list[Key]:
    order = Order(query.typed)
    tiers = {hit: ALIKE if found.near else order.tier(hit.key) for hit in hits}
    only_text = sorted((-hit.downloads, hit.repo) for hit in tiers if tiers[hit] == IN_TEXT)
    weights = _weights([pk for _, pk in only_text[:MAX_WEIGHED]], words.typed(query.text))
    return sorted(
        (tier, -_step(weights.get(hit.repo) or found.closeness.get(hit.number, 0.0)), -hit.downloads, hit.repo)
        for hit, tier in tiers.items()
    )  # fmt: skip


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


def _weights(pks: Sequence[UUID], typed: Sequence[str]) -> dict[UUID, float]:
    if not pks or not typed:
        return {}
    rank: Any = SearchRank(F("text__vector"), seeking.tsquery(typed), normalization=1)
    return dict(Repo.objects.filter(pk__in=pks).annotate(rank=rank).values_list("pk", "rank"))


def _of_many(viewer: Viewer, query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Show what is called so, then what begins so, then everything else, the most popular ones first in each.

    Each of the three begins from an index and ends as soon as the page is full.
    """
    after = _read(cursor)
    fitting = search.matching(viewer, query, found)
    short = "-".join(query.typed.upper().split())
    whole, begins = Q(text__short=short), Q(text__short__startswith=short)
    shown: list[tuple[int, Repo]] = []
    for tier, part in (
        (WHOLE_NAME, fitting.filter(whole)),
        (BEGINS, fitting.filter(begins).exclude(whole)),
        (REST, fitting.exclude(begins)),
    ):
        if len(shown) > limit or (after is not None and tier < after[0]):
            continue
        if after is not None and tier == after[0]:
            part = search.behind(part, "downloads", -after[2], after[3])
        rows = part.order_by("-downloads", "pk")[: limit + 1 - len(shown)]
        shown += [(tier, repo) for repo in rows]
    repos = [repo for _, repo in shown[:limit]]
    if len(shown) <= limit:
        return Page(repos)
    return Page(repos, search.pack_cursor(shown[limit - 1][0], 0, -repos[-1].downloads, repos[-1].pk))


def _read(cursor: str) -> Key | None:
    if not cursor:
        return None
    tier, weight, popularity, pk = search.read_cursor(cursor, 4)
    try:
        return search.whole(tier), search.whole(weight), search.whole(popularity), UUID(str(pk))
    except ValueError:
        raise search.bad_cursor() from None
