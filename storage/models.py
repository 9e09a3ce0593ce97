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
        CHUNKED = "chunked"

    class State(models.TextChoices):
        OK = "ok"
        DAMAGED = "damaged"

    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="forms")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.PLAIN)
    key = models.CharField(max_length=255, blank=True, default="", help_text="Of a plain form.")
    recipe = models.OneToOneField(
        "Recipe", on_delete=models.PROTECT, null=True, related_name="form", help_text="Of a chunked form."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    scrubbed_at = models.DateTimeField(null=True, blank=True)
    scrubs = models.IntegerField(default=0, help_text="How often it was hashed again.")
    state = models.CharField(max_length=16, choices=State, default=State.OK)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="plain", recipe=None) & ~Q(key="")
                | Q(kind="chunked", key="", recipe__isnull=False),
                name="storage_form_is_of_its_kind",
            ),
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="storage_one_form_per_key"),
        ]

    def __str__(self) -> str:
        return self.key or f"recipe {self.recipe_id}"


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


class Xorb(models.Model):
    """Chunks kept together as one object, each decoded and hashed before the row was made.

    A domain is an opaque string of the caller.  Each domain keeps xorbs of its own, so nothing that happens in
    one, nor how long it takes, tells anything about another.  `index` has 40 bytes for each chunk, see
    `storage.layout`.  A client may name a xorb for three weeks after it last heard of it, so `mentioned_at`
    keeps it that long; it is written at most once an hour.
    """

    class State(models.TextChoices):
        OK = "ok"
        DAMAGED = "damaged"

    domain = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    key = models.CharField(max_length=255, unique=True)
    raw_size = models.BigIntegerField(help_text="In bytes, decoded.")
    stored_size = models.BigIntegerField(help_text="In bytes, as it lies in the bucket.")
    index = models.BinaryField()
    state = models.CharField(max_length=16, choices=State, default=State.OK)
    created_at = models.DateTimeField(auto_now_add=True)
    mentioned_at = models.DateTimeField(auto_now_add=True, db_index=True)
    scrubbed_at = models.DateTimeField(null=True, blank=True)
    scrubs = models.IntegerField(default=0, help_text="How often its chunks were hashed again.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "hash"], name="storage_xorb_once_per_domain")
        ]

    def __str__(self) -> str:
        return f"{self.hash} in {self.domain}"


class DedupChunk(models.Model):
    """A chunk that clients of a domain ask for, and a xorb of that domain that holds it."""

    domain = models.CharField(max_length=64)
    chunk = models.CharField(max_length=64)
    xorb = models.ForeignKey(Xorb, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain", "chunk"], name="storage_chunk_once_per_domain")
        ]

    def __str__(self) -> str:
        return self.chunk


class Recipe(models.Model):
    """How a file is put together from chunks of a domain's xorbs.

    `terms` has 20 bytes for each term, see `storage.layout`.  ``proving`` agrees with its xorbs, but its sha256 is
    only what `owner` says; ``proven`` has been read and hashed.  The file hash is made from the chunk hashes, so
    equal file hashes are equal files, in whatever domain.
    """

    class State(models.TextChoices):
        PROVING = "proving"
        PROVEN = "proven"

    domain = models.CharField(max_length=64)
    owner = models.CharField(max_length=255)
    file_hash = models.CharField(max_length=64, db_index=True)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="In bytes.")
    terms = models.BinaryField()
    state = models.CharField(max_length=16, choices=State, default=State.PROVING)
    touched_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "owner", "file_hash", "sha256"],
                condition=Q(state="proving"),
                name="storage_one_recipe_proving",
            ),
            models.UniqueConstraint(
                fields=["domain", "file_hash"], condition=Q(state="proven"), name="storage_one_recipe_proven"
            ),
        ]

    def __str__(self) -> str:
        return self.file_hash


class RecipeXorb(models.Model):
    """A recipe needs a xorb, which therefore stays."""

    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="+")
    xorb = models.ForeignKey(Xorb, on_delete=models.PROTECT, related_name="needed_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recipe", "xorb"], name="storage_recipe_needs_once")]

    def __str__(self) -> str:
        return f"{self.recipe_id} needs {self.xorb_id}"


class Epoch(models.Model):
    """One row: it rises when what clients remember of the store is no longer true."""

    number = models.IntegerField(default=1)

    def __str__(self) -> str:
        return str(self.number)
