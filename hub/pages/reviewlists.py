"""What a reviewer reads of a case in parts: questions by what they are about, data sets folded into one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.deskfacts import Ancestor
from licenses.ancestry import Relation
from licenses.checklists import Item

# So many data sets stand as lines of their own.
FEW = 3
# In this order; an item that none of them names is about the text.
_PARTS: dict[str, frozenset[str]] = {
    gettext_noop("The text"): frozenset(),
    gettext_noop("What it may be used for"): frozenset(
        "hub-may-host commerce sizes regions fields who-counts outputs changes-allowed derived-bound"
        " consent-asked".split()
    ),
    gettext_noop("What it asks in return"): frozenset(
        "holder-named notices-kept changes-told name-kept credit-shown notice-line duties-exact data-asked".split()
    ),
    gettext_noop("How it ends"): frozenset("may-end patents law-known".split()),
}


def parts_of(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Return the questions of a checklist by what they are about, in the order of the list."""
    named = frozenset().union(*_PARTS.values())
    found = [
        (title, [one for one in items if one.id in ids or (not ids and one.id not in named)])
        for title, ids in _PARTS.items()
    ]
    return [(_(title), members) for title, members in found if members]


@dataclass(frozen=True, slots=True)
class Origins:
    """What a model comes from: lines of their own, and the data sets of which nothing is open, folded."""

    lines: tuple[Ancestor, ...]
    data_sets: tuple[Ancestor, ...]

    @property
    def unknown(self) -> int:
        """How many of the folded have a licence that is not known."""
        return sum(not one.licenses for one in self.data_sets)


def origins_of(ancestors: Sequence[Ancestor]) -> Origins:
    """Fold the data sets where there are more than a few."""
    quiet = [
        one for one in ancestors if one.relation == Relation.DATASET and not one.open and not one.by_reviewer
    ]
    if len(quiet) <= FEW:
        quiet = []
    return Origins(tuple(one for one in ancestors if one not in quiet), tuple(quiet))
