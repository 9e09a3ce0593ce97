"""Which filters a list offers, with what each would bring."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.facets import Counts
from hub.catalog.memory import DEVICES
from hub.catalog.models import Repo
from hub.catalog.traits import STEPS
from hub.pages.facetwords import I_WANT, RUNGS, STATES, USERS, step_words, value_words
from hub.pages.languages import numeral
from hub.pages.wishes import Wish

MAX_CHOICES = 24
# So many are seen at once; the others unfold.
FIRST = 6
# Facet, title, and whether it is unfolded before anything is chosen in it.
_LISTS = (
    ("format", gettext_noop("Format"), True),
    ("state", gettext_noop("Verified"), True),
    ("task", gettext_noop("Task"), True),
    ("library", gettext_noop("Library"), False),
    ("dtype", gettext_noop("Number type"), False),
    ("architecture", gettext_noop("Architecture"), False),
    ("language", gettext_noop("Language"), False),
    ("base", gettext_noop("Made from"), False),
    ("author", gettext_noop("Owner"), False),
)
_OF_DATASETS = ("task", "language", "author")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: how the form sends it, how it reads, how many would fit."""

    value: str
    words: str
    count: int
    chosen: bool
    rung: int = 0


@dataclass(frozen=True, slots=True)
class Facet:
    """One group of filters.  Of boxes several may be ticked, of a list one is chosen."""

    name: str
    title: str
    choices: Sequence[Choice]
    boxes: bool = False
    unfolded: bool = True

    @property
    def is_chosen(self) -> bool:
        return any(choice.chosen for choice in self.choices)

    @property
    def first(self) -> Sequence[Choice]:
        return self.choices if self.boxes or self.name in ("users", "openness") else self.choices[:FIRST]

    @property
    def others(self) -> Sequence[Choice]:
        return self.choices[len(self.first) :]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the sizes: its height of 100, and whether it is within what is wished for."""

    height: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Sizes:
    """The facet of sizes: how many models there are between each two steps, and what can be chosen."""

    bars: Sequence[Bar]
    least: Sequence[tuple[int, str, bool]]
    most: Sequence[tuple[int, str, bool]]


def sizes(wish: Wish, counted: Counts) -> Sizes | None:
    """Return the facet of sizes; None where no size is known."""
    table = counted.values["size"]
    if not table and not wish.least and not wish.most:
        return None
    numbers = [table.get(str(at), 0) for at in range(len(STEPS) + 1)]
    highest = max([*numbers, 1])
    low = STEPS.index(wish.least) + 1 if wish.least else 0
    high = STEPS.index(wish.most) if wish.most else len(STEPS)
    bars = [
        Bar(max(round(100 * number / highest), 4 if number else 0), low <= at <= high)
        for at, number in enumerate(numbers)
    ]  # fmt: skip
    return Sizes(
        bars,
        [(step, step_words(step), step == wish.least) for step in STEPS],
        [(step, step_words(step), step == wish.most) for step in STEPS],
    )


def offered(wish: Wish, counted: Counts, type_: str) -> dict[str, Any]:
    """Return what the filters offer: facets before that of sizes, it, and facets behind it.

    Those about terms are for models only, since data sets are shown and never held.
    """
    licenses = Facet("license", _("Licence, as declared"), _commonest(wish, counted, "license"))
    if type_ != Repo.Type.MODEL:
        behind = [_listed(wish, counted, *one) for one in _LISTS if one[0] in _OF_DATASETS]
        return {"ahead": [licenses], "behind": [facet for facet in behind if facet.choices]}
    uses = [
        Choice(use, _(words), counted.values["use"].get(use, 0), use in wish.uses)
        for use, words in I_WANT.items()
    ]
    reached = counted.values["openness"]
    rungs = [
        Choice(str(int(rung)), _(words), reached.get(str(int(rung)), 0), wish.openness == rung, int(rung))
        for rung, words in RUNGS.items()
    ]
    wanted = Facet("use", _("I want to"), uses, boxes=True)
    ahead = [wanted, _users(wish, counted), _devices(wish, counted), licenses]
    behind = [
        Facet("openness", _("Openness, at least"), rungs),
        *(_listed(wish, counted, *one) for one in _LISTS),
    ]
    return {
        "ahead": [facet for facet in ahead if facet.choices], "sizes": sizes(wish, counted),
        "behind": [facet for facet in behind if facet.choices],
    }  # fmt: skip


def _users(wish: Wish, counted: Counts) -> Facet:
    found = [
        Choice(
            str(step),
            _("%(number)s a month") % {"number": _(words)},
            counted.values["users"].get(str(step), 0),
            wish.users == step,
        )
        for step, words in USERS.items()
    ]
    if wish.users is not None and wish.users not in USERS:
        words = _("%(number)s a month") % {"number": numeral(f"{wish.users:,}")}
        found.append(Choice(str(wish.users), words, counted.total, True))
    return Facet("users", _("My company’s users"), found, unfolded=wish.users is not None)


def _devices(wish: Wish, counted: Counts) -> Facet:
    """Return what people have, from small to large: the facet of models that run in it."""
    known = counted.values["fits"]
    table = [(str(device), known.get(str(device), 0)) for device in DEVICES]
    listed = [(device, count) for device, count in table if count or device == wish.fits]
    return Facet("fits", _("Runs in memory of"), _choices("fits", listed, wish.fits))


def _listed(wish: Wish, counted: Counts, name: str, title: str, unfolded: bool) -> Facet:
    if name == "state":
        states = [
            Choice(state, _(words), counted.values["state"].get(state, 0), state in wish.states)
            for state, words in STATES.items()
        ]  # fmt: skip
        return Facet("state", _(title), states, boxes=True)
    choices = _commonest(wish, counted, name)
    return Facet(name, _(title), choices, unfolded=unfolded or any(choice.chosen for choice in choices))


def _commonest(wish: Wish, counted: Counts, name: str) -> list[Choice]:
    chosen: str = getattr(wish, name)
    listed = counted.top(name, MAX_CHOICES)
    if name == "author":
        chosen = next((one for one in counted.values[name] if one.lower() == chosen.lower()), chosen)
    if chosen and chosen not in dict(listed):
        listed.insert(0, (chosen, counted.values[name].get(chosen, 0)))
    return _choices(name, listed, chosen)


def _choices(name: str, listed: Iterable[tuple[str, int]], chosen: str) -> list[Choice]:
    return [Choice(value, value_words(name, value), count, value == chosen) for value, count in listed]
