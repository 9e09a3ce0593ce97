"""From typed words to repos: those whose name has the letters, and those whose words all of them begin.

Words are asked for among what the viewer may know of only; that also holds for whether anything was found at all.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache, reduce
from heapq import nsmallest
from operator import and_, or_
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Upper

from hub.catalog import popularity, words
from hub.catalog.models import Repo, RepoText

# A search is looked through up to here, so that a word that stands in every name costs no more than another.
MOST = 10_000
FEW = 2_000
# With more hits than this, what is shown first is chosen by name and popularity alone.
MANY = 500
# Where the planner expects more than this, a list that is read in its order is full soon.
COMMON = 5_000
# Among so many one nearly always is there for everybody.
FEW_SEEN = 100
MAX_NEAR = 60
# Of the letters of each word, those that a word of the name has in this order.
ALIKE = 0.7
MIN_NEAR = 4


class Called(NamedTuple):
    """The numbers of those that are called what was typed, and of those of whose names it is the beginning."""

    whole: frozenset[int] = frozenset()
    begins: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Hits:
    """The numbers of what was found by words alone: all of them, or where ``more`` is True at most some.

    ``closeness`` is there where nothing has the words: then these are called something like them, 1 for the same.
    ``called`` is there where that was looked for; of very many who are called so, nobody looked for words.
    """

    numbers: Sequence[int] = field(default_factory=tuple)
    closeness: dict[int, float] = field(default_factory=dict)
    more: bool = False
    called: Called | None = None

    @property
    def near(self) -> bool:
        return bool(self.closeness)


def condition(*, text: str, name: str, of: str = "") -> Q:
    """Return what a row of words must fulfil, or with ``of="text__"`` its repo.

    ``text`` is there by words or in the id, ``name`` in the id.
    """
    return reduce(or_, _ways(text, name, of))


def _ways(text: str, name: str, of: str = "") -> list[Q]:
    """Return the conditions of which one is enough: what letters find, and last what words find."""
    text, name = words.clean(text), words.clean(name)
    named = Q(**{f"{of}name__icontains": name}) if name else Q()
    if not text:
        return [named]
    # One or two letters begin words in every card.
    is_short = len(text) < words.TRIGRAM
    letters = Q(**({f"{of}short__startswith": text.upper()} if is_short else {f"{of}name__icontains": text}))
    typed = words.typed(text)
    spoken = [Q(_matches(typed, of, begins=not is_short))] if typed else []
    # No id has a space in it.
    found = spoken if spoken and " " in text else [letters, *spoken]
    return [named & one for one in found]


def one_of(column: str, numbers: Sequence[int]) -> Func:
    """Return the condition that a column is one of these numbers, which are sent as one text: they may be thousands."""
    given = _text(f"{{{','.join(map(str, numbers))}}}")
    return Func(
        F(column), given, template="(%(expressions)s::bigint[]))", arg_joiner=" = ANY(", output_field=BooleanField()
    )  # fmt: skip


def tsquery(typed: Sequence[str], *, begins: bool = True) -> Func:
    """Return the query that asks for all these words, or for what ``begins`` like them."""
    asked = [_word(word, begins=begins) for word in typed]
    return reduce(lambda one, other: Func(one, other, template="(%(expressions)s)", arg_joiner=" && "), asked)


def _word(word: str, *, begins: bool) -> Func:
    literal = Func(_text(words.literal(word, begins=begins)), template="%(expressions)s::tsquery")
    stemmed = Func(_text(word), template="plainto_tsquery('english', %(expressions)s)")
    return Func(literal, stemmed, template="(%(expressions)s)", arg_joiner=" || ")


def _text(text: str) -> Value:
    return Value(text, output_field=TextField())


def _matches(typed: Sequence[str], of: str, *, begins: bool = True) -> Func:
    return Func(
        F(f"{of}vector"), tsquery(typed, begins=begins), template="(%(expressions)s)", arg_joiner=" @@ ",
        output_field=BooleanField(),
    )  # fmt: skip


def hits(repos: QuerySet[Repo], *, text: str, name: str, rough: bool = False, by_name: bool = False) -> Hits:
    """Find among these repos, which the caller has narrowed to what the viewer may know of.

    With ``rough``, of words that very many have nothing is found but that they are many; with ``by_name`` also not
    where very many are called so, which come first in an order of relevance.
    """
    text, name = words.clean(text), words.clean(name)
    if not text and not name:
        return Hits()
    by_index = len(text or name) >= words.TRIGRAM
    ways = _ways(text, name)
    named: Called | None = None
    if rough:
        # Of one or two letters it is the names that find most.
        is_common = not by_index and _estimate(ways[0]) > COMMON
        named = called(text) if by_name and text and not is_common else None
        if is_common or (named is not None and len(named.whole) + len(named.begins) > MANY):
            return Hits(more=True, called=named)
        if by_index and _estimate(reduce(or_, ways)) > COMMON:
            return Hits(more=True, called=named)
    numbers = _numbers(ways, by_index=by_index)
    # What the viewer may not know of counts as not found, and is narrowed away by whoever uses the numbers.
    if any(
        repos.filter(one_of("text__id", some)).exists()
        for some in (numbers[:FEW_SEEN], numbers[FEW_SEEN:])
        if some
    ):
        return Hits(numbers, more=len(numbers) > MOST, called=named)
    near = _near(repos, text) if len(text) >= MIN_NEAR and not name else {}
    return Hits(list(near), near)


def _numbers(ways: Sequence[Q], *, by_index: bool) -> list[int]:
    """Return up to one more than `MOST`, as one array: so many rows would take longer to read than to find.

    They are those of all repos of the hub, and no more than numbers.
    """
    found = [RepoText.objects.filter(way).order_by().values_list("pk")[: MOST + 1] for way in ways]
    parts: list[str] = []
    values: list[Any] = []
    for one in found:
        sql, given = one.query.sql_with_params()
        parts.append(f"({sql})")
        values += given
    # With a limit the planner hopes to meet enough of them soon in the table itself, and is often wrong.
    # Two statements that are sent as one are one transaction.
    by_index_alone = "SET LOCAL enable_seqscan = off; " if by_index else ""
    with connection.cursor() as cursor:
        # Asked for in one condition, every row that the letters share a page with would be read whole.
        cursor.execute(
            f"{by_index_alone}SELECT array_agg(found.id) FROM ({' UNION ALL '.join(parts)}) found(id)",  # noqa: S608
            values,
        )
        if by_index:
            cursor.nextset()
        return list(dict.fromkeys(cursor.fetchone()[0] or ()))[: MOST + 1]


def numbers_of(repos: QuerySet[Repo]) -> list[int]:
    """Return the numbers of these repos, up to one more than `MOST`, as one array."""
    found = repos.filter(text__isnull=False).order_by()[: MOST + 1].aggregate(all=ArrayAgg("text__id"))
    return found["all"] or []


def short_of(typed: str) -> str:
    """Return what was typed as names are written."""
    return "-".join(typed.upper().split())


def called(typed: str) -> Called | None:
    """Return which repos are called what was typed, or begin so; None where they are more than `MOST`."""
    short = short_of(typed)
    begin = RepoText.objects.filter(short__startswith=short).order_by()[: MOST + 1]
    found = begin.aggregate(all=ArrayAgg("pk"), whole=ArrayAgg("pk", filter=Q(short=short)))
    whole, every = frozenset(found["whole"] or ()), frozenset(found["all"] or ())
    return Called(whole, every - whole) if len(every) <= MOST else None


def _estimate(way: Q) -> int:
    """Return how many rows the planner expects: it knows which words are common, also by their beginnings."""
    plan = RepoText.objects.filter(way).order_by().values_list("pk").explain(format="json")
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"])


def _near(repos: QuerySet[Repo], text: str) -> dict[int, float]:
    typed = words.typed(text)
    wanted = [Q(_any_like(patterns)) for patterns in words.slips(typed)]
    numbers = _numbers([reduce(and_, wanted)], by_index=True) if wanted else []
    names = _most_popular(repos, numbers)
    near = {number: _closeness(typed, words.pieces(name)) for number, name in names.items()}
    return {number: closeness for number, closeness in near.items() if closeness}


def _most_popular(repos: QuerySet[Repo], numbers: Sequence[int]) -> dict[int, str]:
    """Return the names of those that are pulled most, as far as they are among these repos."""
    pulls = popularity.pulls_of(numbers)
    # Most are there for everybody, so that the first few nearly always hold enough.
    for most in (2 * MAX_NEAR, len(pulls)):
        some = nsmallest(most, pulls, key=lambda number: (-pulls[number], number))
        rows = repos.filter(one_of("text__id", some)).order_by().values_list("text__id", "text__name")
        names: dict[int, str] = dict(rows) if some else {}
        if len(names) >= MAX_NEAR or len(some) == len(pulls):
            break
    return {number: names[number] for number in [one for one in some if one in names][:MAX_NEAR]}


def _any_like(patterns: Iterable[str]) -> Func:
    like = [
        Func(Upper("name"), _text(pattern), template="%(expressions)s", arg_joiner=" LIKE ") for pattern in patterns
    ]  # fmt: skip
    return Func(*like, template="(%(expressions)s)", arg_joiner=" OR ", output_field=BooleanField())


def _closeness(typed: Sequence[str], pieces: Sequence[str]) -> float:
    """Return how alike the words are on average, 1 for equal; 0 where one of them is like none of the name."""
    best = [max((_alike(word, piece) for piece in pieces), default=0.0) for word in typed]
    return sum(best) / len(best) if best and min(best) >= ALIKE else 0.0


@lru_cache(maxsize=4096)
def _alike(word: str, piece: str) -> float:
    # Words of very different lengths cannot be alike, and most are.
    least, most = sorted((len(word), len(piece)))
    return SequenceMatcher(None, piece, word).ratio() if 2 * least >= ALIKE * (least + most) else 0.0
