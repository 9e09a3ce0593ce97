"""The rows of this room: what is kept, in which form, what is on its way in, and what is to be deleted.

A key of the bucket is named by at most one row that means to keep it.  The order of every deletion is: rows
first (with a `Condemned` row in the same transaction), then the key, then the `Condemned` row.
"""

import uuid

from django.db import models
from django.db.models import Q


class Blob(models.Model):
    """Bytes that have been proven to hash to `sha256`.  A quarantined blob is kept but never handed out."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.BigIntegerField(help_text="In bytes.")
    created_at = models.DateTimeField(auto_now_add=True)
    quarantined_at = models.DateTimeField(null=True, blank=True, db_index=True)
    quarantine_reason = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.sha256


class Form(models.Model):
    """One proven way in which a blob lies in the bucket; a blob may have several."""

    class Kind(models.TextChoices):
        PLAIN = "plain"

    class State(models.TextChoices):
        OK = "ok"
        DAMAGED = "damaged"

    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="forms")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PLAIN)
    key = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    scrubbed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.OK)

    def __str__(self) -> str:
        return self.key


class Upload(models.Model):
    """Bytes on their way in.

    ``open`` takes bytes; ``stored`` has them all under `final_key`, unproven; ``proven`` and ``rejected``
    have been hashed; ``aborted`` was given up.  `owner` is an opaque string of the caller (storage knows no
    repo and no user). A small upload is PUT to `staging_key` and copied; a multipart upload (`s3_upload_id`)
    is assembled at `final_key`, which no client can write any more once it is complete.
    """

    class State(models.TextChoices):
        OPEN = "open"
        STORED = "stored"
        PROVEN = "proven"
        REJECTED = "rejected"
        ABORTED = "aborted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="In bytes.")
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    staging_key = models.CharField(max_length=255, blank=True, default="", db_index=True)
    s3_upload_id = models.CharField(max_length=1024, blank=True, default="")
    part_size = models.BigIntegerField(default=0, help_text="In bytes; 0 for a single PUT.")
    final_key = models.CharField(max_length=255, blank=True, default="", db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now_add=True)
    problem = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "sha256", "size", "part_size"],
                condition=Q(state="open"),
                name="storage_one_open_upload",
            )
        ]
        indexes = [
            models.Index(fields=["owner", "sha256", "-created_at"], name="storage_upload_find"),
            models.Index(fields=["state", "touched_at"], name="storage_upload_idle"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"


class Condemned(models.Model):
    """A key that nothing means to keep.  It is never taken back: keys are never written twice."""

    key = models.CharField(max_length=255, unique=True)
    condemned_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.key
