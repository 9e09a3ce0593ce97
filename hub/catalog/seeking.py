"""From typed words to repos: those whose name has the letters, and those whose words all of them begin.

Words are asked for among what the viewer may know of only; that also holds for whether anything was found at all.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache, reduce
from operator import and_

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Upper

from hub.catalog import words
from hub.catalog.models import Repo, RepoText

# A search is looked through up to here, so that a word that stands in every name costs no more than another.
MOST = 10_000
FEW = 2_000
# Among so many one nearly always is there for everybody.
FEW_SEEN = 100
MAX_NEAR = 100
# Of the letters of each word, those that a word of the name has in this order.
ALIKE = 0.7
MIN_NEAR = 4


@dataclass(frozen=True, slots=True)
class Hits:
    """The numbers of what was found by words alone, at most `MOST` of them and one more.

    ``closeness`` is there where nothing has the words: then these are called something like them, 1 for the same.
    """

    numbers: Sequence[int] = field(default_factory=tuple)
    closeness: dict[int, float] = field(default_factory=dict)

    @property
    def are_few(self) -> bool:
        """True where the database does better with the numbers than with the words."""
        return len(self.numbers) <= FEW

    @property
    def near(self) -> bool:
        return bool(self.closeness)


def condition(*, text: str, name: str, of: str = "") -> Q:
    """Return what a row of words must fulfil, or with ``of="text__"`` its repo.

    ``text`` is there by words or in the id, ``name`` in the id.
    """
    found = Q()
    if name := words.clean(name):
        found &= Q(**{f"{of}name__icontains": name})
    if text := words.clean(text):
        typed = words.typed(text)
        if len(text) >= words.TRIGRAM:
            found &= Q(**{f"{of}name__icontains": text}) | (Q(_matches(typed, of)) if typed else Q(pk=None))
        else:
            # One or two letters begin words in every card.
            found &= Q(**{f"{of}short__startswith": text.upper()}) | (
                Q(_matches(typed, of, begins=False)) if typed else Q(pk=None)
            )
    return found


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


def hits(repos: QuerySet[Repo], *, text: str, name: str) -> Hits:
    """Find among these repos, which the caller has narrowed to what the viewer may know of."""
    text, name = words.clean(text), words.clean(name)
    if not text and not name:
        return Hits()
    numbers = _numbers(condition(text=text, name=name), by_index=len(text or name) >= words.TRIGRAM)
    # What the viewer may not know of counts as not found, and is narrowed away by whoever uses the numbers.
    if any(
        repos.filter(text__id__in=some).exists() for some in (numbers[:FEW_SEEN], numbers[FEW_SEEN:]) if some
    ):
        return Hits(numbers)
    near = _near(repos, text) if len(text) >= MIN_NEAR and not name else {}
    return Hits(list(near), near)


def _numbers(wanted: Q, *, by_index: bool) -> list[int]:
    """Return up to one more than `MOST`, as one array: so many rows would take longer to read than to find.

    They are those of all repos of the hub, and no more than numbers.
    """
    found = RepoText.objects.filter(wanted).order_by().values_list("pk")
    try:
        sql, values = found[: MOST + 1].query.sql_with_params()
    except EmptyResultSet:
        return []
    with transaction.atomic() if by_index else nullcontext(), connection.cursor() as cursor:
        if by_index:
            # With a limit the planner hopes to meet enough of them soon in the table itself, and is often wrong.
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"SELECT array_agg(found.id) FROM ({sql}) found(id)", values)  # noqa: S608
        return cursor.fetchone()[0] or []


def _near(repos: QuerySet[Repo], text: str) -> dict[int, float]:
    typed = words.typed(text)
    wanted = [Q(_any_like(patterns)) for patterns in words.slips(typed)]
    numbers = _numbers(reduce(and_, wanted), by_index=True) if wanted else []
    found = repos.filter(text__id__in=numbers).order_by("-downloads", "pk")
    rows = found.values_list("text__id", "text__name")[:MAX_NEAR] if numbers else ()
    near = {number: _closeness(typed, words.pieces(name)) for number, name in rows}
    return {number: closeness for number, closeness in near.items() if closeness}


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
