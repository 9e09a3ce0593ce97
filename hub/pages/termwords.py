"""A repo's terms in one sentence, for the head of its pages: from its own row alone."""

from dataclasses import dataclass

from hub.catalog import clearing
from hub.catalog.clearing import Clearance
from hub.catalog.models import Repo
from licenses.identifiers import license_title
from licenses.models import Case
from licenses.openness import Rung
from licenses.policy import Mode

_LARGE = ((10**9, "billion"), (10**6, "million"))


@dataclass(frozen=True, slots=True)
class Summary:
    """``seal`` and ``title`` name the terms, ``sub`` says who says so; ``strong`` and ``rest`` make the sentence."""

    seal: str
    title: str
    sub: str
    strong: str
    rest: str
    rung: int = 0


def summary_of(repo: Repo, declared: str) -> Summary:
    """Say what the terms come to; ``declared`` is what the card of the revision at hand names."""
    named = license_title(declared) if declared else ""
    if repo.clearance == Clearance.SUSPENDED:
        return Summary(
            "rejected", named or "None declared", "suspended", "It is suspended.", "Nothing is handed out."
        )
    if clearing.is_released(repo) and repo.concluded:
        return _settled(repo)
    if clearing.mode() is Mode.OFF or repo.type != Repo.Type.MODEL:
        return _claimed(named)
    reason = clearing.words_for(repo)
    seal = "rejected" if repo.clearance == Clearance.BLOCKED else "pending"
    held = clearing.is_held(repo)
    rest = f"{reason[0].upper()}{reason[1:]}." + (" Until then only its members can pull." if held else "")
    return Summary(
        seal, named or "None declared", f"not settled: {reason}", "Its terms are not settled.", rest
    )


def _claimed(named: str) -> Summary:
    if not named:
        return Summary("unknown", "None declared", "ask its makers before you use it", "", "")
    return Summary(
        "unknown", named, "declared by its card, not reviewed", "",
        "The licence is what the card says; nobody has reviewed it.",
    )  # fmt: skip


def _settled(repo: Repo) -> Summary:
    names = [license_title(one) for one in repo.concluded]
    title = " and ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    declared = repo.clearance == Clearance.DECLARED
    free = set(repo.uses) >= {"commercial", "redistribute", "modify", "no-field-of-use-limits"}
    strong, rest = _sentence(repo, free=free)
    said = (
        "on its card’s word: no text here proves it"
        if declared
        else "settled" + ("" if free else ", with terms")
    )
    return Summary(
        "declared" if declared else "proven" if free else "terms", title, said, strong, rest, repo.openness
    )


def _sentence(repo: Repo, *, free: bool) -> tuple[str, str]:
    limit = f" below {in_words(repo.users_limit)} monthly users" if repo.users_limit else ""
    if "commercial" in repo.uses:
        rest = ", change it and hand it on, for any purpose." if free else ", within its terms."
        return "You may use this commercially", f"{limit}{rest}"
    if repo.openness == Rung.RESTRICTED_WEIGHTS:
        return "Not for commercial use.", "Its terms allow research or other non-commercial use."
    return (
        "You may use this on its terms",
        f"{limit}; commercial use has conditions, or is not known to be allowed.",
    )


def in_words(number: int) -> str:
    """Return a count as people say it: ``700 million``."""
    for scale, word in _LARGE:
        if number >= scale and number % (scale // 10) == 0:
            return f"{number / scale:g} {word}"
    return f"{number:,}"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a review stands, and what comes next for the one who reads it."""

    seal: str
    state: str
    next: str


_STEPS: dict[str, tuple[str, str, str]] = {
    "scanning": (
        "pending",
        "being read",
        "The texts and the line of descent are being read. This takes seconds.",
    ),
    "clear": ("proven", "cleared by policy", ""),
    "declared": (
        "declared",
        "cleared on the card’s word",
        "Add the text of the license, and it is cleared in full.",
    ),
    "blocked": (
        "rejected",
        "blocked by policy",
        "Mend what is listed below and push to main: it is read again at once.",
    ),
    "in-review": (
        "pending",
        "waits for a review",
        "A reviewer reads it next. Whatever you mend before shortens that.",
    ),
    "second-review": ("pending", "waits for a second person", "One reviewer has answered; another has to."),
    "needs-info": ("warn", "waits for its owners", "A reviewer asked for changes, below. Push them to main."),
    "appealed": ("pending", "appealed", "A reviewer who did not reject it reads the appeal."),
    "stale": (
        "warn",
        "to be read again",
        "Something that the decision rested on has changed, or it has run out.",
    ),
    "approved": ("proven", "approved", ""),
    "rejected": ("rejected", "rejected", "The reasons and the terms cited are below. Mend them, or appeal."),
    "suspended": ("rejected", "suspended", "Nothing is handed out until a reviewer lifts it."),
    "withdrawn": ("rejected", "withdrawn", "It was withdrawn for good."),
}


def step_of(case: Case | None, repo: Repo, *, may_write: bool) -> Step:
    """Return the state of a review in words; what to do is told to those who can do it."""
    if clearing.mode() is Mode.OFF and case is None:
        return Step(
            "unknown", "not reviewed", "This hub does not review terms. The card’s word is all there is."
        )
    if case is None:
        return Step("pending", "not read yet", "It is read with its next push to main.")
    seal, state, then = _STEPS.get(case.state, ("unknown", case.state, ""))
    if not may_write and case.state in ("blocked", "needs-info", "rejected", "declared"):
        then = "Its owners know what is asked of them." if case.state != "declared" else ""
    return Step(seal, state, then)
