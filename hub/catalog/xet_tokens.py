"""Tokens for the chunk store, and the domains under which clients may name chunks.

A token says who asked, for which repo and for what.  It is no key by itself: every call asks the gate again.
"""

import time
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.catalog import access, refs
from hub.catalog.commits import find_target
from hub.catalog.errors import EntryNotFound, NotAllowed, SignInNeeded
from hub.catalog.lookups import DEFAULT_REVISION
from hub.catalog.models import Repo
from hub.catalog.tickets import Ticket, identity_of
from storage import dedup

TOKEN_SECONDS = 3600
# The client takes a refusal of its token for the end, so one that it still uses late is honoured for hours.
GRACE_SECONDS = 12 * 3600
READ, WRITE, PROPOSE = "read", "write", "propose"


@dataclass(frozen=True, slots=True)
class XetToken(Ticket):
    """Permission to read or write chunks for one repo, in one domain of one epoch."""

    salt = "xet"
    lifetime: ClassVar[int | None] = TOKEN_SECONDS + GRACE_SECONDS

    right: str
    domain: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Grant:
    """A signed token, its end in seconds since 1970, and the place that its client's memory belongs to."""

    token: str
    expires: int
    domain: str
    epoch: int


def grant_read(viewer: Viewer, repo: Repo) -> Grant:
    """Return a token to read the repo's files by chunks; asks the gate."""
    access.require_pull(viewer, repo)
    return _grant(viewer, repo, READ, str(repo.namespace_id))


def grant_write(viewer: Viewer, repo: Repo, *, revision: str, create_pr: bool) -> Grant:
    """Return a token to upload chunks of files that are to be committed to ``revision``."""
    if create_pr:
        access.require_propose(viewer, repo)
        right = PROPOSE
    else:
        # The library spells "no revision" as a word.
        target = find_target(
            viewer, repo, DEFAULT_REVISION if revision in ("", "None") else revision, create_pr=False
        )
        right = WRITE if target.name.startswith(refs.BRANCH) else PROPOSE
    return _grant(viewer, repo, right, _domain(viewer, repo))


def _domain(viewer: Viewer, repo: Repo) -> str:
    """Return under which domain the viewer uploads.

    Whoever may read everything in the repo's namespace shares what it holds.  A guest who proposes a change
    uploads under a domain of their own and learns nothing of what else is here; so does a token that may not do
    all that its user may.
    """
    if viewer.user is None:
        raise SignInNeeded("Sign in to upload.")
    if viewer.is_narrowed and viewer.token is not None:
        return f"t{viewer.token.pk}"
    if access.rights_of(viewer, repo).is_member:
        return str(repo.namespace_id)
    own = Namespace.objects.filter(user=viewer.user).values_list("pk", flat=True).first()
    return f"u{viewer.user.pk}" if own is None else str(own)


def _grant(viewer: Viewer, repo: Repo, right: str, domain: str) -> Grant:
    if not settings.HUB_XET:
        raise EntryNotFound("This hub takes no chunks (HUB_XET=0). Set HF_HUB_DISABLE_XET=1 and try again.")
    epoch = dedup.current_epoch()
    text = XetToken(str(repo.pk), *identity_of(viewer), right, domain, epoch).sign()
    return Grant(text, int(time.time()) + TOKEN_SECONDS, domain, epoch)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the chunk store, for which repo, and in which domain."""

    viewer: Viewer
    repo: Repo
    right: str
    domain: str


def admit(token: XetToken, *, domain: str, epoch: int) -> Caller:
    """Ask the gate again for the token's user; raises what it says, NotAllowed for a token of another place."""
    if (token.domain, token.epoch) != (domain, epoch):
        raise NotAllowed("This token was made for another part of the chunk store.")
    if not settings.HUB_XET:
        raise NotAllowed("This hub takes no chunks (HUB_XET=0).")
    viewer, repo = token.viewer(), token.find_repo()
    if token.right != READ and domain != _domain(viewer, repo):
        # Whoever has left the namespace since, or whose repo has moved, is no longer at home in its domain.
        raise NotAllowed("This token was made for a namespace that its user no longer shares.")
    if token.right == WRITE:
        access.require_write(viewer, repo)
    elif token.right == PROPOSE:
        access.require_propose(viewer, repo)
    return Caller(viewer, repo, token.right, domain)


def require_upload(caller: Caller, *, epoch: int) -> None:
    """Raise NotAllowed unless the caller may upload into the store as it is now."""
    if caller.right not in (WRITE, PROPOSE):
        raise NotAllowed("This token can only read.")
    if epoch != dedup.current_epoch():
        raise NotAllowed("The chunk store was restored meanwhile. Begin the upload again.")


def may_know(caller: Caller) -> bool:
    """May the caller learn which chunks its domain holds?  Only who uploads into it, and so may read all of it."""
    return caller.right in (WRITE, PROPOSE)


def forget_all() -> int:
    """Make every client forget which chunks it has sent; returns the new epoch.  To be called after a restore."""
    return dedup.raise_epoch()
