"""The order of relevance: what is called so, then what begins so, then what has the words in its name, owner or card.

Among equals the more popular ones come first.  Few hits are put in order by all that is known of them; of many it is
their numbers that are, and only what is shown is read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.search import SearchRank
from django.db.models import F, Q, QuerySet

from hub.catalog import popularity, search, seeking, words
from hub.catalog.models import Repo, RepoText
from hub.catalog.search import RELEVANCE, Page, Query
from hub.catalog.seeking import MANY, Called, Hits

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


def page(repos: QuerySet[Repo], query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Return one page of those of these repos that were found and fit; raises BadRequest for a bad cursor."""
    if found.more:
        return _of_most(repos, query, found, limit, cursor)
    if len(found.numbers) > MANY:
        return _of_many(repos, query, found, limit, cursor)
    return _of_few(repos, query, found, limit, cursor)


def _of_few(repos: QuerySet[Repo], query: Query, found: Hits, limit: int, cursor: str) -> Page:
    rows = search.narrowed(repos, query, found).order_by().values_list(*_ROW) if found.numbers else ()
    keys = _best([Hit(*row) for row in rows], query, found, limit, _read(cursor))
    shown = _read_all(repos, keys[:limit])
    return Page(shown, search.pack_cursor(*keys[limit - 1]) if len(keys) > limit else "")


def best_of_few(repos: QuerySet[Repo], text: str, found: Hits, most: Mapping[str, int]) -> list[Repo]:
    """Return the ``most`` relevant ones of each of these types, for no more queries than of one.

    ``found`` are few, and are put in order whole.
    """
    if not found.numbers:
        return []
    rows = list(repos.filter(seeking.one_of("text__id", found.numbers)).values_list("type", *_ROW))
    query = Query(text=text, sort=RELEVANCE)
    keys: list[Key] = []
    for type_, limit in most.items():
        hits = [Hit(*row) for kind, *row in rows if kind == type_]
        keys += _best(hits, query, found, limit, None)[:limit]
    return _read_all(repos, keys)


def _best(hits: Iterable[Hit], query: Query, found: Hits, limit: int, after: Key | None) -> list[Key]:
    """Return the places of what follows, the best first; where they are more than a page, that and some more."""
    tiers = _tiers(hits, found, query)
    named = {hit: tier for hit, tier in tiers.items() if tier < IN_TEXT}
    keys = _keys(named, {}, after)
    if len(keys) > limit:
        return keys
    # Only where the page reaches those that their texts alone speak for need these be weighed.
    others = {hit: tier for hit, tier in tiers.items() if tier >= IN_TEXT}
    weights = (
        {hit.repo: found.closeness.get(hit.number, 0.0) for hit in others}
        if found.near
        else _weights(others, query)
    )
    return keys + _keys(others, weights, after)


def _read_all(repos: QuerySet[Repo], keys: Sequence[Key]) -> list[Repo]:
    by_pk = repos.in_bulk([key[-1] for key in keys]) if keys else {}
    return [by_pk[key[-1]] for key in keys if key[-1] in by_pk]


def _keys(tiers: Mapping[Hit, int], weights: Mapping[UUID, float], after: Key | None) -> list[Key]:
    keys = sorted(
        (tier, -_step(weights.get(hit.repo, 0.0)), -hit.downloads, hit.repo) for hit, tier in tiers.items()
    )
    return [key for key in keys if after is None or key > after]


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


def _of_many(repos: QuerySet[Repo], query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Show what is called so, then what begins so, then everything else, the most popular ones first in each.

    Hits are put in order by number, and of these only what is shown is read.
    """
    called = Called() if _is_else(query) else found.called or seeking.called(query.typed) or Called()
    keys = _ordered(found.numbers, called, _read(cursor))
    return _paged(_shown(repos, query, keys, limit), limit)


def _is_else(query: Query) -> bool:
    """True where being called what was typed is not enough: what must be in the id stands there as it was typed."""
    return bool(query.name) and (bool(query.text) or " " in query.typed)


def _ordered(numbers: Iterable[int], called: Called, after: Key | None) -> list[NumberKey]:
    begun = _numbered(after)
    keys = [
        (
            WHOLE_NAME if number in called.whole else BEGINS if number in called.begins else REST,
            0,
            -count,
            number,
        )
        for number, count in popularity.pulls_of(list(numbers)).items()
    ]
    return sorted(key for key in keys if begun is None or key > begun)


def _numbered(key: Key | None) -> NumberKey | None:
    """Return where a page ended with the repo's number for its id; 0 where it has gone."""
    if key is None:
        return None
    number = RepoText.objects.filter(repo=key[-1]).values_list("pk", flat=True).first()
    return (*key[:3], number or 0)


def _shown(
    repos: QuerySet[Repo], query: Query, keys: Sequence[NumberKey], limit: int
) -> list[tuple[Place, Repo]]:
    """Read the first of these that fit, until a page is full and one more."""
    fitting = search.narrowed(repos, replace(query, text="", name=""))
    shown: list[tuple[Place, Repo]] = []
    at, step = 0, limit + 5
    while at < len(keys) and len(shown) <= limit:
        some = keys[at : at + step]
        numbers = [key[-1] for key in some]
        read = fitting.annotate(number=F("text__id")).filter(seeking.one_of("text__id", numbers))
        by_number = {repo.number: repo for repo in read}
        shown += [(key[:3], by_number[key[-1]]) for key in some if key[-1] in by_number]
        at, step = at + step, 10 * step
    return shown


def _paged(shown: Sequence[tuple[Place, Repo]], limit: int) -> Page:
    page = [repo for _, repo in shown[:limit]]
    return Page(page, search.pack_cursor(*shown[limit - 1][0], page[-1].pk) if len(shown) > limit else "")


def _of_most(repos: QuerySet[Repo], query: Query, found: Hits, limit: int, cursor: str) -> Page:
    """Show the same order where nobody knows all that was found, but perhaps what is called so.

    Everything else is read in its order, of which a page is full soon.
    """
    after = _read(cursor)
    called = found.called
    shown: list[tuple[Place, Repo]] = []
    if called is not None and (after is None or after[0] < REST):
        keys = _ordered(called.whole | called.begins, called, after)
        shown, after = _shown(repos, query, keys, limit), None
    short = seeking.short_of(query.typed)
    whole, begins = Q(text__short=short), Q(text__short__startswith=short)
    fitting = search.narrowed(repos, query, found)
    # Who is called so fits; to ask for the words as well would only mislead the planner.
    named = fitting if _is_else(query) else search.narrowed(repos, replace(query, text="", name=""))
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
