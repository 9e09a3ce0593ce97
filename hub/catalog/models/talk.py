"""What people say to each other about a repo: discussions, and proposals, which are discussions with a ref."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.catalog.models.lengths import OID_LENGTH
from hub.catalog.models.repos import Repo


class Discussion(models.Model):
    """A thread under a repo.  A proposal is one with the ref ``refs/pr/{number}``, which asks to be merged.

    ``base`` is the branch that a proposal is for, and ``start`` the commit of it that it began from: what the proposal
    changes is what differs from there.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        CLOSED = "closed"
        MERGED = "merged"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="discussions")
    number = models.IntegerField()
    is_proposal = models.BooleanField(default=False)
    title = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    base = models.CharField(max_length=255, blank=True)
    start = models.CharField(max_length=OID_LENGTH, blank=True)
    merged_as = models.CharField(max_length=OID_LENGTH, blank=True, help_text="the commit that merged it")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "number"], name="one_discussion_per_number")
        ]

    @property
    def ref(self) -> str:
        """The full name of a proposal's ref."""
        return f"refs/pr/{self.number}"

    @property
    def is_open(self) -> bool:
        """True where it is neither closed nor merged; drafts count as open."""
        return self.status in (self.Status.OPEN, self.Status.DRAFT)


class DiscussionEvent(models.Model):
    """Something said or done in a discussion.  The first is always a comment: what it was opened with.

    ``text`` and ``more`` are a comment's Markdown; a new status; a commit's title and id; a former and a new title.
    """

    class Kind(models.TextChoices):
        COMMENT = "comment"
        STATUS = "status-change"
        COMMIT = "commit"
        TITLE = "title-change"

    discussion = models.ForeignKey(Discussion, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=13, choices=Kind.choices)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(blank=True)
    more = models.TextField(blank=True)
    hidden = models.BooleanField(default=False)
    edited_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
