"""Liking repos."""

from django.db import transaction
from django.db.models import F, QuerySet

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import access
from hub.catalog.models import Like, Repo


def _user(viewer: Viewer) -> User:
    return access.require_person(viewer, "like a repository")


@transaction.atomic
def like(viewer: Viewer, repo: Repo) -> None:
    """Like a repo; twice is once."""
    _, made = Like.objects.get_or_create(repo=repo, user=_user(viewer))
    if made:
        Repo.objects.filter(pk=repo.pk).update(likes=F("likes") + 1)


@transaction.atomic
def unlike(viewer: Viewer, repo: Repo) -> None:
    """Take a like back, if there is one."""
    if Like.objects.filter(repo=repo, user=_user(viewer)).delete()[0]:
        Repo.objects.filter(pk=repo.pk).update(likes=F("likes") - 1)


def likes_of(viewer: Viewer, user: User) -> QuerySet[Like]:
    """Return what a user likes, as far as the viewer may know of it, newest first."""
    seen = Like.objects.filter(user=user, repo__in=access.visible_repos(viewer))
    return seen.select_related("repo").order_by("-created_at")
