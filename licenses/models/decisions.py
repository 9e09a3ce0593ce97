"""What was found, decided and agreed to.  Subjects are opaque strings: this room knows no repository.

A case is about one *revision set*: everything of a subject that bears on its terms, by one digest.  Another set is
another case; the last one is the current one.  Decisions and acceptances are only ever added to.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from licenses.models.catalogue import License

_LONG = 200
_DIGEST = 64


class Case(models.Model):
    """One revision set of one subject: what was found in it, and where its review stands.

    The JSON columns hold what `licenses.records` writes and reads.
    """

    class State(models.TextChoices):
        SCANNING = "scanning"
        # Settled by policy.
        CLEAR = "clear"
        DECLARED = "declared"
        BLOCKED = "blocked"
        # Waiting for somebody.
        IN_REVIEW = "in-review"
        SECOND_REVIEW = "second-review"
        NEEDS_INFO = "needs-info"
        APPEALED = "appealed"
        STALE = "stale"
        # Settled by people.
        APPROVED = "approved"
        REJECTED = "rejected"
        SUSPENDED = "suspended"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=_DIGEST, db_index=True)
    label = models.CharField(max_length=_LONG, help_text="The subject's name, to be shown.")
    commit = models.CharField(max_length=_DIGEST)
    digest = models.CharField(max_length=_DIGEST, help_text="Of the revision set.")
    current = models.BooleanField(default=True)
    state = models.CharField(max_length=16, choices=State, default=State.SCANNING, db_index=True)
    first_seen = models.BooleanField(default=False, help_text="No text like these was decided here before.")
    single_person = models.BooleanField(default=False, help_text="Decided by its own uploader, alone.")
    declared = models.JSONField(default=dict, blank=True)
    detected = models.JSONField(default=list, blank=True)
    concluded = models.CharField(max_length=1000, blank=True, default="", help_text="An SPDX expression.")
    effective_use = models.CharField(max_length=1000, blank=True, default="")
    licenses = models.JSONField(default=list, blank=True, help_text="Catalogue ids that bind its use.")
    findings = models.JSONField(default=list, blank=True)
    evidence = models.JSONField(default=list, blank=True, help_text="What was read, by path and sha256.")
    texts = models.JSONField(default=list, blank=True, help_text="Normalised hashes of the license texts.")
    lineage = models.JSONField(default=dict, blank=True)
    policies = models.JSONField(default=list, blank=True, help_text="What led to the state.")
    consent = models.JSONField(default=list, blank=True, help_text="The documents to be accepted.")
    conditions = models.JSONField(default=list, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    opened_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(current=True), name="licenses_one_current_case"
            ),
            models.UniqueConstraint(fields=["subject", "digest"], name="licenses_one_case_per_set"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["state", "opened_at"], condition=models.Q(current=True), name="licenses_queue"
            )
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.state}"


class Decision(models.Model):
    """One act on a case, by a person or (where `by` is empty) by policy.  Never changed."""

    class Verb(models.TextChoices):
        SCAN = "scan"
        APPROVE = "approve"
        REJECT = "reject"
        REQUEST_CHANGES = "request-changes"
        ANSWER = "answer"
        APPEAL = "appeal"
        EXPIRE = "expire"
        STALE = "stale"
        SUSPEND = "suspend"
        REINSTATE = "reinstate"
        WITHDRAW = "withdraw"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    verb = models.CharField(max_length=16, choices=Verb)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(default=timezone.now)
    from_state = models.CharField(max_length=16, choices=Case.State)
    to_state = models.CharField(max_length=16, choices=Case.State)
    reasons = models.JSONField(default=list, blank=True, help_text="Codes of findings.")
    cited = models.JSONField(default=list, blank=True, help_text="Terms: license, term, document, passage.")
    checklist = models.JSONField(default=dict, blank=True)
    conditions = models.JSONField(default=list, blank=True)
    concluded = models.CharField(max_length=1000, blank=True, default="")
    # What it rested on, since a later scan writes the case anew.
    texts = models.JSONField(default=list, blank=True)
    licenses = models.JSONField(default=list, blank=True)
    note_public = models.TextField(blank=True, default="")
    note_private = models.TextField(blank=True, default="")
    own = models.BooleanField(default=False, help_text="The reviewer wrote to the repository themselves.")
    precedent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d}"


class PolicyRow(models.Model):
    """A policy as data (`licenses.policy.Policy`); those that ship are loaded and keep what a person changed."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=_LONG)
    when = models.JSONField()
    scope = models.JSONField(default=list, help_text="Patterns of names.")
    action = models.CharField(max_length=10)
    enabled = models.BooleanField(default=True)
    shipped = models.BooleanField(default=False)
    edited = models.BooleanField(default=False)
    position = models.IntegerField(default=100)

    class Meta:
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return self.slug


class WaiverRow(models.Model):
    """One policy set aside for one subject until a moment.  Never changed but to be taken back."""

    policy = models.SlugField(max_length=60)
    subject = models.CharField(max_length=_DIGEST, db_index=True)
    label = models.CharField(max_length=_LONG)
    justification = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.policy} for {self.label}"


class Suspension(models.Model):
    """Nothing under this key is handed out: a subject, everything under a license, or whoever holds a digest."""

    class Kind(models.TextChoices):
        SUBJECT = "subject"
        LICENSE = "license"
        DIGEST = "digest"

    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=100)
    final = models.BooleanField(default=False, help_text="Withdrawn, not only suspended.")
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=models.Q(lifted_at=None),
                name="licenses_one_suspension_per_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Acceptance(models.Model):
    """A person's word, or an officer's for an organization, on exact documents.  Never erased.

    `key` is the digest of what was to be accepted (`licenses.acceptances.key_of`): documents and subject.  It counts
    while it is neither withdrawn, superseded nor expired.
    """

    class Method(models.TextChoices):
        CLICK = "click"
        FORM = "form"
        API = "api"
        GRANT = "grant"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="acceptances"
    )
    organization = models.CharField(
        max_length=_LONG, blank=True, default="", help_text="Accepted in its name, for all of its members."
    )
    subject = models.CharField(max_length=_DIGEST, db_index=True)
    label = models.CharField(max_length=_LONG)
    commit = models.CharField(max_length=_DIGEST)
    key = models.CharField(max_length=_DIGEST, db_index=True)
    documents = models.JSONField(help_text="License, kind, version and sha256 of each text that was shown.")
    licenses = models.ManyToManyField(License, related_name="+", blank=True)
    shown_sha256 = models.CharField(max_length=_DIGEST, help_text="Of the terms as they were shown.")
    fields = models.JSONField(default=dict, help_text="What was asked besides, and answered.")
    country = models.CharField(max_length=2, blank=True, default="")
    method = models.CharField(max_length=5, choices=Method)
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    superseded_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "subject", "key"], name="licenses_acceptance_of_user"),
            models.Index(
                fields=["organization", "subject", "key"],
                condition=~models.Q(organization=""),
                name="licenses_acceptance_of_org",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} by {self.user_id}"
