"""Who waits for a repo whose terms are not cleared: counted when they are refused, told when it is released."""

from django.db import connection
from django.db.models import F
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import RefusedPull, Repo

_NOTE = """
INSERT INTO catalog_refusedpull (repo_id, user_id, first_at, last_at, times) VALUES (%s, %s, %s, %s, 1)
ON CONFLICT (repo_id, user_id) DO UPDATE SET times = catalog_refusedpull.times + 1, last_at = EXCLUDED.last_at
"""


def note(viewer: Viewer, repo: Repo) -> None:
    """Note that somebody was refused; strangers are one row together."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [repo.pk, viewer.user.pk if viewer.user else None, now, now])


def take(repo: Repo) -> list[User]:
    """Return the users who waited for a repo, and forget that they did."""
    rows = RefusedPull.objects.filter(repo=repo)
    waiting = list(User.objects.filter(pk__in=rows.values(who=F("user"))))
    rows.delete()
    return waiting
