"""Tables of the audit room.

An entry is written once: the database fills in its place in the chain when the transaction commits, and refuses every
other change (see the first migration).  What tells of a person lies beside it and may be erased.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

_DIGEST = 64
_LONG = 200


class Entry(models.Model):
    """One act.  `seq`, `at`, `prev_hash` and `hash` are the database's; until the commit they are not settled."""

    class ActorKind(models.TextChoices):
        PERSON = "person"
        POLICY = "policy"
        SYSTEM = "system"

    id = models.BigAutoField(primary_key=True)
    seq = models.BigIntegerField(null=True, unique=True, editable=False, help_text="From 1, without a gap.")
    at = models.DateTimeField(default=timezone.now, help_text="Of the commit, by the database's clock.")
    act = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=6, choices=ActorKind)
    actor = models.CharField(
        max_length=_LONG, help_text="A user's number, a policy's slug, a part of the hub."
    )
    role = models.CharField(max_length=60, blank=True, default="")
    subject = models.CharField(max_length=100, blank=True, default="")
    label = models.CharField(max_length=_LONG, blank=True, default="", help_text="The subject's name then.")
    data = models.JSONField(default=dict, blank=True)
    personal = ArrayField(
        models.CharField(max_length=_DIGEST),
        default=list,
        help_text="Salted digests of what tells of people.",
    )
    content = models.CharField(max_length=_DIGEST, help_text="Digest of all of the above but place and time.")
    prev_hash = models.CharField(max_length=_DIGEST, blank=True, default="")
    hash = models.CharField(max_length=_DIGEST, blank=True, default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject", "act", "seq"], name="audit_by_subject"),
            models.Index(fields=["act", "seq"], name="audit_by_act"),
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["actor_kind", "actor", "seq"], name="audit_by_actor"),
        ]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.seq} {self.act} {self.label}"


class Personal(models.Model):
    """What an entry tells of one person.  The chain covers its digest only, so it can go without breaking the chain.

    `person` is a number and no reference: what is kept of somebody has to be found when the account is gone as well.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="details")
    person = models.BigIntegerField(null=True, db_index=True, help_text="The user it tells of.")
    salt = models.CharField(max_length=32)
    data = models.JSONField()

    def __str__(self) -> str:
        return f"personal fields of entry {self.entry_id}"
