"""Repos and everything that stands beside them.

Hubs made by versions before 0.1.0 came to the same tables in steps, which this replaces.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AtOnce(Operation):
    """Makes many tables together: after each one alone, Django would build all models anew, which takes seconds."""

    def __init__(self, tables: Sequence[migrations.CreateModel]) -> None:
        self.tables = tables

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # What was built of the models so far is left behind; it is built again, once, when it is next asked for.
        state.__dict__.pop("apps", None)
        for table in self.tables:
            table.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for table in self.tables:
            table.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for table in reversed(self.tables):
            table.database_backwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("catalog", "0001_initial"),
        ("catalog", "0002_row_indexes"),
        ("catalog", "0003_repo_source"),
        ("catalog", "0004_terms"),
        ("catalog", "0005_notices"),
        ("catalog", "0006_facets"),
        ("catalog", "0007_clearances"),
        ("catalog", "0008_edge_names"),
        ("catalog", "0009_search"),
        ("catalog", "0010_quotas"),
        ("catalog", "0011_discussions"),
    ]

    dependencies = [
        ("accounts", "0001_tables"),
        ("storage", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # pg_trgm is a trusted extension: the owner of the database may create it.
        django.contrib.postgres.operations.TrigramExtension(),
        AtOnce(
            [
                migrations.CreateModel(
                    name="Collection",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "namespace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="collections",
                                to="accounts.namespace",
                            ),
                        ),
                        ("title", models.CharField(max_length=60)),
                        ("description", models.CharField(blank=True, max_length=150)),
                        ("private", models.BooleanField(default=False)),
                        (
                            "theme",
                            models.CharField(
                                default="blue", help_text="a colour that clients ask for", max_length=10
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["namespace", "-updated_at"], name="collection_newest")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Inspection",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("sha256", models.CharField(max_length=64, unique=True)),
                        ("format", models.CharField(max_length=20)),
                        ("ok", models.BooleanField(default=True)),
                        ("findings", models.JSONField(default=list)),
                        (
                            "summary",
                            models.JSONField(
                                default=dict,
                                help_text="parameters by dtype, total, GGUF architecture and the like",
                            ),
                        ),
                        ("data", models.JSONField(default=dict, help_text="every tensor and all metadata")),
                        (
                            "digested",
                            models.BooleanField(
                                default=False, help_text="its large tensors have their digests"
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="ObjectNetwork",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="Card",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        ("oid", models.CharField(help_text="git id of the README blob", max_length=40)),
                        ("data", models.JSONField(default=dict)),
                        ("warnings", models.JSONField(default=list)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("network", "oid"), name="one_card_per_text")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CommitRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="commits",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        ("oid", models.CharField(db_index=True, max_length=40)),
                        ("tree", models.CharField(max_length=40)),
                        (
                            "parents",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40), default=list, size=None
                            ),
                        ),
                        (
                            "depth",
                            models.IntegerField(help_text="longest way to a root; parents always have less"),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("author_name", models.CharField(max_length=200)),
                        ("created_at", models.DateTimeField()),
                        ("title", models.TextField()),
                        ("message", models.TextField(blank=True)),
                        (
                            "card",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="catalog.card",
                            ),
                        ),
                        (
                            "facts",
                            models.JSONField(
                                default=dict, help_text="what inspections of the files add up to"
                            ),
                        ),
                        (
                            "terms",
                            models.CharField(
                                blank=True,
                                default="",
                                help_text="digest of all in it that bears on its terms",
                                max_length=64,
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("network", "oid"), name="one_record_per_commit")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GitObject",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="objects_kept",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        ("oid", models.CharField(max_length=40)),
                        (
                            "type",
                            models.SmallIntegerField(
                                choices=[(1, "Commit"), (2, "Tree"), (3, "Blob"), (4, "Tag")]
                            ),
                        ),
                        ("size", models.BigIntegerField(help_text="of the payload before deflating")),
                        ("data", models.BinaryField(help_text="zlib stream; empty where key is set")),
                        (
                            "key",
                            models.CharField(
                                blank=True,
                                help_text="where the zlib stream lies in the store",
                                max_length=200,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("network", "oid"), name="one_object_per_network")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PathChange",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        ("commit", models.CharField(max_length=40)),
                        ("path", models.TextField()),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["network", "path"], name="change_by_path"),
                            models.Index(fields=["network", "commit"], name="change_by_commit"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Quota",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "namespace",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="quota",
                                to="accounts.namespace",
                            ),
                        ),
                        (
                            "bound",
                            models.BigIntegerField(
                                help_text="bytes; 0: no bound; null: what the hub gives to all", null=True
                            ),
                        ),
                        (
                            "used",
                            models.BigIntegerField(default=0, help_text="bytes, when they were last counted"),
                        ),
                        ("counted_at", models.DateTimeField(null=True)),
                        (
                            "told",
                            models.SmallIntegerField(
                                default=0, help_text="the share of the bound, in percent, that was told of"
                            ),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="Repo",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="repos",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        (
                            "namespace",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="repos",
                                to="accounts.namespace",
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[("model", "Model"), ("dataset", "Dataset")],
                                default="model",
                                max_length=8,
                            ),
                        ),
                        ("name", models.CharField(max_length=96)),
                        (
                            "full_name",
                            models.CharField(help_text="namespace/name, in the case to show", max_length=200),
                        ),
                        (
                            "key",
                            models.CharField(
                                help_text="namespace/name, lower-cased: ids are case-insensitive",
                                max_length=200,
                            ),
                        ),
                        ("private", models.BooleanField(default=False)),
                        (
                            "gated",
                            models.CharField(
                                blank=True,
                                choices=[("", "No"), ("auto", "Auto"), ("manual", "Manual")],
                                default="",
                                max_length=6,
                            ),
                        ),
                        ("disabled", models.BooleanField(default=False)),
                        (
                            "clearance",
                            models.CharField(
                                choices=[
                                    ("scanning", "Scanning"),
                                    ("clear", "Clear"),
                                    ("declared", "Declared"),
                                    ("held", "Held"),
                                    ("blocked", "Blocked"),
                                    ("suspended", "Suspended"),
                                ],
                                default="scanning",
                                max_length=9,
                            ),
                        ),
                        (
                            "consent",
                            models.CharField(
                                blank=True,
                                default="",
                                help_text="key of what readers must accept, if anything",
                                max_length=64,
                            ),
                        ),
                        (
                            "source",
                            models.ForeignKey(
                                blank=True,
                                help_text="the repo that this one was made from, and whose visibility, gate and state it follows",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="derived",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                        (
                            "last_number",
                            models.IntegerField(
                                default=0, help_text="the last pull request or discussion number given out"
                            ),
                        ),
                        ("head", models.CharField(blank=True, max_length=40)),
                        (
                            "license",
                            models.CharField(blank=True, help_text="as the card declares it", max_length=100),
                        ),
                        ("pipeline_tag", models.CharField(blank=True, max_length=100)),
                        ("library", models.CharField(blank=True, max_length=100)),
                        (
                            "tags",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200), default=list, size=None
                            ),
                        ),
                        (
                            "base_models",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200), default=list, size=None
                            ),
                        ),
                        (
                            "traits",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=220),
                                default=list,
                                help_text="what lists narrow by, as kind:value; see traits.py",
                                size=None,
                            ),
                        ),
                        ("parameters", models.BigIntegerField(null=True)),
                        (
                            "proof",
                            models.CharField(
                                default="small",
                                help_text="how far the files of main are proven: see proofs.py",
                                max_length=8,
                            ),
                        ),
                        (
                            "used_storage",
                            models.BigIntegerField(
                                default=0, help_text="bytes of the distinct large files in this repo"
                            ),
                        ),
                        ("downloads", models.BigIntegerField(default=0, help_text="in the last 30 days")),
                        ("downloads_all_time", models.BigIntegerField(default=0)),
                        ("likes", models.IntegerField(default=0)),
                        (
                            "trending",
                            models.BigIntegerField(
                                default=0, help_text="pulls and likes of the last days, newer ones more"
                            ),
                        ),
                        (
                            "concluded",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                default=list,
                                help_text="ids of the licenses that bind its use",
                                size=None,
                            ),
                        ),
                        (
                            "uses",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=40),
                                default=list,
                                help_text="what every license allows",
                                size=None,
                            ),
                        ),
                        (
                            "users_limit",
                            models.BigIntegerField(
                                help_text="monthly users from which on a license of one's own is needed; null: none, 0: not known",
                                null=True,
                            ),
                        ),
                        ("openness", models.SmallIntegerField(default=0, help_text="rung of the ladder")),
                        (
                            "reviewed",
                            models.BooleanField(
                                default=False, help_text="a person approved what the terms came to"
                            ),
                        ),
                        (
                            "cleared_until",
                            models.DateTimeField(
                                help_text="when what the clearance rests on runs out; from then on it does not count",
                                null=True,
                            ),
                        ),
                        ("scans_asked", models.IntegerField(default=0)),
                        ("scans_done", models.IntegerField(default=0)),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="repo_tags"),
                            django.contrib.postgres.indexes.GinIndex(fields=["traits"], name="repo_traits"),
                            django.contrib.postgres.indexes.GinIndex(fields=["uses"], name="repo_uses"),
                            django.contrib.postgres.indexes.GinIndex(
                                fields=["concluded"], name="repo_concluded"
                            ),
                            models.Index(fields=["type", "-updated_at"], name="repo_newest"),
                            models.Index(
                                condition=models.Q(("scans_asked__gt", models.F("scans_done"))),
                                fields=["id"],
                                name="repo_unscanned",
                            ),
                            models.Index(fields=["type", "-downloads", "id"], name="repo_most_pulled"),
                            models.Index(fields=["type", "-likes", "id"], name="repo_most_liked"),
                            models.Index(fields=["type", "-created_at", "id"], name="repo_latest_made"),
                            models.Index(fields=["type", "-trending", "id"], name="repo_trending"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("type", "key"), name="one_repo_per_id")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AccessRequest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="access_requests",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("pending", "Pending"),
                                    ("accepted", "Accepted"),
                                    ("rejected", "Rejected"),
                                ],
                                default="pending",
                                max_length=8,
                            ),
                        ),
                        (
                            "granted",
                            models.BooleanField(
                                default=False, help_text="given by the owner without a request"
                            ),
                        ),
                        ("reason", models.TextField(blank=True)),
                        (
                            "fields",
                            models.JSONField(
                                blank=True, default=dict, help_text="what the card asked, and was answered"
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("handled_at", models.DateTimeField(null=True)),
                        (
                            "handled_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("repo", "user"), name="one_request_per_user")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CollectionItem",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "collection",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="items",
                                to="catalog.collection",
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="collected",
                                to="catalog.repo",
                            ),
                        ),
                        ("note", models.CharField(blank=True, max_length=500)),
                        ("position", models.IntegerField(default=0)),
                    ],
                    options={
                        "ordering": ["position", "pk"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("collection", "repo"), name="one_place_per_collection"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Discussion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="discussions",
                                to="catalog.repo",
                            ),
                        ),
                        ("number", models.IntegerField()),
                        ("is_proposal", models.BooleanField(default=False)),
                        ("title", models.TextField()),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("draft", "Draft"),
                                    ("open", "Open"),
                                    ("closed", "Closed"),
                                    ("merged", "Merged"),
                                ],
                                default="open",
                                max_length=6,
                            ),
                        ),
                        ("base", models.CharField(blank=True, max_length=255)),
                        ("start", models.CharField(blank=True, max_length=40)),
                        (
                            "merged_as",
                            models.CharField(
                                blank=True, help_text="the commit that merged it", max_length=40
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("repo", "number"), name="one_discussion_per_number"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="DiscussionEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "discussion",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="events",
                                to="catalog.discussion",
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("comment", "Comment"),
                                    ("status-change", "Status"),
                                    ("commit", "Commit"),
                                    ("title-change", "Title"),
                                ],
                                max_length=13,
                            ),
                        ),
                        (
                            "author",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("text", models.TextField(blank=True)),
                        ("more", models.TextField(blank=True)),
                        ("hidden", models.BooleanField(default=False)),
                        ("edited_at", models.DateTimeField(null=True)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                ),
                migrations.CreateModel(
                    name="DownloadDay",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="download_days",
                                to="catalog.repo",
                            ),
                        ),
                        ("day", models.DateField()),
                        ("count", models.IntegerField(default=0)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("repo", "day"), name="one_count_per_day")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Job",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("kind", models.CharField(max_length=30)),
                        (
                            "subject",
                            models.CharField(
                                help_text="what the work is about; one open job per kind and subject",
                                max_length=200,
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="jobs",
                                to="catalog.repo",
                            ),
                        ),
                        ("payload", models.JSONField(default=dict)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("waiting", "Waiting"),
                                    ("running", "Running"),
                                    ("done", "Done"),
                                    ("failed", "Failed"),
                                ],
                                default="waiting",
                                max_length=8,
                            ),
                        ),
                        ("run", models.IntegerField(default=0)),
                        ("failures", models.IntegerField(default=0)),
                        ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("lease_until", models.DateTimeField(null=True)),
                        ("progress", models.FloatField(default=0, help_text="0 to 1")),
                        (
                            "step",
                            models.CharField(blank=True, help_text="what is being done now", max_length=200),
                        ),
                        ("error", models.TextField(blank=True)),
                        ("result", models.JSONField(default=dict)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("finished_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["state", "due_at"], name="job_due")],
                        "constraints": [
                            models.UniqueConstraint(
                                condition=models.Q(("state__in", ["waiting", "running"])),
                                fields=("kind", "subject"),
                                name="one_open_job_per_subject",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Like",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="liked_by",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="likes",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("repo", "user"), name="one_like_per_user")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LineageEdge",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="lineage",
                                to="catalog.repo",
                            ),
                        ),
                        ("parent", models.CharField(max_length=200)),
                        (
                            "name",
                            models.CharField(
                                blank=True, default="", help_text="as the evidence spells it", max_length=200
                            ),
                        ),
                        (
                            "parent_repo",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="descendants",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "relation",
                            models.CharField(help_text="one of licenses.ancestry.Relation", max_length=16),
                        ),
                        (
                            "source",
                            models.CharField(
                                help_text="card, config, adapter, gguf, tensors, bytes, hub or reviewer",
                                max_length=16,
                            ),
                        ),
                        (
                            "strength",
                            models.SmallIntegerField(help_text="the higher, the stronger the evidence"),
                        ),
                    ],
                    options={
                        "indexes": [models.Index(fields=["parent"], name="edge_by_parent")],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("repo", "parent", "source"), name="one_edge_per_source"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Notice",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="notices",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("kind", models.CharField(max_length=30)),
                        (
                            "repo",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="catalog.repo",
                            ),
                        ),
                        ("text", models.CharField(max_length=500)),
                        ("url", models.CharField(blank=True, help_text="a path of this hub", max_length=500)),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("read_at", models.DateTimeField(null=True)),
                        (
                            "mail_due",
                            models.BooleanField(
                                default=False, help_text="to be sent by mail, and not sent yet"
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["user", "-created_at"], name="notice_newest"),
                            models.Index(
                                condition=models.Q(("read_at", None)), fields=["user"], name="notice_unread"
                            ),
                            models.Index(
                                condition=models.Q(("mail_due", True)),
                                fields=["created_at"],
                                name="notice_to_mail",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PullRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="catalog.repo",
                            ),
                        ),
                        ("label", models.CharField(help_text="the repo's name then", max_length=200)),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("sha256", models.CharField(blank=True, help_text="of a large file", max_length=64)),
                        ("path", models.TextField(blank=True)),
                        ("commit", models.CharField(blank=True, max_length=40)),
                        ("acceptance", models.UUIDField(null=True)),
                        ("day", models.DateField()),
                        ("first_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("times", models.IntegerField(default=1)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["repo", "day"], name="pull_by_repo"),
                            models.Index(
                                condition=models.Q(("sha256", ""), _negated=True),
                                fields=["sha256"],
                                name="pull_by_digest",
                            ),
                            models.Index(fields=["user", "day"], name="pull_by_user"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Ref",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="refs",
                                to="catalog.repo",
                            ),
                        ),
                        ("name", models.CharField(max_length=255)),
                        ("oid", models.CharField(max_length=40)),
                        ("message", models.TextField(blank=True, help_text="of a tag")),
                        ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("repo", "name"), name="one_ref_per_name")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RefusedPull",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="refused",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("first_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("times", models.IntegerField(default=1)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("repo", "user"), name="one_refusal_per_user", nulls_distinct=False
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RepoBlob",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="blobs",
                                to="catalog.repo",
                            ),
                        ),
                        ("sha256", models.CharField(db_index=True, max_length=64)),
                        ("size", models.BigIntegerField()),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("proving", "Proving"),
                                    ("proven", "Proven"),
                                    ("rejected", "Rejected"),
                                ],
                                default="proving",
                                max_length=8,
                            ),
                        ),
                        ("problem", models.TextField(blank=True)),
                        (
                            "blob",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="storage.blob",
                            ),
                        ),
                        (
                            "created_by",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                        ("settled_at", models.DateTimeField(null=True)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("repo", "sha256"), name="one_claim_per_repo")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RepoRedirect",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[("model", "Model"), ("dataset", "Dataset")], max_length=8
                            ),
                        ),
                        ("key", models.CharField(max_length=200)),
                        (
                            "repo",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="former_ids",
                                to="catalog.repo",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("type", "key"), name="one_redirect_per_id")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RepoText",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "repo",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="text",
                                to="catalog.repo",
                            ),
                        ),
                        ("name", models.CharField(help_text="namespace/name", max_length=200)),
                        ("short", models.CharField(help_text="the name alone, upper-cased", max_length=96)),
                        (
                            "vector",
                            django.contrib.postgres.search.SearchVectorField(
                                help_text="A: its name, B: tags, author and bases, C: its card"
                            ),
                        ),
                        (
                            "summary",
                            models.CharField(
                                blank=True, help_text="the first paragraph of its card", max_length=200
                            ),
                        ),
                        (
                            "card",
                            models.CharField(
                                blank=True, help_text="the README that the words are of", max_length=40
                            ),
                        ),
                        (
                            "version",
                            models.SmallIntegerField(
                                default=0, help_text="of the rules by which the words were taken"
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            django.contrib.postgres.indexes.GinIndex(fields=["vector"], name="text_words"),
                            django.contrib.postgres.indexes.GinIndex(
                                django.contrib.postgres.indexes.OpClass(
                                    django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                                ),
                                name="text_name_trigrams",
                            ),
                            models.Index(
                                django.contrib.postgres.indexes.OpClass("short", name="varchar_pattern_ops"),
                                name="text_beginnings",
                            ),
                            models.Index(fields=["version"], name="text_versions"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="RetiredRepo",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "type",
                            models.CharField(
                                choices=[("model", "Model"), ("dataset", "Dataset")], max_length=8
                            ),
                        ),
                        ("key", models.CharField(max_length=200)),
                        (
                            "namespace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="accounts.namespace",
                            ),
                        ),
                        ("retired_at", models.DateTimeField(default=django.utils.timezone.now)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("type", "key"), name="one_retirement_per_id")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TensorDigest",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("sha256", models.CharField(db_index=True, help_text="of the file", max_length=64)),
                        (
                            "digest",
                            models.CharField(
                                help_text="BLAKE2b of the tensor's bytes, 128 bits", max_length=32
                            ),
                        ),
                        ("size", models.BigIntegerField(help_text="bytes of the tensor")),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("digest", "sha256"), name="one_digest_per_file")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="TokenScope",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "token",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="scopes",
                                to="accounts.token",
                            ),
                        ),
                        (
                            "repo",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="catalog.repo",
                            ),
                        ),
                        (
                            "namespace",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="accounts.namespace",
                            ),
                        ),
                        (
                            "permission",
                            models.CharField(choices=[("read", "Read"), ("write", "Write")], max_length=5),
                        ),
                    ],
                ),
                migrations.CreateModel(
                    name="TreeRow",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "network",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="+",
                                to="catalog.objectnetwork",
                            ),
                        ),
                        ("tree", models.CharField(max_length=40)),
                        ("name", models.CharField(max_length=255)),
                        ("mode", models.IntegerField(help_text="git's file mode")),
                        ("oid", models.CharField(max_length=40)),
                        (
                            "size",
                            models.BigIntegerField(
                                default=0, help_text="of the file itself, not of its pointer"
                            ),
                        ),
                        (
                            "sha256",
                            models.CharField(
                                blank=True, help_text="of a large file; empty for others", max_length=64
                            ),
                        ),
                        ("pointer_size", models.IntegerField(default=0)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("sha256", ""), _negated=True),
                                fields=["sha256"],
                                name="row_by_sha256",
                            ),
                            models.Index(fields=["network", "oid"], name="row_by_object"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("network", "tree", "name"), name="one_row_per_entry"
                            )
                        ],
                    },
                ),
            ]
        ),
    ]
