"""What a reader looks for in a list, as its address holds it, in their words and in those of the search."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from hub.catalog import search
from hub.catalog.facets import USERS_STEPS, Counts
from hub.catalog.models import Repo
from hub.catalog.models.repos import USES
from hub.web import whole_number
from licenses.identifiers import license_title
from licenses.openness import Rung

MAX_CHOICES = 12
# What a reader may sort by, in their words, and what the search calls it.
SORTS = {
    "recent": ("Recently updated", "lastModified"),
    "pulls": ("Most pulled, 30 days", "downloads"),
    "likes": ("Most liked", "likes"),
    "new": ("Newest", "createdAt"),
}
I_WANT: dict[str, str] = {
    "commercial": "use it commercially",
    "redistribute": "hand it on",
    "modify": "change it and build on it",
    "no-field-of-use-limits": "use it for any purpose",
    "everywhere": "use it anywhere in the world",
}
RUNGS: dict[int, str] = {
    Rung.MOF_I: "open science, MOF I",
    Rung.MOF_II: "open tooling, MOF II",
    Rung.MOF_III: "open model, MOF III",
    Rung.OPEN_WEIGHTS: "open weights",
    Rung.COMMUNITY_WEIGHTS: "community terms",
    Rung.RESTRICTED_WEIGHTS: "restricted terms",
}
_USERS_WORDS = dict(zip(USERS_STEPS, ("10 thousand", "1 million", "100 million", "1 billion"), strict=True))


def _number(text: str) -> int | None:
    """Return a number as people type it, with or without separators."""
    return whole_number(text.translate(str.maketrans("", "", ", .'_")))


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: how the form sends it, how it reads, how many would fit."""

    value: str
    words: str
    count: int
    chosen: bool
    rung: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """A wish that is in force, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True, slots=True)
class Wish:
    """The state of a list."""

    text: str = ""
    sort: str = "recent"
    task: str = ""
    library: str = ""
    license: str = ""
    binding: str = ""
    uses: tuple[str, ...] = ()
    users: int | None = None
    openness: int | None = None

    @classmethod
    def read(cls, request: HttpRequest) -> "Wish":
        """Read the query string; what makes no sense counts as not wished for."""
        get = request.GET
        words = {name: get.get(name, "").strip()[:100] for name in ("task", "library", "license", "binding")}
        sort = get.get("sort", "recent")
        rung = whole_number(get.get("openness", ""))
        return cls(
            text=get.get("q", "").strip()[:200], sort=sort if sort in SORTS else "recent", **words,
            uses=tuple(use for use in USES if use in get.getlist("use")),
            users=_number(get.get("users-exactly", "")) or _number(get.get("users", "")),
            openness=rung if rung in RUNGS else None,
        )  # fmt: skip

    def query(self, type_: str) -> search.Query:
        """Return the search behind this state."""
        return search.Query(
            type=type_, text=self.text, task=self.task, library=self.library, license=self.license,
            binding=self.binding, uses=self.uses, users=self.users, openness=self.openness, sort=SORTS[self.sort][1],
        )  # fmt: skip

    @property
    def is_narrow(self) -> bool:
        """True where the list is not everything."""
        return bool(self.text) or self.has_filters

    @property
    def has_filters(self) -> bool:
        return bool(self.task or self.library or self.license or self.binding) or self.asks_terms

    @property
    def asks_terms(self) -> bool:
        """True where only settled terms can answer."""
        return bool(self.uses) or self.users is not None or self.openness is not None


def chips(wish: Wish, get: QueryDict, here: str) -> list[Chip]:
    """Return the wishes in force, each with the address of the list without it."""
    found = [("use", use, I_WANT[use]) for use in wish.uses]
    if wish.users is not None:
        found.append(("users", "", f"for {wish.users:,} monthly users"))
    if wish.openness is not None:
        found.append(("openness", "", f"{RUNGS[wish.openness]} or more open"))
    found += [("binding", "", f"bound by {license_title(wish.binding)}")] if wish.binding else []
    found += [("license", "", f"declared {license_title(wish.license)}")] if wish.license else []
    found += [
        (name, "", value.replace("-", " ")) for name, value in (("task", wish.task), ("library", wish.library)) if value
    ]  # fmt: skip
    return [Chip(words, _without(get, here, name, value)) for name, value, words in found]


def _without(get: QueryDict, here: str, name: str, value: str) -> str:
    rest = get.copy()
    rest.setlist(name, [one for one in rest.getlist(name) if value and one != value])
    gone = ["after", "users-exactly"] if name == "users" else ["after"]
    for empty in [key for key in rest if not any(rest.getlist(key))] + gone:
        rest.pop(empty, None)
    return f"{here}?{rest.urlencode()}" if rest else here


def choices(wish: Wish, counted: Counts, type_: str) -> dict[str, list[Choice]]:
    """Return what the filters offer; those about terms for models only, since data sets are shown and never held."""
    found = {name: list(_commonest(wish, counted, name)) for name in ("task", "library", "license")}
    if type_ != Repo.Type.MODEL:
        return found
    values: Any = counted.values
    uses = [Choice(use, words, values["use"].get(use, 0), use in wish.uses) for use, words in I_WANT.items()]
    users = [
        Choice(str(step), f"{words} a month", values["users"].get(str(step), 0), wish.users == step)
        for step, words in _USERS_WORDS.items()
    ]
    if wish.users is not None and wish.users not in _USERS_WORDS:
        users.append(Choice(str(wish.users), f"{wish.users:,} a month", counted.total, True))
    rungs = [
        Choice(str(int(rung)), words, values["openness"].get(str(int(rung)), 0), wish.openness == rung, int(rung))
        for rung, words in RUNGS.items()
    ]  # fmt: skip
    return {"use": uses, "users": users, "openness": rungs, **found}


def _commonest(wish: Wish, counted: Counts, name: str) -> Iterator[Choice]:
    chosen: str = getattr(wish, name)
    listed = counted.top(name, MAX_CHOICES)
    if chosen and chosen not in dict(listed):
        listed.append((chosen, counted.values[name].get(chosen, 0)))
    for value, count in listed:
        yield Choice(value, value, count, value == chosen)
