"""The rows of this room: licences as read, their texts, and models elsewhere whose terms are known.

What ships with the product is loaded into these rows (`licenses.loader`).  A row or field that a person here has
changed is marked, and a later version of the product leaves it alone.
"""

from django.conf import settings
from django.db import models

from licenses.terms import CATEGORIES, DOCUMENT_KINDS, EFFECTS, METRICS, TERMS


def _choices(words: object) -> list[tuple[str, str]]:
    return [(str(word), str(word)) for word in words]  # type: ignore[attr-defined]  # A tuple or a mapping of words.


class Answer(models.TextChoices):
    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Trust(models.TextChoices):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class License(models.Model):
    """One licence in one version.

    `edited` names the fields that a person here has written, `thresholds` and `aliases` among them.
    """

    slug = models.CharField(max_length=100, unique=True, help_text="What a card's license field says.")
    name = models.CharField(max_length=200)
    family = models.CharField(max_length=60, db_index=True)
    category = models.CharField(max_length=32, choices=_choices(CATEGORIES), db_index=True)
    confidence = models.CharField(max_length=8, choices=Trust)
    spdx = models.CharField(max_length=100, blank=True, default="")
    steward = models.CharField(max_length=200, blank=True, default="")
    version = models.CharField(max_length=100, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    osi = models.CharField(max_length=16, choices=Answer, default=Answer.UNKNOWN)
    osaid = models.TextField(
        blank=True, default="", help_text="How it stands to the Open Source AI Definition."
    )
    contact = models.CharField(max_length=300, blank=True, default="")
    source = models.TextField(blank=True, default="", help_text="What the reading rests on.")
    flags = models.JSONField(default=list, blank=True, help_text="What a reviewer should watch for.")
    display = models.JSONField(default=list, blank=True, help_text="Strings of which one must be shown.")
    display_on = models.CharField(max_length=40, default="repo")
    name_prefix = models.CharField(max_length=60, blank=True, default="")
    notice = models.TextField(blank=True, default="", help_text="The exact line of the notice file.")
    geography_scope = models.CharField(max_length=40, blank=True, default="")
    adapters = models.CharField(max_length=20, blank=True, default="")
    shipped = models.BooleanField(default=False, help_text="Comes with the product.")
    edited = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """One text of a licence, by the hash of its bytes; `normalized_sha256` ignores case, layout and copyright lines."""

    license = models.ForeignKey(License, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=16, choices=_choices(DOCUMENT_KINDS))
    version = models.CharField(max_length=60, blank=True, default="")
    sha256 = models.CharField(max_length=64, db_index=True)
    normalized_sha256 = models.CharField(max_length=64, db_index=True)
    text = models.TextField()
    source = models.CharField(
        max_length=300, help_text="The data package and key, or the upload, it comes from."
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["license", "sha256"], name="licenses_a_text_once_per_license")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class Term(models.Model):
    """One answer of a licence, with the passage it rests on; `stated` keeps what the shipped reading says."""

    license = models.ForeignKey(License, on_delete=models.CASCADE, related_name="terms")
    key = models.CharField(max_length=40, choices=_choices(TERMS))
    value = models.CharField(max_length=16, choices=Answer)
    note = models.TextField(blank=True, default="")
    items = models.JSONField(default=list, blank=True)
    passage = models.TextField(blank=True, default="", help_text="Words of the text that support the answer.")
    stated = models.JSONField(null=True, blank=True, help_text="The shipped reading's answer.")
    edited = models.BooleanField(default=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["license", "key"], name="licenses_a_term_once")]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"


class Threshold(models.Model):
    """From `value` on, `effect` sets in; `currency` is empty for counts."""

    license = models.ForeignKey(License, on_delete=models.CASCADE, related_name="thresholds")
    metric = models.CharField(max_length=32, choices=_choices(METRICS))
    value = models.BigIntegerField()
    currency = models.CharField(max_length=3, blank=True, default="")
    window = models.CharField(max_length=32, blank=True, default="")
    scope = models.TextField(blank=True, default="")
    effect = models.CharField(max_length=32, choices=_choices(EFFECTS))

    def __str__(self) -> str:
        return f"{self.metric} from {self.value} {self.currency}".strip()


class Alias(models.Model):
    """Another name of a licence.  One name may belong to several licences: then it names none of them for sure."""

    license = models.ForeignKey(License, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["license", "name"], name="licenses_an_alias_once")]

    def __str__(self) -> str:
        return self.name


class UpstreamModel(models.Model):
    """The terms of a model that may lie elsewhere; `pattern` is its id, or ids with ``*``."""

    pattern = models.CharField(max_length=200, unique=True)
    license = models.ForeignKey(License, on_delete=models.PROTECT, related_name="upstream_models")
    modality = models.CharField(max_length=16, blank=True, default="")
    evidence = models.TextField()
    confidence = models.CharField(max_length=8, choices=Trust)
    shipped = models.BooleanField(default=False)
    edited = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.pattern
