"""Tables of the catalog.

Git's immutable things (objects, commits, the rows of a tree) are keyed by an *object network*: a repo with its pull
request refs.  They are never keyed by object id alone, so no repo can poison or read another's objects.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone

from hub.accounts.models import Namespace, Token
from storage.models import Blob

OID_LENGTH = 40
SHA256_LENGTH = 64


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
    parameters = models.BigIntegerField(null=True)
    used_storage = models.BigIntegerField(
        default=0, help_text="bytes of the distinct large files in this repo"
    )
    downloads = models.BigIntegerField(default=0, help_text="in the last 30 days")
    downloads_all_time = models.BigIntegerField(default=0)
    likes = models.IntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["type", "key"], name="one_repo_per_id")]
        indexes: ClassVar = [
            GinIndex(OpClass(Upper("full_name"), name="gin_trgm_ops"), name="repo_name_trigrams"),
            GinIndex(fields=["tags"], name="repo_tags"),
            models.Index(fields=["type", "-updated_at"], name="repo_newest"),
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
    created_at = models.DateTimeField(default=timezone.now)
    handled_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "user"], name="one_request_per_user")
        ]


class PullRequest(models.Model):
    """A proposed change: the ref ``refs/pr/{number}`` and who opened it."""

    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="pull_requests")
    number = models.IntegerField()
    title = models.TextField()
    description = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    base = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["repo", "number"], name="one_pull_request_per_number")
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
    created_at = models.DateTimeField(default=timezone.now)


class Job(models.Model):
    """Asked-for work.  ``run`` is the fence: only the run that holds the lease may write results."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    subject = models.CharField(
        max_length=200, help_text="what the work is about; one open job per kind and subject"
    )
    repo = models.ForeignKey(Repo, null=True, on_delete=models.CASCADE, related_name="jobs")
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    run = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True)
    progress = models.FloatField(default=0, help_text="0 to 1")
    step = models.CharField(max_length=200, blank=True, help_text="what is being done now")
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_open_job_per_subject",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="job_due")]
