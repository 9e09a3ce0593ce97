"""Repos, their names and refs."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from hub.accounts.models import Namespace
from hub.catalog.models.lengths import OID_LENGTH, SHA256_LENGTH

# What the terms allow counts only once they are settled: a repo that waits for a person allows nothing yet.
USES = ("commercial", "redistribute", "modify", "no-field-of-use-limits", "everywhere")


class ObjectNetwork(models.Model):
    """The scope within which a git object id is unique and readable."""

    created_at = models.DateTimeField(default=timezone.now)


class Repo(models.Model):
    """A named git history of a model or a dataset.

    The columns below ``head`` describe the tip of ``main``.  They are written in the transaction that moves the ref, so
    that lists and searches read one table.
    """

    class Type(models.TextChoices):
        MODEL = "model"
        DATASET = "dataset"

    class Gated(models.TextChoices):
        NO = ""
        AUTO = "auto"
        MANUAL = "manual"

    class Clearance(models.TextChoices):
        """Where the review of the terms stands; only ``clear`` and ``declared`` hand bytes to everyone."""

        SCANNING = "scanning"
        CLEAR = "clear"
        DECLARED = "declared"
        HELD = "held"
        BLOCKED = "blocked"
        SUSPENDED = "suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    network = models.ForeignKey(ObjectNetwork, on_delete=models.PROTECT, related_name="repos")
    namespace = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="repos")
    type = models.CharField(max_length=8, choices=Type.choices, default=Type.MODEL)
    name = models.CharField(max_length=96)
    full_name = models.CharField(max_length=200, help_text="namespace/name, in the case to show")
    key = models.CharField(max_length=200, help_text="namespace/name, lower-cased: ids are case-insensitive")
    private = models.BooleanField(default=False)
    gated = models.CharField(max_length=6, choices=Gated.choices, default=Gated.NO, blank=True)
    disabled = models.BooleanField(default=False)
    clearance = models.CharField(max_length=9, choices=Clearance.choices, default=Clearance.SCANNING)
    consent = models.CharField(
        max_length=SHA256_LENGTH, blank=True, default="", help_text="key of what readers must accept, if anything"
    )  # fmt: skip
    # Whoever deletes a repo deletes what was made from it first.
    source = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="derived",
        help_text="the repo that this one was made from, and whose visibility, gate and state it follows",
    )  # fmt: skip
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    last_number = models.IntegerField(
        default=0, help_text="the last pull request or discussion number given out"
    )

    head = models.CharField(max_length=OID_LENGTH, blank=True)
    license = models.CharField(max_length=100, blank=True, help_text="as the card declares it")
    pipeline_tag = models.CharField(max_length=100, blank=True)
    library = models.CharField(max_length=100, blank=True)
    tags = ArrayField(models.CharField(max_length=200), default=list)
    base_models = ArrayField(models.CharField(max_length=200), default=list)
    traits = ArrayField(
        models.CharField(max_length=220),
        default=list,
        help_text="what lists narrow by, as kind:value; see traits.py",
    )
    parameters = models.BigIntegerField(null=True)
    proof = models.CharField(
        max_length=8, default="small", help_text="how far the files of main are proven: see proofs.py"
    )
    used_storage = models.BigIntegerField(
        default=0, help_text="bytes of the distinct large files in this repo"
    )
    downloads = models.BigIntegerField(default=0, help_text="in the last 30 days")
    downloads_all_time = models.BigIntegerField(default=0)
    likes = models.IntegerField(default=0)
    trending = models.BigIntegerField(
        default=0, help_text="pulls and likes of the last days, newer ones more"
    )

    # What the terms of the whole lineage come to, for facets; written with the clearance.
    concluded = ArrayField(
        models.CharField(max_length=100), default=list, help_text="ids of the licenses that bind its use"
    )
    uses = ArrayField(models.CharField(max_length=40), default=list, help_text="what every license allows")
    users_limit = models.BigIntegerField(
        null=True,
        help_text="monthly users from which on a license of one's own is needed; null: none, 0: not known",
    )
    openness = models.SmallIntegerField(default=0, help_text="rung of the ladder")
    reviewed = models.BooleanField(default=False, help_text="a person approved what the terms came to")

    cleared_until = models.DateTimeField(
        null=True, help_text="when what the clearance rests on runs out; from then on it does not count"
    )
    # A scan that was asked for later than the last one began is still to be done.
    scans_asked = models.IntegerField(default=0)
    scans_done = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["type", "key"], name="one_repo_per_id")]
        indexes: ClassVar = [
            GinIndex(fields=["tags"], name="repo_tags"),
            GinIndex(fields=["traits"], name="repo_traits"),
            GinIndex(fields=["uses"], name="repo_uses"),
            GinIndex(fields=["concluded"], name="repo_concluded"),
            models.Index(fields=["type", "-updated_at"], name="repo_newest"),
            # They are few at any time, and named below each list of proven ones.
            models.Index(fields=["type"], condition=models.Q(proof="proving"), name="repo_proving"),
            models.Index(
                fields=["id"],
                condition=models.Q(scans_asked__gt=models.F("scans_done")),
                name="repo_unscanned",
            ),
            models.Index(fields=["type", "-downloads", "id"], name="repo_most_pulled"),
            models.Index(fields=["type", "-likes", "id"], name="repo_most_liked"),
            models.Index(fields=["type", "-created_at", "id"], name="repo_latest_made"),
            models.Index(fields=["type", "-trending", "id"], name="repo_trending"),
        ]

    def __str__(self) -> str:
        return self.full_name


class RepoRedirect(models.Model):
    """A former id of a repo, still leading to it."""

    type = models.CharField(max_length=8, choices=Repo.Type.choices)
    key = models.CharField(max_length=200)
    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="former_ids")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["type", "key"], name="one_redirect_per_id")]


class RetiredRepo(models.Model):
    """The id of a deleted repo.  Only members of ``namespace`` who may write there can take it again."""

    type = models.CharField(max_length=8, choices=Repo.Type.choices)
    key = models.CharField(max_length=200)
    namespace = models.ForeignKey(Namespace, null=True, on_delete=models.SET_NULL, related_name="+")
    retired_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["type", "key"], name="one_retirement_per_id")
        ]


class Ref(models.Model):
    """A branch, tag or pull request, by its full name (``refs/heads/main``).  Rows are locked to move it."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="refs")
    name = models.CharField(max_length=255)
    oid = models.CharField(max_length=OID_LENGTH)
    message = models.TextField(blank=True, help_text="of a tag")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["repo", "name"], name="one_ref_per_name")]
