"""What was decided, and what of it tells of people; the triggers that guard it come next.

Hubs made by versions before 0.1.0 came to the same tables in steps, which this replaces.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [("audit", "0001_initial"), ("audit", "0003_entries")]

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "seq",
                    models.BigIntegerField(
                        editable=False, help_text="From 1, without a gap.", null=True, unique=True
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, help_text="Of the commit, by the database's clock."
                    ),
                ),
                ("act", models.CharField(max_length=60)),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[("person", "Person"), ("policy", "Policy"), ("system", "System")],
                        max_length=6,
                    ),
                ),
                (
                    "actor",
                    models.CharField(
                        help_text="A user's number, a policy's slug, a part of the hub.", max_length=200
                    ),
                ),
                ("role", models.CharField(blank=True, default="", max_length=60)),
                ("subject", models.CharField(blank=True, default="", max_length=100)),
                (
                    "label",
                    models.CharField(
                        blank=True, default="", help_text="The subject's name then.", max_length=200
                    ),
                ),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "personal",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        default=list,
                        help_text="Salted digests of what tells of people.",
                        size=None,
                    ),
                ),
                (
                    "content",
                    models.CharField(
                        help_text="Digest of all of the above but place and time.", max_length=64
                    ),
                ),
                ("prev_hash", models.CharField(blank=True, default="", max_length=64)),
                ("hash", models.CharField(blank=True, default="", max_length=64)),
            ],
            options={
                "verbose_name_plural": "entries",
                "indexes": [
                    models.Index(fields=["subject", "act", "seq"], name="audit_by_subject"),
                    models.Index(fields=["act", "seq"], name="audit_by_act"),
                    models.Index(fields=["at"], name="audit_by_time"),
                    models.Index(fields=["actor_kind", "actor", "seq"], name="audit_by_actor"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Personal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="details", to="audit.entry"
                    ),
                ),
                (
                    "person",
                    models.BigIntegerField(db_index=True, help_text="The user it tells of.", null=True),
                ),
                ("salt", models.CharField(max_length=32)),
                ("data", models.JSONField()),
            ],
        ),
    ]
