"""How many repos fit, and how many would with each other value of a facet: what a list shows beside its filters.

Words, tags and the like narrow in the database; everything that facets are made of is counted in bit sets (tallies.py).
Where many repos are public, a worker makes those each minute in which something was written, so that no reader waits
for it, and counts may be a minute or two old.  Private repos are counted at once, for those who may know of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, minutely, search, seeking, traits
from hub.catalog.clearing import RELEASED
from hub.catalog.minutely import MANY
from hub.catalog.models import Repo
from hub.catalog.search import Query
from hub.catalog.seeking import FEW, MOST, Hits
from hub.catalog.tallies import MOST_VALUES, Facts, Tally, bits_of, tally

USERS_STEPS = (10_000, 1_000_000, 100_000_000, 1_000_000_000)
# Facets with one wish at a time, and the field of the query that holds it.
SINGLE = ("task", "library", "license", "author", *traits.KINDS)
# Facets whose values are few by nature.
_FEW = ("use", "limit", "openness", "state", "read", "size", traits.FORMAT, traits.FITS)
MOST_RUNGS = 8

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


def counts(viewer: Viewer, query: Query, found: Hits | None = None) -> Counts:
    """Count what fits among the repos that the viewer may know of; ``found`` is what `search.seek` gave."""
    if found is None and query.typed:
        found = search.seek(viewer, query)
    wide = _without_facets(query)
    public = _public(viewer, query, wide, found)
    private = _private(viewer, query, wide, found)
    tables: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in (public, private):
        for name, values in one.values.items():
            for value, count in values.items():
                tables[name][value] += count
    added: dict[str, Values] = {name: dict(tables[name]) for name in public.values}
    return Counts(public.total + private.total, added, public.exact and private.exact)


def are_many(viewer: Viewer, query: Query) -> bool:
    """True where the worker counted many that fit, so that going through a list in its order soon finds some."""
    wide = _without_facets(query)
    known = _kept(wide.type) if _is_open(wide) else None
    if known is None:
        return False
    chosen = _chosen(known, query, search.public_repos(viewer, wide.type))
    return reduce(and_, chosen.values(), known.every).bit_count() > FEW


def _without_facets(query: Query) -> Query:
    """Return what the database narrows by: facets with a wish are for the bit sets."""
    bounds = (None, None) if _is_stepped(query) else query.parameters
    text, name = (query.text, query.name) if query.typed else ("", "")
    return replace(
        query, text=text, name=name, tags=tuple(query.tags), uses=(), users=None, openness=None, states=(),
        parameters=bounds, task="", library="", license="", author="", format="", architecture="", dtype="",
        language="", base="", fits="",
    )  # fmt: skip


def _is_stepped(query: Query) -> bool:
    least, most = query.parameters
    return (least is None or least in traits.STEPS) and (most is None or most + 1 in traits.STEPS)


def _is_open(wide: Query) -> bool:
    return wide == Query(type=wide.type, sort=wide.sort, tags=())


def _public(viewer: Viewer, query: Query, wide: Query, found: Hits | None) -> Counts:
    repos = search.public_repos(viewer, wide.type)
    if repos.query.is_empty():
        return _count(Tally(0, {}), query, 0, repos)
    known = _kept(wide.type)
    if known is None:
        rows = _rows(search.narrowed(repos, wide, found), MANY + 1)
        if len(rows) <= MANY:
            counted = tally(rows)
            return _count(counted, query, counted.every, repos)
        known = _keep(wide.type)
    if _is_open(wide):
        return _count(known, query, known.every, repos)
    if found is not None and _is_open(replace(wide, text="", name="")):
        numbers = found.numbers
    else:
        numbers = seeking.numbers_of(search.narrowed(repos, wide, found))
    fitting = _count(known, query, bits_of(numbers[:MOST]) & known.every, repos)
    return replace(fitting, exact=len(numbers) <= MOST)


def _private(viewer: Viewer, query: Query, wide: Query, found: Hits | None) -> Counts:
    if viewer.user is None:
        return Counts(0, {})
    repos = access.visible_repos(viewer, wide.type).filter(private=True)
    rows = _rows(search.narrowed(repos, wide, found), MANY + 1)
    counted = tally(rows[:MANY])
    return replace(_count(counted, query, counted.every, repos), exact=len(rows) <= MANY)


_COLUMNS = (
    "text__id", "pipeline_tag", "library", "license", "namespace__name", "traits", "clearance", "concluded", "uses",
    "users_limit", "openness", "proof", "reviewed", "parameters",
)  # fmt: skip


def _rows(repos: QuerySet[Repo], most: int) -> list[Facts]:
    return [_facts(*row) for row in _listed(repos)[:most]]


def _listed(repos: QuerySet[Repo]) -> "QuerySet[Repo, tuple[Any, ...]]":
    return repos.select_related(None).filter(text__isnull=False).order_by().values_list(*_COLUMNS)


def _facts(
    number: int, task: str, library: str, license_: str, author: str, own: list[str], clearance: str,
    concluded: list[str], uses: list[str], limit: int | None, openness: int, proof: str, reviewed: bool,
    parameters: int | None,
) -> Facts:  # fmt: skip
    """Return one repo with everything that it counts for."""
    told = [("task", task), ("library", library), ("license", license_), ("author", author)]
    values = [pair for pair in told if pair[1]]
    values += [(kind, value) for kind, _, value in (one.partition(":") for one in own)]
    values.append(("state", proof))
    if parameters is not None:
        values.append(("size", str(traits.bucket(parameters))))
    if clearance in RELEASED and concluded:
        values += [("use", use) for use in uses]
        values += [("limit", "" if limit is None else str(limit)), ("openness", str(openness))]
    if reviewed and clearance == Repo.Clearance.CLEAR:
        values.append(("read", "read"))
    return Facts(number, values)


def refresh() -> None:
    """Count the public repos of the whole hub, where they are too many to be counted for each reader."""
    for type_ in Repo.Type.values:
        public = Repo.objects.filter(type=type_, private=False).order_by()
        if len(public.values_list("pk")[: MANY + 1]) > MANY:
            _keep(type_)
        else:
            minutely.forget(_name(type_))


def _name(type_: str) -> str:
    return f"facets:{type_}"


def _kept(type_: str) -> Tally | None:
    return minutely.kept(_name(type_), Tally.unpack)


def _keep(type_: str) -> Tally:
    rows = _listed(Repo.objects.filter(type=type_, private=False)).iterator(chunk_size=5000)
    counted = tally((_facts(*row) for row in rows), most=MOST_VALUES, all_of=_FEW)
    minutely.keep(_name(type_), counted.pack())
    return counted


def _count(counted: Tally, query: Query, base: int, repos: QuerySet[Repo]) -> Counts:
    """Count within ``base``.  What fails one facet's wish alone still counts for the other values of that facet."""
    chosen = _chosen(counted, query, repos)
    total = reduce(and_, chosen.values(), base)

    def within(facet: str) -> int:
        # Uses add up: a model that lacks one of those wished for is not counted for another.
        kept = [bits for other, bits in chosen.items() if other != facet or facet == "use"]
        return reduce(and_, kept, base)

    values = {name: _table(counted, name, within(name)) for name in (*SINGLE, "use", "state", "size")}
    values["state"] = {**values["state"], **_table(counted, "read", within("read"))}
    fitting, reached = within("limit"), within("openness")
    values["users"] = {
        str(step): (fitting & _limits(counted, step)).bit_count() for step in USERS_STEPS if fitting
    }
    values["openness"] = {
        str(rung): (reached & _rungs(counted, rung)).bit_count() for rung in range(1, MOST_RUNGS) if reached
    }
    return Counts(total.bit_count(), {name: _without_none(table) for name, table in values.items()})


