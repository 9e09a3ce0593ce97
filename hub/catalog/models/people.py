"""What ties people and tokens to repos."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.accounts.models import Namespace, Token
from hub.catalog.models.repos import Repo


class TokenScope(models.Model):
    """What a fine-grained token may do: in one repo, or in every repo of a namespace."""

    class Permission(models.TextChoices):
        READ = "read"
        WRITE = "write"

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="scopes")
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="+")
    namespace = models.ForeignKey(Namespace, null=True, on_delete=models.CASCADE, related_name="+")
    permission = models.CharField(max_length=5, choices=Permission.choices)


class AccessRequest(models.Model):
    """A user's wish to pull a gated repo, and what became of it."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"
        REJECTED = "rejected"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="access_requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    granted = models.BooleanField(default=False, help_text="given by the owner without a request")
    reason = models.TextField(blank=True)
    fields = models.JSONField(default=dict, blank=True, help_text="what the card asked, and was answered")
    created_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "user"], name="one_request_per_user")
        ]


class Like(models.Model):
    """A user's bookmark of a repo."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="liked_by")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="likes")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["repo", "user"], name="one_like_per_user")]


class DownloadDay(models.Model):
    """How often a repo was downloaded on one day (UTC)."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="download_days")
    day = models.DateField()
    count = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["repo", "day"], name="one_count_per_day")]
