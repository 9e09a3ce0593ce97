"""Licenses as they are read here, and what is decided about the terms of models.

Hubs made by versions before 0.1.0 came to the same tables in steps, which this replaces.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("licenses", "0001_initial"),
        ("licenses", "0002_decisions"),
        ("licenses", "0003_decision_texts"),
    ]

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("subject", models.CharField(db_index=True, max_length=64)),
                ("label", models.CharField(help_text="The subject's name, to be shown.", max_length=200)),
                ("commit", models.CharField(max_length=64)),
                ("digest", models.CharField(help_text="Of the revision set.", max_length=64)),
                ("current", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scanning", "Scanning"),
                            ("clear", "Clear"),
                            ("declared", "Declared"),
                            ("blocked", "Blocked"),
                            ("in-review", "In Review"),
                            ("second-review", "Second Review"),
                            ("needs-info", "Needs Info"),
                            ("appealed", "Appealed"),
                            ("stale", "Stale"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        db_index=True,
                        default="scanning",
                        max_length=16,
                    ),
                ),
                (
                    "first_seen",
                    models.BooleanField(
                        default=False, help_text="No text like these was decided here before."
                    ),
                ),
                (
                    "single_person",
                    models.BooleanField(default=False, help_text="Decided by its own uploader, alone."),
                ),
                ("declared", models.JSONField(blank=True, default=dict)),
                ("detected", models.JSONField(blank=True, default=list)),
                (
                    "concluded",
                    models.CharField(
                        blank=True, default="", help_text="An SPDX expression.", max_length=1000
                    ),
                ),
                ("effective_use", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "licenses",
                    models.JSONField(blank=True, default=list, help_text="Catalogue ids that bind its use."),
                ),
                ("findings", models.JSONField(blank=True, default=list)),
                (
                    "evidence",
                    models.JSONField(
                        blank=True, default=list, help_text="What was read, by path and sha256."
                    ),
                ),
                (
                    "texts",
                    models.JSONField(
                        blank=True, default=list, help_text="Normalised hashes of the license texts."
                    ),
                ),
                ("lineage", models.JSONField(blank=True, default=dict)),
                ("policies", models.JSONField(blank=True, default=list, help_text="What led to the state.")),
                (
                    "consent",
                    models.JSONField(blank=True, default=list, help_text="The documents to be accepted."),
                ),
                ("conditions", models.JSONField(blank=True, default=list)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("snoozed_until", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("current", True)),
                        fields=["state", "opened_at"],
                        name="licenses_queue",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("current", True)),
                        fields=("subject",),
                        name="licenses_one_current_case",
                    ),
                    models.UniqueConstraint(fields=("subject", "digest"), name="licenses_one_case_per_set"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="licenses.case",
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("scan", "Scan"),
                            ("approve", "Approve"),
                            ("reject", "Reject"),
                            ("request-changes", "Request Changes"),
                            ("answer", "Answer"),
                            ("appeal", "Appeal"),
                            ("expire", "Expire"),
                            ("stale", "Stale"),
                            ("suspend", "Suspend"),
                            ("reinstate", "Reinstate"),
                            ("withdraw", "Withdraw"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "from_state",
                    models.CharField(
                        choices=[
                            ("scanning", "Scanning"),
                            ("clear", "Clear"),
                            ("declared", "Declared"),
                            ("blocked", "Blocked"),
                            ("in-review", "In Review"),
                            ("second-review", "Second Review"),
                            ("needs-info", "Needs Info"),
                            ("appealed", "Appealed"),
                            ("stale", "Stale"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("scanning", "Scanning"),
                            ("clear", "Clear"),
                            ("declared", "Declared"),
                            ("blocked", "Blocked"),
                            ("in-review", "In Review"),
                            ("second-review", "Second Review"),
                            ("needs-info", "Needs Info"),
                            ("appealed", "Appealed"),
                            ("stale", "Stale"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("suspended", "Suspended"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reasons", models.JSONField(blank=True, default=list, help_text="Codes of findings.")),
                (
                    "cited",
                    models.JSONField(
                        blank=True, default=list, help_text="Terms: license, term, document, passage."
                    ),
                ),
                ("checklist", models.JSONField(blank=True, default=dict)),
                ("conditions", models.JSONField(blank=True, default=list)),
                ("concluded", models.CharField(blank=True, default="", max_length=1000)),
                ("texts", models.JSONField(blank=True, default=list)),
                ("licenses", models.JSONField(blank=True, default=list)),
                ("note_public", models.TextField(blank=True, default="")),
                ("note_private", models.TextField(blank=True, default="")),
                (
                    "own",
                    models.BooleanField(
                        default=False, help_text="The reviewer wrote to the repository themselves."
                    ),
                ),
                (
                    "precedent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.decision",
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="License",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        help_text="What a card's license field says.", max_length=100, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("family", models.CharField(db_index=True, max_length=60)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("permissive", "permissive"),
                            ("weak-copyleft", "weak-copyleft"),
                            ("copyleft", "copyleft"),
                            ("responsible-AI", "responsible-AI"),
                            ("source-available", "source-available"),
                            ("non-commercial", "non-commercial"),
                            ("research-only", "research-only"),
                            ("proprietary", "proprietary"),
                            ("ambiguous", "ambiguous"),
                            ("unknown", "unknown"),
                        ],
                        db_index=True,
                        max_length=32,
                    ),
                ),
                (
                    "confidence",
                    models.CharField(
                        choices=[("high", "High"), ("medium", "Medium"), ("low", "Low")], max_length=8
                    ),
                ),
                ("spdx", models.CharField(blank=True, default="", max_length=100)),
                ("steward", models.CharField(blank=True, default="", max_length=200)),
                ("version", models.CharField(blank=True, default="", max_length=100)),
                ("url", models.CharField(blank=True, default="", max_length=500)),
                (
                    "osi",
                    models.CharField(
                        choices=[
                            ("yes", "Yes"),
                            ("no", "No"),
                            ("conditional", "Conditional"),
                            ("unknown", "Unknown"),
                        ],
                        default="unknown",
                        max_length=16,
                    ),
                ),
                (
                    "osaid",
                    models.TextField(
                        blank=True, default="", help_text="How it stands to the Open Source AI Definition."
                    ),
                ),
                ("contact", models.CharField(blank=True, default="", max_length=300)),
                ("source", models.TextField(blank=True, default="", help_text="What the reading rests on.")),
                (
                    "flags",
                    models.JSONField(blank=True, default=list, help_text="What a reviewer should watch for."),
                ),
                (
                    "display",
                    models.JSONField(
                        blank=True, default=list, help_text="Strings of which one must be shown."
                    ),
                ),
                ("display_on", models.CharField(default="repo", max_length=40)),
                ("name_prefix", models.CharField(blank=True, default="", max_length=60)),
                (
                    "notice",
                    models.TextField(blank=True, default="", help_text="The exact line of the notice file."),
                ),
                ("geography_scope", models.CharField(blank=True, default="", max_length=40)),
                ("adapters", models.CharField(blank=True, default="", max_length=20)),
                ("shipped", models.BooleanField(default=False, help_text="Comes with the product.")),
                ("edited", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Acceptance",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="acceptances",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Accepted in its name, for all of its members.",
                        max_length=200,
                    ),
                ),
                ("subject", models.CharField(db_index=True, max_length=64)),
                ("label", models.CharField(max_length=200)),
                ("commit", models.CharField(max_length=64)),
                ("key", models.CharField(db_index=True, max_length=64)),
                (
                    "documents",
                    models.JSONField(
                        help_text="License, kind, version and sha256 of each text that was shown."
                    ),
                ),
                (
                    "shown_sha256",
                    models.CharField(help_text="Of the terms as they were shown.", max_length=64),
                ),
                ("fields", models.JSONField(default=dict, help_text="What was asked besides, and answered.")),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                (
                    "method",
                    models.CharField(
                        choices=[("click", "Click"), ("form", "Form"), ("api", "Api"), ("grant", "Grant")],
                        max_length=5,
                    ),
                ),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.acceptance",
                    ),
                ),
                ("licenses", models.ManyToManyField(blank=True, related_name="+", to="licenses.license")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "subject", "key"], name="licenses_acceptance_of_user"),
                    models.Index(
                        condition=models.Q(("organization", ""), _negated=True),
                        fields=["organization", "subject", "key"],
                        name="licenses_acceptance_of_org",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="licenses.license",
                    ),
                ),
                ("name", models.CharField(db_index=True, max_length=200)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("license", "name"), name="licenses_an_alias_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="licenses.license",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("license", "license"),
                            ("use-policy", "use-policy"),
                            ("notice", "notice"),
                            ("translation", "translation"),
                        ],
                        max_length=16,
                    ),
                ),
                ("version", models.CharField(blank=True, default="", max_length=60)),
                ("sha256", models.CharField(db_index=True, max_length=64)),
                ("normalized_sha256", models.CharField(db_index=True, max_length=64)),
                ("text", models.TextField()),
                (
                    "source",
                    models.CharField(
                        help_text="The data package and key, or the upload, it comes from.", max_length=300
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("license", "sha256"), name="licenses_a_text_once_per_license"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("when", models.JSONField()),
                ("scope", models.JSONField(default=list, help_text="Patterns of names.")),
                ("action", models.CharField(max_length=10)),
                ("enabled", models.BooleanField(default=True)),
                ("shipped", models.BooleanField(default=False)),
                ("edited", models.BooleanField(default=False)),
                ("position", models.IntegerField(default=100)),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Suspension",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("subject", "Subject"), ("license", "License"), ("digest", "Digest")],
                        max_length=8,
                    ),
                ),
                ("key", models.CharField(max_length=100)),
                ("final", models.BooleanField(default=False, help_text="Withdrawn, not only suspended.")),
                ("reason", models.TextField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("kind", "key"),
                        name="licenses_one_suspension_per_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms",
                        to="licenses.license",
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        choices=[
                            ("commercial_use", "commercial_use"),
                            ("redistribution", "redistribution"),
                            ("modification", "modification"),
                            ("patent_grant", "patent_grant"),
                            ("trademark", "trademark"),
                            ("attribution_required", "attribution_required"),
                            ("notice_file_required", "notice_file_required"),
                            ("naming_requirement", "naming_requirement"),
                            ("derivatives_same_license", "derivatives_same_license"),
                            ("disclosure_of_changes", "disclosure_of_changes"),
                            ("acceptable_use_policy", "acceptable_use_policy"),
                            ("field_of_use_restrictions", "field_of_use_restrictions"),
                            ("geographic_exclusions", "geographic_exclusions"),
                            ("usage_thresholds", "usage_thresholds"),
                            ("output_training_restriction", "output_training_restriction"),
                            ("network_clause", "network_clause"),
                            ("patent_retaliation", "patent_retaliation"),
                            ("revocable", "revocable"),
                            ("gating_usual", "gating_usual"),
                        ],
                        max_length=40,
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        choices=[
                            ("yes", "Yes"),
                            ("no", "No"),
                            ("conditional", "Conditional"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=16,
                    ),
                ),
                ("note", models.TextField(blank=True, default="")),
                ("items", models.JSONField(blank=True, default=list)),
                (
                    "passage",
                    models.TextField(
                        blank=True, default="", help_text="Words of the text that support the answer."
                    ),
                ),
                (
                    "stated",
                    models.JSONField(blank=True, help_text="The shipped reading's answer.", null=True),
                ),
                ("edited", models.BooleanField(default=False)),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("license", "key"), name="licenses_a_term_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Threshold",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="thresholds",
                        to="licenses.license",
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("monthly-active-users", "monthly-active-users"),
                            ("daily-active-users", "daily-active-users"),
                            ("revenue", "revenue"),
                            ("output-tokens", "output-tokens"),
                        ],
                        max_length=32,
                    ),
                ),
                ("value", models.BigIntegerField()),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("window", models.CharField(blank=True, default="", max_length=32)),
                ("scope", models.TextField(blank=True, default="")),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("separate-license", "separate-license"),
                            ("display", "display"),
                            ("royalty", "royalty"),
                            ("rights-end", "rights-end"),
                        ],
                        max_length=32,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UpstreamModel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("pattern", models.CharField(max_length=200, unique=True)),
                (
                    "license",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="upstream_models",
                        to="licenses.license",
                    ),
                ),
                ("modality", models.CharField(blank=True, default="", max_length=16)),
                ("evidence", models.TextField()),
                (
                    "confidence",
                    models.CharField(
                        choices=[("high", "High"), ("medium", "Medium"), ("low", "Low")], max_length=8
                    ),
                ),
                ("shipped", models.BooleanField(default=False)),
                ("edited", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="WaiverRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("policy", models.SlugField(max_length=60)),
                ("subject", models.CharField(db_index=True, max_length=64)),
                ("label", models.CharField(max_length=200)),
                ("justification", models.TextField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
    ]
