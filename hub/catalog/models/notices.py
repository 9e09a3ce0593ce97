"""What people are told, and what they gather."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.accounts.models import Namespace
from hub.catalog.models.repos import Repo


class Notice(models.Model):
    """One sentence for one person about something that happened; it leads to where more is said."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=30)
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=500)
    url = models.CharField(max_length=500, blank=True, help_text="a path of this hub")
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mail_due = models.BooleanField(default=False, help_text="to be sent by mail, and not sent yet")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notice_newest"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notice_unread"),
            models.Index(fields=["created_at"], condition=models.Q(mail_due=True), name="notice_to_mail"),
        ]


class Collection(models.Model):
    """A list of repos that a user or an organization has put together, with a note on each."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="collections")
    title = models.CharField(max_length=60)
    description = models.CharField(max_length=150, blank=True)
    private = models.BooleanField(default=False)
    theme = models.CharField(max_length=10, default="blue", help_text="a colour that clients ask for")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["namespace", "-updated_at"], name="collection_newest")]

    def __str__(self) -> str:
        return self.title


class CollectionItem(models.Model):
    """A repo's place in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="collected")
    note = models.CharField(max_length=500, blank=True)
    position = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["collection", "repo"], name="one_place_per_collection")
        ]
        ordering: ClassVar = ["position", "pk"]
