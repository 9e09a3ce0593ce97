"""What lies in the store, and by which forms.

Hubs made by versions before 0.1.0 came to the same tables in steps, which this replaces.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ("storage", "0001_initial"),
        ("storage", "0002_xet"),
        ("storage", "0003_indexes_in_parts"),
        ("storage", "0004_scrubs"),
    ]

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Blob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("size", models.BigIntegerField(help_text="In bytes.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("quarantined_at", models.DateTimeField(blank=True, db_index=True, null=True)),
                ("quarantine_reason", models.TextField(blank=True, default="")),
            ],
        ),
        migrations.CreateModel(
            name="Condemned",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=255, unique=True)),
                ("condemned_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Epoch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.IntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name="Recipe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("domain", models.CharField(max_length=64)),
                ("owner", models.CharField(max_length=255)),
                ("file_hash", models.CharField(db_index=True, max_length=64)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(help_text="In bytes.")),
                ("terms", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[("proving", "Proving"), ("proven", "Proven")],
                        default="proving",
                        max_length=16,
                    ),
                ),
                ("touched_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proving")),
                        fields=("domain", "owner", "file_hash", "sha256"),
                        name="storage_one_recipe_proving",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proven")),
                        fields=("domain", "file_hash"),
                        name="storage_one_recipe_proven",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Form",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="forms", to="storage.blob"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("plain", "Plain"), ("chunked", "Chunked")], default="plain", max_length=16
                    ),
                ),
                (
                    "key",
                    models.CharField(blank=True, default="", help_text="Of a plain form.", max_length=255),
                ),
                (
                    "recipe",
                    models.OneToOneField(
                        help_text="Of a chunked form.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="form",
                        to="storage.recipe",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("scrubbed_at", models.DateTimeField(blank=True, null=True)),
                ("scrubs", models.IntegerField(default=0, help_text="How often it was hashed again.")),
                (
                    "state",
                    models.CharField(
                        choices=[("ok", "Ok"), ("damaged", "Damaged")], default="ok", max_length=16
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "plain"), ("recipe", None), models.Q(("key", ""), _negated=True)
                            ),
                            models.Q(("key", ""), ("kind", "chunked"), ("recipe__isnull", False)),
                            _connector="OR",
                        ),
                        name="storage_form_is_of_its_kind",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True),
                        fields=("key",),
                        name="storage_one_form_per_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("owner", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(help_text="In bytes.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("stored", "Stored"),
                            ("proven", "Proven"),
                            ("rejected", "Rejected"),
                            ("aborted", "Aborted"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("staging_key", models.CharField(blank=True, db_index=True, default="", max_length=255)),
                ("s3_upload_id", models.CharField(blank=True, default="", max_length=1024)),
                ("part_size", models.BigIntegerField(default=0, help_text="In bytes; 0 for a single PUT.")),
                ("final_key", models.CharField(blank=True, db_index=True, default="", max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("touched_at", models.DateTimeField(auto_now_add=True)),
                ("problem", models.TextField(blank=True, default="")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["owner", "sha256", "-created_at"], name="storage_upload_find"),
                    models.Index(fields=["state", "touched_at"], name="storage_upload_idle"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("owner", "sha256", "size", "part_size"),
                        name="storage_one_open_upload",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Xorb",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("domain", models.CharField(max_length=64)),
                ("hash", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=255, unique=True)),
                ("raw_size", models.BigIntegerField(help_text="In bytes, decoded.")),
                ("stored_size", models.BigIntegerField(help_text="In bytes, as it lies in the bucket.")),
                ("index", models.BinaryField()),
                (
                    "state",
                    models.CharField(
                        choices=[("ok", "Ok"), ("damaged", "Damaged")], default="ok", max_length=16
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("mentioned_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("scrubbed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "scrubs",
                    models.IntegerField(default=0, help_text="How often its chunks were hashed again."),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("domain", "hash"), name="storage_xorb_once_per_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="DedupChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("domain", models.CharField(max_length=64)),
                ("chunk", models.CharField(max_length=64)),
                (
                    "xorb",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="storage.xorb"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("domain", "chunk"), name="storage_chunk_once_per_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="RecipeXorb",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "recipe",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="storage.recipe"
                    ),
                ),
                (
                    "xorb",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="needed_by",
                        to="storage.xorb",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("recipe", "xorb"), name="storage_recipe_needs_once")
                ],
            },
        ),
        # The indexes of xorbs are kept uncompressed, so that parts of them are read without the rest.
        migrations.RunSQL(
            sql='ALTER TABLE storage_xorb ALTER COLUMN "index" SET STORAGE EXTERNAL',
            reverse_sql='ALTER TABLE storage_xorb ALTER COLUMN "index" SET STORAGE EXTENDED',
        ),
    ]
