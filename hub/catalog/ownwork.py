"""Whose work a repo is, so that nobody decides on their own."""

from django.db.models import Q

from hub.accounts.models import User
from hub.catalog.models import CommitRecord, Repo
from licenses.errors import NotYours


def reviewers() -> int:
    """Return how many accounts may review."""
    return User.objects.filter(Q(is_staff=True) | Q(is_reviewer=True), is_active=True).count()


def wrote_to(user: User, repo: Repo) -> bool:
    """Say whether a repo is somebody's own work: made, pushed or uploaded by them, or in their own namespace."""
    if user.pk in (repo.created_by_id, repo.namespace.user_id):
        return True
    commits = CommitRecord.objects.filter(network=repo.network_id, author=user)
    return commits.exists() or repo.blobs.filter(created_by=user).exists()


def require_others(user: User, repo: Repo) -> None:
    """Raise NotYours for somebody's own work, unless nobody else may review.

    Whoever may not approve their own may not waive what holds it, or say that it comes from nowhere, either.
    """
    if wrote_to(user, repo) and reviewers() > 1:
        raise NotYours("You wrote to this repository; another reviewer does this.")
