"""A repo's terms in one sentence, for the head of its pages: from its own row alone."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog import clearing
from hub.catalog.clearing import Clearance
from hub.catalog.models import Repo
from hub.catalog.panel import Pending
from hub.pages.languages import numeral
from hub.pages.saying import listed, said
from hub.pages.standing import FREE, standing_of
from licenses.identifiers import license_title
from licenses.models import Case
from licenses.openness import Rung
from licenses.policy import Mode

MOST_NAMED = 2
# What is longer is read on the licence tab.
MOST_SAID = 220
_LARGE = ((10**9, gettext_noop("%(number)s billion")), (10**6, gettext_noop("%(number)s million")))


@dataclass(frozen=True, slots=True)
class Summary:
    """``seal`` and ``title`` name the terms, ``sub`` says who says so; ``strong`` and ``rest`` make the sentence."""

    seal: str
    title: str
    sub: str
    strong: str
    rest: str
    rung: int = 0

    @property
    def is_settled(self) -> bool:
        return self.seal in ("proven", "terms", "declared")


def summary_of(repo: Repo, declared: str, pending: Pending) -> Summary:
    """Say what the terms come to; ``declared`` is what the card of the revision at hand names."""
    named = license_title(declared) if declared else ""
    if repo.clearance == Clearance.SUSPENDED:
        return Summary(
            "rejected",
            named or _("None declared"),
            _("suspended"),
            _("It is suspended."),
            _("Nothing is handed out."),
        )
    if clearing.is_released(repo) and repo.concluded:
        return _settled(repo)
    if clearing.mode() is Mode.OFF or repo.type != Repo.Type.MODEL:
        return _claimed(named)
    return _open(repo, named or _("None declared"), pending)


def _open(repo: Repo, named: str, pending: Pending) -> Summary:
    """Say what is in the way, where that is short, and who is to act."""
    standing = standing_of(repo)
    if not standing.is_open:
        return Summary(standing.seal, named, standing.word, "", "")
    word, _then = _STEPS.get(pending.state, ("", ""))
    reason = _("not settled: %(reason)s") % {"reason": _(word)} if word else standing.word
    is_settling = repo.clearance not in (Clearance.BLOCKED, Clearance.HELD)
    first = pending.points[0].message if pending.points else ""
    if not first or len(first) > MOST_SAID:
        words = said(clearing.words_for(repo))
        first = f"{words[0].upper()}{words[1:]}."
    strong = _("Not settled yet.") if is_settling else _("Not settled.")
    return Summary(standing.seal, named, reason, strong, f"{said(first)} {_until(repo, pending)}".strip())


def _until(repo: Repo, pending: Pending) -> str:
    if not clearing.is_held(repo):
        return ""
    if pending.state in ("blocked", "needs-info", "rejected"):
        return _("Until its owners fix this, only members can pull it.")
    return _("Until that is settled, only members can pull it.")


def _claimed(named: str) -> Summary:
    if not named:
        return Summary("unknown", _("None declared"), _("ask its makers before you use it"), "", "")
    return Summary(
        "unknown", named, _("declared by its card, not reviewed"), "",
        _("The licence is what the card says; nobody has reviewed it."),
    )  # fmt: skip


def _settled(repo: Repo) -> Summary:
    names = [license_title(one) for one in repo.concluded]
    more = _("%(names)s and %(number)s more") % {
        "names": ", ".join(names[:MOST_NAMED]),
        "number": len(names) - MOST_NAMED,
    }
    title = more if len(names) > MOST_NAMED else listed(names)
    declared = repo.clearance == Clearance.DECLARED
    free = set(repo.uses) >= FREE
    strong, rest = _sentence(repo, free=free)
    settled = _("settled") if free else _("settled, with terms")
    words = _("on its card’s word: no text here proves it") if declared else settled
    return Summary(
        "declared" if declared else "proven" if free else "terms", title, words, strong, rest, repo.openness
    )


def _sentence(repo: Repo, *, free: bool) -> tuple[str, str]:
    below = _(" below %(number)s monthly users")
    limit = below % {"number": in_words(repo.users_limit)} if repo.users_limit else ""
    if "commercial" in repo.uses:
        rest = _(", change it and hand it on, for any purpose.") if free else _(", within its terms.")
        if repo.clearance == Clearance.DECLARED:
            return _("On its card’s word you may use this commercially"), f"{limit}{rest}"
        return _("You may use this commercially"), f"{limit}{rest}"
    if repo.openness == Rung.RESTRICTED_WEIGHTS:
        return _("Not for commercial use."), _("Its terms allow research or other non-commercial use.")
    rest = _("; commercial use has conditions, or is not known to be allowed.")
    return _("You may use this on its terms"), f"{limit}{rest}"


def in_words(number: int) -> str:
    """Return a count as people say it: ``700 million``."""
    for scale, word in _LARGE:
        if number >= scale and number % (scale // 10) == 0:
            return _(word) % {"number": numeral(f"{number / scale:g}")}
    return numeral(f"{number:,}")


@dataclass(frozen=True, slots=True)
class Step:
    """Where a review stands, and what comes next for the one who reads it; the seal is that of the repo's head."""

    seal: str
    state: str
    next: str


