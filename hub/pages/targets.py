"""Where a change made on a page goes: to the branch that is looked at, or as a proposal to those who keep it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.lookups import Located
from hub.catalog.names import candidate_refs
from hub.catalog.refs import BRANCH, PULL, short_name


@dataclass(frozen=True, slots=True)
class Target:
    """What a form may offer: a commit on ``name`` itself, a proposal to it, both or (with a reason) neither."""

    name: str
    direct: bool
    proposal: bool
    reason: str = ""


def target_of(viewer: Viewer, at: Located) -> Target:
    """Return where a change to a revision may go."""
    may_write = access.may_write(viewer, at.repo)
    ref = at.repo.refs.filter(name__in=candidate_refs(at.revision)).order_by("name").first()
    if ref is None or not ref.name.startswith((BRANCH, PULL)):
        return Target(at.revision, False, False, _("This is not a branch, so nothing can be added to it."))
    if ref.name.startswith(PULL):
        number = ref.name.removeprefix(PULL)
        own = at.repo.discussions.filter(number=number, author=viewer.user).exists()
        allowed = may_write or (own and access.may_propose(viewer, at.repo))
        return Target(ref.name, allowed, False, "" if allowed else _("This proposal is somebody else's."))
    proposal = access.may_propose(viewer, at.repo)
    reason = "" if may_write or proposal else _("You may not change this repository.")
    return Target(short_name(ref), may_write, proposal, reason)
