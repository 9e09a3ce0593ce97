"""Discussions of a repo: finding and opening them.  What is said and done in one is for `talk`, merging for `merging`.

Whoever may propose changes to a repo may take part.  Lock order: the ref, the discussion.
"""

import logging
import math

import redis
from django.db import transaction
from django.db.models import Q

from hub import paces
from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import access, notices
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed, SignInNeeded, TooManyAtOnce, TooOften
from hub.catalog.models import Discussion, DiscussionEvent, Ref, Repo
from hub.catalog.refs import MAIN, PULL
from hub.paces import Pace

MAX_TITLE = 500
MAX_TEXT = 65_536
# Discussions and proposals that one guest may have open in one repo.
MAX_OPEN = 50
MAX_TOLD = 50
TOLD_TITLE = 200
# How often one person writes into repos of others, in all of them together.
GUESTS = (Pace(20, 600), Pace(200, 86_400))
_log = logging.getLogger(__name__)

# What people are told of; pages translate it.
SAYS = {
    "opened": "{name} opened a discussion: {title} ({repo} #{number})",
    "began": "{name} began a proposal: {title} ({repo} #{number})",
    "proposed": "{name} proposes a change: {title} ({repo} #{number})",
    "commented": "{name} commented: {title} ({repo} #{number})",
    "closed": "{name} closed: {title} ({repo} #{number})",
    "open": "{name} opened again: {title} ({repo} #{number})",
    "merged": "{name} merged: {title} ({repo} #{number})",
}

Kind, Status = DiscussionEvent.Kind, Discussion.Status
OPEN = (Status.OPEN, Status.DRAFT)


def require_voice(viewer: Viewer, repo: Repo) -> User:
    """Return who speaks; raises unless they may propose changes to the repo."""
    access.require_read(viewer, repo)
    if viewer.user is None:
        raise SignInNeeded("Sign in to take part in a discussion.")
    if not access.may_propose(viewer, repo):
        raise NotAllowed(
            "This token may not write here. Use one with the write role that covers this repository."
        )
    return viewer.user


def require_calm(viewer: Viewer, repo: Repo) -> None:
    """Count what a guest of a repo writes; raises TooOften where that is more than anybody can read."""
    if viewer.user is None or access.may_write(viewer, repo):
        return
    try:
        wait = paces.count(paces.key_of("guest", str(viewer.user.pk)), *GUESTS)
    except redis.RedisError as error:
        _log.warning("What %s wrote was not counted: %s", viewer.user.username, error)
        return
    if wait:
        left = f"{math.ceil(wait / 60)} min" if wait < 5400 else f"{round(wait / 3600)} h"
        raise TooOften(f"You wrote a lot in a short time where you are a guest. Try again in {left}.", wait)


def find(repo: Repo, number: int) -> Discussion:
    """Return a discussion of a repo that the viewer may read; raises EntryNotFound."""
    found = repo.discussions.select_related("author").filter(number=number).first()
    if found is None:
        raise EntryNotFound(f"{repo.full_name} has no discussion {number}.")
    return found


def listing(
    repo: Repo, *, proposals: bool | None = None, status: str = "", author: str = "", skip: int = 0, limit: int = 50
) -> tuple[list[Discussion], int]:  # fmt: skip
    """Return discussions, the newest first, and how many there are; ``status`` is open, closed or nothing."""
    found = repo.discussions.select_related("author").order_by("-number")
    if proposals is not None:
        found = found.filter(is_proposal=proposals)
    if status:
        found = found.filter(status__in=OPEN) if status == "open" else found.exclude(status__in=OPEN)
    if author:
        found = found.filter(author__username=author)
    return list(found[skip : skip + limit]), found.count()


def count_open(repo: Repo) -> int:
    """Return how many discussions and proposals of a repo are open."""
    return repo.discussions.filter(status__in=OPEN).count()


def events(found: Discussion, *, skip: int = 0, limit: int = 1000) -> list[DiscussionEvent]:
    """Return what was said and done, in its order."""
    return list(found.events.select_related("author").order_by("pk")[skip : skip + limit])


# --- opening ------------------------------------------------------------------------------------------------


@transaction.atomic
def open_discussion(viewer: Viewer, repo: Repo, *, title: str, text: str) -> Discussion:
    """Open a discussion; raises BadRequest for a title or a text that cannot be."""
    found = begin(viewer, repo, title=checked_title(title), text=checked_text(text))
    tell(repo, found, require_voice(viewer, repo), "opened")
    return found


