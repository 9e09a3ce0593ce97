"""Taking part in a discussion: comments, titles, and whether it is open.

Whoever wrote a thing, or may write to the repo, may change its state.
"""

from django.db import transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog import access, notices
from hub.catalog.discussions import (
    TOLD_TITLE,
    checked_text,
    checked_title,
    note,
    page_of,
    require_calm,
    require_voice,
    tell,
)
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed
from hub.catalog.models import Discussion, DiscussionEvent, Repo

MAX_EVENTS = 1_000

Kind, Status = DiscussionEvent.Kind, Discussion.Status


def may_settle(viewer: Viewer, repo: Repo, found: Discussion) -> bool:
    """May the viewer rename, close and open a discussion?  Who opened it may, and who may write to the repo."""
    is_own = viewer.user is not None and found.author_id == viewer.user.pk
    return access.may_write(viewer, repo) or (is_own and access.may_propose(viewer, repo))


@transaction.atomic
def comment(viewer: Viewer, repo: Repo, found: Discussion, *, text: str) -> DiscussionEvent:
    """Add a comment; raises BadRequest for one without text, and in a discussion that is full."""
    user, text = require_voice(viewer, repo), checked_text(text)
    if not text:
        raise BadRequest("comment must not be empty.")
    _require_room(found)
    require_calm(viewer, repo)
    event = note(found, user, Kind.COMMENT, text)
    tell(repo, found, user, "commented")
    return event


def _require_room(found: Discussion) -> None:
    if found.events.count() >= MAX_EVENTS:
        raise BadRequest(f"This discussion has {MAX_EVENTS} entries and takes no more. Open another one.")


@transaction.atomic
def edit_comment(viewer: Viewer, repo: Repo, found: Discussion, *, event: int, text: str) -> DiscussionEvent:
    """Change what one wrote oneself."""
    user, text = require_voice(viewer, repo), checked_text(text)
    mine = _comment_of(found, event, Kind.COMMENT)
    if mine.author_id != user.pk:
        raise NotAllowed("Only who wrote a comment can change it.")
    if mine.hidden:
        raise BadRequest("This comment is hidden, and cannot be changed any more.")
    mine.text, mine.edited_at = text, timezone.now()
    mine.save(update_fields=["text", "edited_at"])
    return mine


@transaction.atomic
def hide_comment(viewer: Viewer, repo: Repo, found: Discussion, *, event: int) -> DiscussionEvent:
    """Hide a comment or a former title from everybody, for good: its writer may, and who may write to the repo."""
    user = require_voice(viewer, repo)
    one = _comment_of(found, event, Kind.COMMENT, Kind.TITLE)
    if one.author_id != user.pk and not access.may_write(viewer, repo):
        raise NotAllowed("Only who wrote a comment, or may write to the repository, can hide it.")
    if one.hidden:
        return one
    one.hidden = True
    one.save(update_fields=["hidden"])
    if one.kind == Kind.TITLE:
        notices.leave_out(repo, page_of(found), one.text[:TOLD_TITLE])
    if one.author_id != user.pk:
        _write_down(user, found, acts.COMMENT_HIDDEN, event=one.pk)
    return one


def _comment_of(found: Discussion, event: int, *kinds: str) -> DiscussionEvent:
    rows = found.events.select_for_update(of=("self",)).select_related("author")
    row = rows.filter(pk=event, kind__in=kinds).first()
    if row is None:
        raise EntryNotFound("There is no such comment in this discussion.")
    return row


@transaction.atomic
def rename(viewer: Viewer, repo: Repo, found: Discussion, *, title: str) -> DiscussionEvent:
    """Give a discussion another title."""
    user, row = _settling(viewer, repo, found)
    before, row.title = row.title, checked_title(title)
    row.save(update_fields=["title"])
    return note(row, user, Kind.TITLE, before, row.title)


@transaction.atomic
def set_status(
    viewer: Viewer, repo: Repo, found: Discussion, *, status: str, text: str = ""
) -> DiscussionEvent:
    """Close or open a discussion, with a last word if there is one; opening a draft says that it is ready."""
    user, row = _settling(viewer, repo, found)
    if status not in (Status.OPEN, Status.CLOSED):
        raise BadRequest("status must be open or closed.")
    if row.status == Status.MERGED:
        raise BadRequest("This is merged, and stays so.")
    if row.status == status:
        raise BadRequest("This is closed already." if status == Status.CLOSED else "This is open already.")
    if text.strip():
        comment(viewer, repo, row, text=text)
    row.status = status
    row.save(update_fields=["status"])
    event = note(row, user, Kind.STATUS, status)
    if user.pk != row.author_id:
        _write_down(user, row, acts.DISCUSSION_STATUS, status=status)
    tell(repo, row, user, status)
    return event


def _settling(viewer: Viewer, repo: Repo, found: Discussion) -> tuple[User, Discussion]:
    user = require_voice(viewer, repo)
    if not may_settle(viewer, repo, found):
        raise NotAllowed("Only who opened this, or may write to the repository, can do that.")
    _require_room(found)
    require_calm(viewer, repo)
    return user, Discussion.objects.select_for_update().get(pk=found.pk)


def set_merged(viewer: Viewer, repo: Repo, found: Discussion, *, oid: str, text: str = "") -> None:
    """Write down that a proposal was merged as a commit, in the transaction that made the commit."""
    user = require_voice(viewer, repo)
    if text.strip():
        comment(viewer, repo, found, text=text)
    found.status, found.merged_as = Status.MERGED, oid
    found.save(update_fields=["status", "merged_as"])
    note(found, user, Kind.STATUS, Status.MERGED)
    _write_down(user, found, acts.PROPOSAL_MERGED, base=found.base, commit=oid)
    tell(repo, found, user, "merged")


def _write_down(by: User, found: Discussion, act: str, **data: str | int) -> None:
    chain.append(
        act=act, actor=chain.person(by), subject=str(found.repo_id), label=found.repo.full_name,
        data={"number": found.number, **data},
    )  # fmt: skip
