"""Telling people what happened: a row for each, behind the bell in the header, and by mail for those who want it.

A notice is written in the transaction of what it tells, so nobody hears of what did not happen.
"""

import logging
import smtplib
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, Role, User
from hub.catalog import access
from hub.catalog.models import Notice, Repo

_log = logging.getLogger(__name__)

# What a notice may be about.
JOB_DONE, JOB_FAILED = "job-done", "job-failed"
ACCESS_ASKED, ACCESS_DECIDED = "access-asked", "access-decided"
REVIEW_DECIDED, MEMBERSHIP, PROPOSAL = "review-decided", "membership", "proposal"
STORAGE = "storage"
MAX_TEXT, MAX_URL = 500, 500
MAX_MAILS = 100
LOST = "This was about a repository that you may no longer see."


def notify(
    user: User | None, kind: str, repo: Repo | None, text: str, url: str = "", *, instead: bool = False
) -> None:
    """Tell one person one sentence; ``url`` is a path of this hub that says more.  Nobody is told nothing.

    With ``instead`` it takes the place of what is unread of the same kind, repo and page.
    """
    if user is None or not user.is_active:
        return
    if instead:
        Notice.objects.filter(user=user, kind=kind, repo=repo, url=url, read_at=None).delete()
    Notice.objects.create(
        user=user, kind=kind, repo=repo, text=text[:MAX_TEXT], url=url[:MAX_URL] if url.startswith("/") else "",
        mail_due=user.mail_notices and bool(user.email) and sends_mail(),
    )  # fmt: skip


def notify_all(
    users: Iterable[User], kind: str, repo: Repo | None, text: str, url: str = "", *, instead: bool = False
) -> None:
    """Tell several people the same."""
    for user in users:
        notify(user, kind, repo, text, url, instead=instead)


def keepers_of(repo: Repo) -> QuerySet[User]:
    """Return those who decide about a repo: its namespace's user, or the admins of its organization."""
    return keepers_of_space(repo.namespace)


def keepers_of_space(space: Namespace) -> QuerySet[User]:
    """Return those who decide about a namespace."""
    if space.user_id:
        return User.objects.filter(pk=space.user_id, is_active=True)
    return User.objects.filter(
        is_active=True, memberships__organization=space.organization_id, memberships__role=Role.ADMIN
    )


def unread(user: User) -> int:
    """Return how many notices somebody has not read."""
    return Notice.objects.filter(user=user, read_at=None).count()


def recent(user: User, *, before: int = 0, limit: int = 50) -> list[Notice]:
    """Return somebody's notices, newest first, those older than the notice ``before`` where that is given.

    What was told of a repo that they may no longer know of is left out of its sentence, as long as that is so.
    """
    found = Notice.objects.filter(user=user).order_by("-pk")
    return _told_now(user, list((found.filter(pk__lt=before) if before else found)[:limit]))


def find(user: User, pk: int) -> Notice | None:
    """Return one notice of somebody's, as `recent` would."""
    return next(iter(_told_now(user, list(Notice.objects.filter(user=user, pk=pk)))), None)


def _told_now(user: User, told: list[Notice]) -> list[Notice]:
    repos = {notice.repo_id for notice in told if notice.repo_id}
    known = access.visible_repos(Viewer(user=user)).filter(pk__in=repos) if repos else Repo.objects.none()
    seen = set(known.values_list("pk", flat=True))
    for notice in told:
        if notice.repo_id and notice.repo_id not in seen:
            notice.text, notice.url = LOST, ""
    return told


def leave_out(repo: Repo, url: str, words: str) -> None:
    """Take words that were hidden out of what was told of a page."""
    for notice in Notice.objects.filter(repo=repo, url=url, text__contains=words):
        notice.text = notice.text.replace(words, "…")
        notice.save(update_fields=["text"])


def mark_read(user: User, *, pk: int | None = None) -> int:
    """Mark one notice of somebody's as read, or all; returns how many were unread."""
    mine = Notice.objects.filter(user=user, read_at=None)
    return (mine.filter(pk=pk) if pk is not None else mine).update(read_at=timezone.now())


# --- mail ---------------------------------------------------------------------------------------------------


def sends_mail() -> bool:
    """True where the hub can mail: there is a mail server, and the hub knows its own address for links."""
    return bool(settings.EMAIL_HOST and settings.HUB_PUBLIC_URL)


def send_mails() -> int:
    """Send the notices that are due by mail; returns how many went out.  A server that is away gets them later."""
    sent = 0
    due = Notice.objects.filter(mail_due=True).order_by("created_at").values_list("pk", flat=True)
    for pk in list(due[:MAX_MAILS]):
        with transaction.atomic():
            waiting = Notice.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
            notice = waiting.filter(pk=pk, mail_due=True).first()
            if notice is None:
                continue
            _told_now(notice.user, [notice])
            if notice.text == LOST:
                Notice.objects.filter(pk=pk).update(mail_due=False)
                continue
            try:
                _mail_of(notice).send()
            except smtplib.SMTPRecipientsRefused:
                _log.warning("The mail of notice %s was refused for good.", pk)
            except (smtplib.SMTPException, OSError) as error:
                _log.warning("Notices were not mailed: %s", error)
                break
            Notice.objects.filter(pk=pk).update(mail_due=False)
            sent += 1
    return sent


def _mail_of(notice: Notice) -> EmailMessage:
    address = f"{settings.HUB_PUBLIC_URL}{notice.url or '/notifications'}"
    subject = " ".join(notice.text.split())[:150]
    body = f"{notice.text}\n\n{address}\n\nMails like this one can be ended at {settings.HUB_PUBLIC_URL}/settings\n"
    return EmailMessage(subject=subject, body=body, to=[notice.user.email])