def _table(counted: Tally, facet: str, within: int) -> Values:
    return {value: (within & bits).bit_count() for value, bits in counted.bits.get(facet, {}).items()}


def _without_none(table: Values) -> Values:
    return {value: count for value, count in table.items() if count}


def _chosen(counted: Tally, query: Query, repos: QuerySet[Repo]) -> dict[str, int]:
    """Return, for each facet with a wish, which repos fulfil it."""
    found = {name: _of(counted, query, name, repos) for name in SINGLE if getattr(query, name)}
    for facet, wishes in (
        ("use", query.uses),
        ("state", [state for state in query.states if state != "read"]),
        ("read", [state for state in query.states if state == "read"]),
    ):
        if wishes:
            found[facet] = reduce(and_, (counted.of(facet, wish) or 0 for wish in wishes))
    if query.users is not None:
        found["limit"] = _limits(counted, query.users)
    if query.openness is not None:
        found["openness"] = _rungs(counted, query.openness)
    if query.parameters != (None, None) and _is_stepped(query):
        found["size"] = _sizes(counted, *query.parameters)
    return found


def _of(counted: Tally, query: Query, name: str, repos: QuerySet[Repo]) -> int:
    value = getattr(query, name)
    if name == "author":
        # Owners are shown as they write themselves, and found however a reader does.
        value = next((one for one in counted.bits.get(name, {}) if one.lower() == value.lower()), value)
    bits = counted.of(name, value)
    if bits is None:
        # Too rare to be kept, so the database finds them quickly.
        wish: dict[str, Any] = {"type": query.type, name: value}
        return bits_of(seeking.numbers_of(search.narrowed(repos, Query(**wish)))) & counted.every
    return bits


def _either(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)


def _limits(counted: Tally, users: int) -> int:
    table = counted.bits.get("limit", {})
    return _either(bits for limit, bits in table.items() if not limit or int(limit) > users)


def _rungs(counted: Tally, least: int) -> int:
    return _either(bits for rung, bits in counted.bits.get("openness", {}).items() if int(rung) >= least)


def _sizes(counted: Tally, least: int | None, most: int | None) -> int:
    low = traits.bucket(least) if least is not None else 0
    high = traits.bucket(most + 1) if most is not None else len(traits.STEPS) + 1
    return _either(bits for size, bits in counted.bits.get("size", {}).items() if low <= int(size) < high)
