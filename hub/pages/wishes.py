"""What a reader looks for in a list, as its address holds it, in their words and in those of the search."""

from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog import search
from hub.catalog.memory import device_of
from hub.catalog.models.repos import USES
from hub.catalog.traits import STEPS
from hub.pages.facetwords import I_WANT, RUNGS, STATES, step_words, value_words
from hub.pages.languages import numeral
from hub.web import whole_number
from licenses.identifiers import license_title

# What a reader may sort by, in their words, and what the search calls it.
SORTS = {
    "relevance": (gettext_noop("Best match"), search.RELEVANCE),
    "recent": (gettext_noop("Recently updated"), "lastModified"),
    "trending": (gettext_noop("Trending this week"), "trendingScore"),
    "pulls": (gettext_noop("Most pulled, 30 days"), "downloads"),
    "likes": (gettext_noop("Most liked"), "likes"),
    "new": (gettext_noop("Newest"), "createdAt"),
}
# Facets of which one value at a time is wished for.
SINGLE = (
    "task", "library", "license", "format", "dtype", "architecture", "language", "base", "author", "fits",
)  # fmt: skip


def _number(text: str) -> int | None:
    """Return a number as people type it, with or without separators."""
    return whole_number(text.translate(str.maketrans("", "", ", .'_")))


def _step(text: str) -> int | None:
    number = whole_number(text)
    return number if number in STEPS else None


@dataclass(frozen=True, slots=True)
class Chip:
    """A wish that is in force, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class Wish:
    """The state of a list.  ``least`` and ``most`` are steps of size; a model has fewer weights than ``most``."""

    text: str = ""
    sort: str = ""
    task: str = ""
    library: str = ""
    license: str = ""
    format: str = ""
    dtype: str = ""
    architecture: str = ""
    language: str = ""
    base: str = ""
    author: str = ""
    fits: str = ""
    binding: str = ""
    uses: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    users: int | None = None
    openness: int | None = None
    least: int | None = None
    most: int | None = None

    @classmethod
    def read(cls, request: HttpRequest) -> "Wish":
        """Read the query string; what makes no sense counts as not wished for."""
        get = request.GET
        words = {name: get.get(name, "").replace("\x00", "").strip()[:200] for name in (*SINGLE, "binding")}
        words["fits"] = words["fits"] if device_of(words["fits"]) else ""
        sort, rung = get.get("sort", ""), whole_number(get.get("openness", ""))
        return cls(
            text=get.get("q", "").strip()[:200], sort=sort if sort in SORTS else "", **words,
            uses=tuple(use for use in USES if use in get.getlist("use")),
            states=tuple(state for state in STATES if state in get.getlist("state")),
            users=_number(get.get("users-exactly", "")) or _number(get.get("users", "")),
            openness=rung if rung in RUNGS else None, least=_step(get.get("from", "")), most=_step(get.get("to", "")),
        )  # fmt: skip

    def query(self, type_: str) -> search.Query:
        """Return the search behind this state."""
        return search.Query(
            type=type_, text=self.text, binding=self.binding, uses=self.uses, users=self.users, openness=self.openness,
            states=self.states, parameters=(self.least, self.most - 1 if self.most else None),
            sort=SORTS[self.order][1], **{name: getattr(self, name) for name in SINGLE},
        )  # fmt: skip

    @property
    def usual(self) -> str:
        """The order where none is asked for."""
        return "relevance" if self.text else "recent"

    @property
    def order(self) -> str:
        return self.sort or self.usual

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """What the choice of an order offers: value, words, whether it is chosen; the usual one needs no word."""
        names = [self.usual, *(name for name in SORTS if name not in (self.usual, "relevance"))]
        return [
            ("" if name == self.usual else name, _(SORTS[name][0]), name == self.order)
            for name in names
        ]  # fmt: skip

    @property
    def is_narrow(self) -> bool:
        """True where the list is not everything."""
        return bool(self.text) or self.has_filters

    @property
    def has_filters(self) -> bool:
        singles = any(getattr(self, name) for name in (*SINGLE, "binding"))
        return singles or bool(self.states or self.least or self.most) or self.asks_terms

    @property
    def asks_terms(self) -> bool:
        """True where only settled terms can answer."""
        return bool(self.uses) or self.users is not None or self.openness is not None


def chips(wish: Wish, get: QueryDict, here: str) -> list[Chip]:
    """Return the wishes in force, each with the address of the list without it."""
    found = [("use", use, _(I_WANT[use])) for use in wish.uses]
    if wish.users is not None:
        found.append(
            ("users", "", _("for %(number)s monthly users") % {"number": numeral(f"{wish.users:,}")})
        )
    if wish.least or wish.most:
        found.append(("from", "", _size_words(wish)))
    if wish.openness is not None:
        found.append(("openness", "", _("%(rung)s or more open") % {"rung": _(RUNGS[wish.openness])}))
    found += (
        [("binding", "", _("bound by %(name)s") % {"name": license_title(wish.binding)})]
        if wish.binding
        else []
    )
    found += (
        [("license", "", _("declared %(name)s") % {"name": license_title(wish.license)})]
        if wish.license
        else []
    )
    found += [("state", state, _(STATES[state])) for state in wish.states]
    found += [
        (name, "", value_words(name, getattr(wish, name)))
        for name in SINGLE if name not in ("license", "fits") and getattr(wish, name)
    ]  # fmt: skip
    if wish.fits:
        found.append(("fits", "", _("runs in %(memory)s") % {"memory": value_words("fits", wish.fits)}))
    return [Chip(words, _without(get, here, name, value)) for name, value, words in found]


def _size_words(wish: Wish) -> str:
    steps = {"least": step_words(wish.least or 0), "most": step_words(wish.most or 0)}
    if wish.least and wish.most:
        return _("%(least)s to %(most)s weights") % steps
    return (_("from %(least)s weights") if wish.least else _("up to %(most)s weights")) % steps


# What goes with a wish when it goes: the page one was on, and its other half.
_ALONG = {"users": ["users-exactly"], "from": ["to"]}


def _without(get: QueryDict, here: str, name: str, value: str) -> str:
    rest = get.copy()
    rest.setlist(name, [one for one in rest.getlist(name) if value and one != value])
    for gone in [key for key in rest if not any(rest.getlist(key))] + ["after", *_ALONG.get(name, [])]:
        rest.pop(gone, None)
    return f"{here}?{rest.urlencode()}" if rest else here


def address(get: QueryDict, **changes: str) -> str:
    """Return the query string of this list with changes; "" takes a part away."""
    rest = get.copy()
    for name, value in changes.items():
        rest[name] = value
    for gone in [key for key in rest if not any(rest.getlist(key))]:
        rest.pop(gone)
    return rest.urlencode()
