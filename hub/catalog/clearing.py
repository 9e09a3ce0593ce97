"""Whether a repo's terms let its bytes out, as its own row says, and in which words that is told.

``HUB_REVIEW`` decides how much that counts: ``enforced`` refuses, ``advisory`` only tells, ``off`` does not ask.  What
an administrator suspended is refused in all of them.
"""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from hub.catalog.errors import AccessRestricted, RepoDisabled, TermsHeld, TermsNotAccepted
from hub.catalog.models import Repo
from licenses.cases import State
from licenses.policy import Mode

Clearance = Repo.Clearance
RELEASED = (Clearance.CLEAR, Clearance.DECLARED)
# Where a case stands, in the words of the repo's own column.
OF_STATE = {
    State.SCANNING: Clearance.SCANNING,
    State.CLEAR: Clearance.CLEAR,
    State.DECLARED: Clearance.DECLARED,
    State.BLOCKED: Clearance.BLOCKED,
    State.IN_REVIEW: Clearance.HELD,
    State.SECOND_REVIEW: Clearance.HELD,
    State.NEEDS_INFO: Clearance.HELD,
    State.APPEALED: Clearance.HELD,
    State.STALE: Clearance.HELD,
    State.APPROVED: Clearance.CLEAR,
    State.REJECTED: Clearance.BLOCKED,
    State.SUSPENDED: Clearance.SUSPENDED,
    State.WITHDRAWN: Clearance.SUSPENDED,
}
# Tags that `commits.describe_head` gives by what lies in a tree.
_FORMATS = frozenset({"safetensors", "gguf", "onnx"})
SAYS = {
    Clearance.SCANNING: "its terms are being read",
    Clearance.CLEAR: "its clearance has run out, and its terms are read again",
    Clearance.DECLARED: "its clearance has run out, and its terms are read again",
    Clearance.HELD: "its terms wait for a review",
    Clearance.BLOCKED: "its terms stand in the way",
    Clearance.SUSPENDED: "it is suspended",
}


def mode() -> Mode:
    """Return how this hub reviews."""
    return Mode(settings.HUB_REVIEW)


def is_enforced() -> bool:
    """Say whether what is not cleared or not accepted is refused."""
    return mode() is Mode.ENFORCED


def is_released(repo: Repo, now: datetime | None = None) -> bool:
    """Say whether a repo's terms are cleared, and the clearance has not run out."""
    lasting = repo.cleared_until is None or repo.cleared_until > (now or timezone.now())
    return repo.clearance in RELEASED and lasting


def holds_weights(repo: Repo) -> bool:
    """Say whether a repo is held to its terms: every model, and a data set in which weights lie."""
    return repo.type == Repo.Type.MODEL or not _FORMATS.isdisjoint(repo.tags)


def is_held(repo: Repo) -> bool:
    """Say whether everyone but members and reviewers is refused; data sets of tables are read and shown only."""
    if repo.clearance == Clearance.SUSPENDED:
        return True
    return is_enforced() and not is_released(repo) and holds_weights(repo)


def asks_consent(repo: Repo) -> bool:
    """Say whether readers have to accept terms first."""
    return bool(repo.consent) and is_enforced() and holds_weights(repo)


def words_for(repo: Repo) -> str:
    """Return in a few words why a repo is held."""
    return SAYS[Clearance(repo.clearance)]


def terms_url(repo: Repo) -> str:
    """Return the address of the page that shows a repo's terms, where one can accept them or see what is open."""
    base = settings.HUB_PUBLIC_URL or f"http://127.0.0.1:{settings.HUB_PORT}"
    return f"{base}{terms_page(repo)}"


def page_of(repo: Repo) -> str:
    """Return the path of a repo's first page."""
    return f"/datasets/{repo.full_name}" if repo.type == Repo.Type.DATASET else f"/{repo.full_name}"


def terms_page(repo: Repo) -> str:
    """Return the path of the page that says what is open."""
    return f"{page_of(repo)}/license"


def refusal(repo: Repo, reason: str) -> AccessRestricted | RepoDisabled:
    """Return the error that tells a viewer why they may not have the bytes, and where to go."""
    if reason == "disabled":
        return RepoDisabled("Access to this resource is disabled.")
    if reason == "held":
        return TermsHeld(f"{repo.full_name} is held: {words_for(repo)}. See {terms_url(repo)}")
    if reason == "terms":
        return TermsNotAccepted(
            f"{repo.full_name} is under terms that ask for your consent: {', '.join(repo.concluded)}. "
            f"Read and accept them at {terms_url(repo)}"
        )
    return AccessRestricted(
        f"Access to {repo.type} {repo.full_name} is restricted and you are not in the authorized list. "
        f"Visit the {repo.type}'s page to ask for access."
    )
