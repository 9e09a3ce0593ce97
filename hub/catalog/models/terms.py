"""Where a repo comes from, and who pulled what."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.catalog.models.lengths import OID_LENGTH, SHA256_LENGTH
from hub.catalog.models.repos import Repo


class LineageEdge(models.Model):
    """A repo came from `parent` (``namespace/name``, lower-cased, here or elsewhere), by this evidence."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="lineage")
    parent = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True, default="", help_text="as the evidence spells it")
    parent_repo = models.ForeignKey(
        Repo, null=True, blank=True, on_delete=models.SET_NULL, related_name="descendants"
    )
    relation = models.CharField(max_length=16, help_text="one of licenses.ancestry.Relation")
    source = models.CharField(
        max_length=16, help_text="card, config, adapter, gguf, tensors, bytes, hub or reviewer"
    )
    strength = models.SmallIntegerField(help_text="the higher, the stronger the evidence")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "parent", "source"], name="one_edge_per_source")
        ]
        indexes: ClassVar = [models.Index(fields=["parent"], name="edge_by_parent")]


class PullRecord(models.Model):
    """Somebody got these bytes on this day (UTC), on this acceptance where one was needed."""

    repo = models.ForeignKey(Repo, null=True, on_delete=models.SET_NULL, related_name="+")
    label = models.CharField(max_length=200, help_text="the repo's name then")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(max_length=SHA256_LENGTH, blank=True, help_text="of a large file")
    path = models.TextField(blank=True)
    commit = models.CharField(max_length=OID_LENGTH, blank=True)
    acceptance = models.UUIDField(null=True)
    day = models.DateField()
    first_at = models.DateTimeField(default=timezone.now)
    times = models.IntegerField(default=1)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["repo", "day"], name="pull_by_repo"),
            models.Index(fields=["sha256"], condition=~models.Q(sha256=""), name="pull_by_digest"),
            models.Index(fields=["user", "day"], name="pull_by_user"),
        ]


class RefusedPull(models.Model):
    """Somebody waits for a repo whose terms are not cleared.  Strangers are one row together."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="refused")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    times = models.IntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repo", "user"], name="one_refusal_per_user", nulls_distinct=False
            )
        ]
