"""Tables of the accounts room."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from hub.accounts.names import MAX_LENGTH


class Role(models.TextChoices):
    """What a member may do in an organization; each role includes the ones below it."""

    ADMIN = "admin"
    WRITE = "write"
    READ = "read"


class User(AbstractUser):
    """A person or an automation.  The username is also the name of the user's namespace."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    username = models.CharField(max_length=MAX_LENGTH, unique=True)
    fullname = models.CharField(max_length=200, blank=True)
    is_reviewer = models.BooleanField(
        default=False, help_text="Decides on the terms of models, beside the administrators."
    )
    about = models.CharField(max_length=1000, blank=True, help_text="shown on the user's page")
    homepage = models.URLField(max_length=300, blank=True)
    mail_notices = models.BooleanField(default=False, help_text="notices are sent by mail as well")

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def get_full_name(self) -> str:
        """Return the name to show; the username where no full name was given."""
        return self.fullname or self.username


class Organization(models.Model):
    """A group of users who share a namespace."""

    name = models.CharField(max_length=MAX_LENGTH, unique=True)
    fullname = models.CharField(max_length=200, blank=True)
    about = models.CharField(max_length=1000, blank=True, help_text="shown on the organization's page")
    homepage = models.URLField(max_length=300, blank=True)
    private_by_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="organizations"
    )

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.READ)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_role_per_member")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} in {self.organization}"


class Namespace(models.Model):
    """The first half of every repo id; held by one user or one organization.

    ``key`` is the lower-cased name: ids are case-insensitive, and the case first chosen is kept for display.
    """

    name = models.CharField(max_length=MAX_LENGTH)
    key = models.CharField(max_length=MAX_LENGTH, unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="namespace"
    )
    organization = models.OneToOneField(
        Organization, null=True, on_delete=models.CASCADE, related_name="namespace"
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(organization__isnull=True),
                name="namespace_has_one_holder",
            )
        ]

    def __str__(self) -> str:
        return self.name


class RetiredNamespace(models.Model):
    """A name that was once in use.  Only ``namespace``, its last holder, may take it again without an admin."""

    key = models.CharField(max_length=MAX_LENGTH, unique=True)
    namespace = models.ForeignKey(
        Namespace, null=True, on_delete=models.SET_NULL, related_name="former_names"
    )
    retired_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key


class Token(models.Model):
    """An access token.  Only its sha256 is kept; ``hint`` shows the last characters on the token page."""

    class Kind(models.TextChoices):
        READ = "read"
        WRITE = "write"
        FINE_GRAINED = "fineGrained"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=96)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"


class Invite(models.Model):
    """A single-use invitation to sign up, while ``HUB_SIGNUP=invite``.  Only the code's sha256 is kept."""

    digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"invite of {self.created_at:%Y-%m-%d}"