# What each state of a case is called, and what comes next; the seal is that of the standing.
_STEPS: dict[str, tuple[str, str]] = {
    "scanning": (
        gettext_noop("being read"),
        gettext_noop("The texts and the line of descent are being read. This takes seconds."),
    ),
    "clear": (gettext_noop("cleared by policy"), ""),
    "declared": (
        gettext_noop("cleared on the card’s word"),
        gettext_noop("Add the text of the licence, and it is cleared in full."),
    ),
    "blocked": (
        gettext_noop("blocked by policy"),
        gettext_noop("Mend what is listed below and push to main: it is read again at once."),
    ),
    "in-review": (
        gettext_noop("waits for a review"),
        gettext_noop("A reviewer reads it next. Whatever you mend before shortens that."),
    ),
    "second-review": (
        gettext_noop("waits for a second person"),
        gettext_noop("One reviewer has answered; another has to."),
    ),
    "needs-info": (
        gettext_noop("waits for its owners"),
        gettext_noop("A reviewer asked for changes. Push them to main."),
    ),
    "appealed": (
        gettext_noop("appealed"),
        gettext_noop("A reviewer who did not reject it reads the appeal."),
    ),
    "stale": (
        gettext_noop("to be read again"),
        gettext_noop("Something that the decision rested on has changed, or it has run out."),
    ),
    "approved": (gettext_noop("approved"), ""),
    "rejected": (
        gettext_noop("rejected"),
        gettext_noop("The reasons and the terms cited are below. Mend them, or appeal."),
    ),
    "suspended": (
        gettext_noop("suspended"),
        gettext_noop("Nothing is handed out until a reviewer lifts it."),
    ),
    "withdrawn": (gettext_noop("withdrawn"), gettext_noop("It was withdrawn for good.")),
}


def step_of(case: Case | None, repo: Repo, *, may_write: bool) -> Step:
    """Return the state of a review in words; what to do is told to those who can do it."""
    seal = standing_of(repo).seal
    if clearing.mode() is Mode.OFF and case is None:
        return Step(
            seal,
            _("not reviewed"),
            _("This hub does not review terms. The card’s word is all there is."),
        )
    if case is None:
        return Step(seal, _("not read yet"), _("It is read with its next push to main."))
    state, then = _STEPS.get(case.state, (case.state, ""))
    if not may_write and case.state in ("blocked", "needs-info", "rejected", "declared"):
        then = gettext_noop("Its owners know what is asked of them.") if case.state != "declared" else ""
    return Step(seal, _(state), _(then) if then else "")
