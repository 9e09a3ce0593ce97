"""Where a repo's terms stand: one seal and one word for it, for every page that shows it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog import clearing
from hub.catalog.clearing import Clearance
from hub.catalog.models import Repo
from licenses.cases import State
from licenses.policy import Mode

# What there is to keep where all of these are allowed: a notice at most.
FREE = frozenset({"commercial", "redistribute", "modify", "no-field-of-use-limits"})
_OPEN = {
    Clearance.SCANNING: ("pending", gettext_noop("being read")),
    Clearance.CLEAR: ("pending", gettext_noop("being read again")),
    Clearance.DECLARED: ("pending", gettext_noop("being read again")),
    Clearance.HELD: ("pending", gettext_noop("not settled yet")),
    Clearance.BLOCKED: ("rejected", gettext_noop("held")),
    Clearance.SUSPENDED: ("rejected", gettext_noop("suspended")),
}
_RELEASED = {Clearance.CLEAR: "proven", Clearance.DECLARED: "declared"}


@dataclass(frozen=True, slots=True)
class Standing:
    """``seal`` names the sign and its colour, ``word`` says the same; ``is_settled`` where licences bind by now."""

    seal: str
    word: str
    is_settled: bool = False

    @property
    def is_open(self) -> bool:
        """True where somebody has yet to settle the terms, or has refused them."""
        return self.seal in ("pending", "rejected")


def standing_of(repo: Repo) -> Standing:
    """Return where the terms of a repo stand, from its own row alone."""
    if repo.clearance != Clearance.SUSPENDED:
        if clearing.is_released(repo) and repo.concluded:
            return _settled(repo)
        if clearing.mode() is Mode.OFF or not clearing.holds_weights(repo):
            return Standing("unknown", _("as its card says") if repo.license else _("none declared"))
        if repo.clearance == Clearance.SCANNING and repo.scans_asked <= repo.scans_done:
            return Standing("unknown", _("not read yet"))
    return _open(repo.clearance)


def standing_above(clearance: str) -> Standing | None:
    """Return where the terms of an ancestor stand, of which only the clearance is at hand; None where they bind."""
    is_silent = clearing.mode() is Mode.OFF and clearance != Clearance.SUSPENDED
    return None if not clearance or is_silent or clearance in clearing.RELEASED else _open(clearance)


def seal_of_state(state: str) -> str:
    """Return the seal of a case's state: that of the standing which the state gives to its repo."""
    clearance = clearing.OF_STATE[State(state)]
    return _RELEASED.get(clearance) or _open(clearance).seal


def _open(clearance: str) -> Standing:
    seal, word = _OPEN[Clearance(clearance)]
    return Standing(seal, _(word))


def _settled(repo: Repo) -> Standing:
    if repo.clearance == Clearance.DECLARED:
        return Standing("declared", _("on its card’s word"), is_settled=True)
    if set(repo.uses) >= FREE:
        return Standing("proven", _("settled"), is_settled=True)
    return Standing("terms", _("settled, with terms"), is_settled=True)