@transaction.atomic
def open_proposal(viewer: Viewer, repo: Repo, *, title: str, text: str) -> Discussion:
    """Open a proposal that changes nothing yet: its author commits to its ref, and then says that it is ready."""
    base = repo.refs.get(name=MAIN)
    found = begin(
        viewer, repo, title=checked_title(title), text=checked_text(text), base=base, status=Status.DRAFT
    )
    Ref.objects.create(repo=repo, name=found.ref, oid=base.oid)
    tell(repo, found, require_voice(viewer, repo), "began")
    return found


def begin(
    viewer: Viewer, repo: Repo, *, title: str, text: str, base: Ref | None = None, status: str = Status.OPEN
) -> Discussion:
    """Write a discussion and its first comment, in the caller's transaction; with ``base`` it is a proposal."""
    user = require_voice(viewer, repo)
    require_calm(viewer, repo)
    mine = repo.discussions.filter(author=user, status__in=OPEN)
    if not access.may_write(viewer, repo) and mine.count() >= MAX_OPEN:
        raise TooManyAtOnce(
            f"You have {MAX_OPEN} discussions open in {repo.full_name}. Close some of them first."
        )
    found = Discussion.objects.create(
        repo=repo, number=_next_number(repo), title=title, author=user, status=status, is_proposal=base is not None,
        base=base.name if base else "", start=base.oid if base else "",
    )  # fmt: skip
    note(found, user, Kind.COMMENT, text)
    return found


def _next_number(repo: Repo) -> int:
    row = Repo.objects.select_for_update(no_key=True).get(pk=repo.pk)
    row.last_number += 1
    row.save(update_fields=["last_number"])
    return row.last_number


def note(found: Discussion, by: User | None, kind: str, text: str, more: str = "") -> DiscussionEvent:
    """Write down what was said or done."""
    return DiscussionEvent.objects.create(discussion=found, author=by, kind=kind, text=text, more=more)


def note_commit(viewer: Viewer, repo: Repo, ref: Ref, *, oid: str, title: str) -> None:
    """Write down a commit that goes to a proposal's ref; raises BadRequest where the proposal is merged."""
    number = int(ref.name.removeprefix(PULL))
    found = Discussion.objects.select_for_update().filter(repo=repo, number=number).first()
    if found is None:
        return
    if found.status == Status.MERGED:
        raise BadRequest(f"The proposal {number} is merged. Open another one.")
    note(found, viewer.user, Kind.COMMIT, title, oid)


def tell_proposed(repo: Repo, number: int, by: User) -> None:
    """Tell the keepers of a repo of a proposal, once its commit stands."""
    tell(repo, find(repo, number), by, "proposed")


def checked_title(title: str) -> str:
    """Return a title on one line; raises BadRequest."""
    found = " ".join(title.split())
    if not found or len(found) > MAX_TITLE:
        raise BadRequest(f"title must have 1 to {MAX_TITLE} characters.")
    return found


def checked_text(text: str) -> str:
    """Return a text of sensible length; raises BadRequest."""
    found = text.replace("\r\n", "\n").strip()
    if len(found) > MAX_TEXT:
        raise BadRequest(f"The text has {len(found)} characters; {MAX_TEXT} are allowed.")
    return found


def page_of(found: Discussion) -> str:
    """Return the path of the page of a discussion."""
    base = "/datasets/" if found.repo.type == Repo.Type.DATASET else "/"
    return f"{base}{found.repo.full_name}/discussions/{found.number}"


def tell(repo: Repo, found: Discussion, by: User, what: str) -> None:
    """Tell those who keep the repo and those who took part, as far as they may still know of it."""
    spoke = found.events.exclude(author=None).values("author")
    people = User.objects.filter(
        Q(pk__in=notices.keepers_of(repo).values("pk")) | Q(pk__in=spoke), is_active=True
    )
    told = people.exclude(pk=by.pk).order_by("pk").distinct()[:MAX_TOLD]
    text = SAYS[what].format(
        name=by.username, title=found.title[:TOLD_TITLE], repo=repo.full_name, number=found.number
    )
    found.repo = repo
    readers = [user for user in told if access.may_read(Viewer(user=user), repo)]
    notices.notify_all(readers, notices.PROPOSAL, repo, text, page_of(found))
