import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

# Names are found at once; cards are gone through by a job, which a worker asks for by itself.
_NAMES = """
INSERT INTO catalog_repotext (repo_id, name, short, vector, summary, card, version)
SELECT id, full_name, upper(name),
  setweight(to_tsvector('simple', regexp_replace(full_name, '[^[:alnum:].]+', ' ', 'g')), 'A'), '', '', 0
FROM catalog_repo
"""
_PROOFS = "UPDATE catalog_repo SET proof = 'proven' WHERE used_storage > 0"
_REVIEWED = """
UPDATE catalog_repo r SET reviewed = true FROM licenses_case c
WHERE c.subject = r.id::text AND c.current AND c.state = 'approved'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0008_edge_names"),
        ("licenses", "0003_decision_texts"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="repo", name="repo_name_trigrams"),
        migrations.RemoveIndex(model_name="repo", name="repo_counts"),
        migrations.RemoveField(model_name="repo", name="facets"),
        migrations.AddField(
            model_name="repo",
            name="proof",
            field=models.CharField(
                default="small", help_text="how far the files of main are proven: see proofs.py", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="repo",
            name="reviewed",
            field=models.BooleanField(default=False, help_text="a person approved what the terms came to"),
        ),
        migrations.AddField(
            model_name="repo",
            name="traits",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=220),
                default=list,
                help_text="what lists narrow by, as kind:value; see traits.py",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="repo",
            name="trending",
            field=models.BigIntegerField(
                default=0, help_text="pulls and likes of the last days, newer ones more"
            ),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=django.contrib.postgres.indexes.GinIndex(fields=["traits"], name="repo_traits"),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=models.Index(fields=["type", "-trending", "id"], name="repo_trending"),
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
                    models.CharField(blank=True, help_text="the first paragraph of its card", max_length=200),
                ),
                (
                    "card",
                    models.CharField(blank=True, help_text="the README that the words are of", max_length=40),
                ),
                (
                    "version",
                    models.SmallIntegerField(
                        default=0, help_text="of the rules by which the words were taken"
                    ),
                ),
                (
                    "repo",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="text", to="catalog.repo"
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
        migrations.RunSQL(_NAMES, migrations.RunSQL.noop),
        migrations.RunSQL(_PROOFS, migrations.RunSQL.noop),
        migrations.RunSQL(_REVIEWED, migrations.RunSQL.noop),
    ]
