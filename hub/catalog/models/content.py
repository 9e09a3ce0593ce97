"""Which large files a repo holds, and what a worker read in them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from hub.catalog.models.lengths import SHA256_LENGTH
from hub.catalog.models.repos import Repo
from storage.models import Blob


class RepoBlob(models.Model):
    """This repo came by these bytes honestly: they were uploaded into it, or copied from where the caller may pull.

    Knowing a digest is never a key: bytes are served through this row only, and only once it is proven.
    """

    class State(models.TextChoices):
        PROVING = "proving"
        PROVEN = "proven"
        REJECTED = "rejected"

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="blobs")
    sha256 = models.CharField(max_length=SHA256_LENGTH, db_index=True)
    size = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PROVING)
    problem = models.TextField(blank=True)
    blob = models.ForeignKey(Blob, null=True, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "sha256"], name="one_claim_per_repo")
        ]


class Inspection(models.Model):
    """What a worker read in the proven bytes of one large file."""

    sha256 = models.CharField(max_length=SHA256_LENGTH, unique=True)
    format = models.CharField(max_length=20)
    ok = models.BooleanField(default=True)
    findings = models.JSONField(default=list)
    summary = models.JSONField(
        default=dict, help_text="parameters by dtype, total, GGUF architecture and the like"
    )
    data = models.JSONField(default=dict, help_text="every tensor and all metadata")
    digested = models.BooleanField(default=False, help_text="its large tensors have their digests")
    created_at = models.DateTimeField(default=timezone.now)


class TensorDigest(models.Model):
    """The bytes of one large tensor, by their hash: the same weights are found again in whatever file they lie."""

    sha256 = models.CharField(max_length=SHA256_LENGTH, db_index=True, help_text="of the file")
    digest = models.CharField(max_length=32, help_text="BLAKE2b of the tensor's bytes, 128 bits")
    size = models.BigIntegerField(help_text="bytes of the tensor")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "sha256"], name="one_digest_per_file")
        ]
