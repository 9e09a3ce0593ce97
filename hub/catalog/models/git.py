"""Git's immutable things, keyed by an object network: a repo with its pull request refs.

They are never keyed by object id alone, so no repo can poison or read another's objects.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from hub.catalog.models.lengths import OID_LENGTH, SHA256_LENGTH
from hub.catalog.models.repos import ObjectNetwork


class GitObject(models.Model):
    """One git object as a pack keeps it: type, size, deflated payload.  Payloads above 64 KiB lie in the store."""

    class Type(models.IntegerChoices):
        """The numbers git uses in packs (gitformat-pack)."""

        COMMIT = 1
        TREE = 2
        BLOB = 3
        TAG = 4

    network = models.ForeignKey(ObjectNetwork, on_delete=models.CASCADE, related_name="objects_kept")
    oid = models.CharField(max_length=OID_LENGTH)
    type = models.SmallIntegerField(choices=Type.choices)
    size = models.BigIntegerField(help_text="of the payload before deflating")
    data = models.BinaryField(help_text="zlib stream; empty where key is set")
    key = models.CharField(max_length=200, blank=True, help_text="where the zlib stream lies in the store")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "oid"], name="one_object_per_network")
        ]


class Card(models.Model):
    """What the front matter of one README says, parsed once per text."""

    network = models.ForeignKey(ObjectNetwork, on_delete=models.CASCADE, related_name="+")
    oid = models.CharField(max_length=OID_LENGTH, help_text="git id of the README blob")
    data = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["network", "oid"], name="one_card_per_text")]


class CommitRecord(models.Model):
    """A commit's fields beside its git object, so that histories are read by query."""

    network = models.ForeignKey(ObjectNetwork, on_delete=models.CASCADE, related_name="commits")
    oid = models.CharField(max_length=OID_LENGTH, db_index=True)
    tree = models.CharField(max_length=OID_LENGTH)
    parents = ArrayField(models.CharField(max_length=OID_LENGTH), default=list)
    depth = models.IntegerField(help_text="longest way to a root; parents always have less")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    title = models.TextField()
    message = models.TextField(blank=True)
    card = models.ForeignKey(Card, null=True, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(default=dict, help_text="what inspections of the files add up to")
    terms = models.CharField(
        max_length=SHA256_LENGTH,
        blank=True,
        default="",
        help_text="digest of all in it that bears on its terms",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "oid"], name="one_record_per_commit")
        ]


class TreeRow(models.Model):
    """One entry of one tree object.  A path is a chain of rows; a tree that did not change keeps its rows."""

    network = models.ForeignKey(ObjectNetwork, on_delete=models.CASCADE, related_name="+")
    tree = models.CharField(max_length=OID_LENGTH)
    name = models.CharField(max_length=255)
    mode = models.IntegerField(help_text="git's file mode")
    oid = models.CharField(max_length=OID_LENGTH)
    size = models.BigIntegerField(default=0, help_text="of the file itself, not of its pointer")
    sha256 = models.CharField(
        max_length=SHA256_LENGTH, blank=True, help_text="of a large file; empty for others"
    )
    pointer_size = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["network", "tree", "name"], name="one_row_per_entry"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sha256"], condition=~models.Q(sha256=""), name="row_by_sha256"),
            models.Index(fields=["network", "oid"], name="row_by_object"),
        ]


class PathChange(models.Model):
    """A path (file or any folder above it) that a commit changed against its first parent."""

    network = models.ForeignKey(ObjectNetwork, on_delete=models.CASCADE, related_name="+")
    commit = models.CharField(max_length=OID_LENGTH)
    path = models.TextField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["network", "path"], name="change_by_path"),
            models.Index(fields=["network", "commit"], name="change_by_commit"),
        ]
