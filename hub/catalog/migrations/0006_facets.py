from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_profiles"),
        ("catalog", "0005_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="repo",
            name="facets",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    output_field=models.CharField(),
                    template="pipeline_tag || chr(31) || library || chr(31) || license || chr(31) || CASE WHEN clearance IN ('clear', 'declared') AND cardinality(concluded) > 0 THEN ((CASE WHEN 'commercial' = ANY(uses) THEN 1 ELSE 0 END) + (CASE WHEN 'redistribute' = ANY(uses) THEN 2 ELSE 0 END) + (CASE WHEN 'modify' = ANY(uses) THEN 4 ELSE 0 END) + (CASE WHEN 'no-field-of-use-limits' = ANY(uses) THEN 8 ELSE 0 END) + (CASE WHEN 'everywhere' = ANY(uses) THEN 16 ELSE 0 END))::text || chr(31) || openness::text || chr(31) || COALESCE(users_limit::text, '') ELSE '0' || chr(31) || '0' || chr(31) || '0' END",
                ),
                help_text="everything that lists count by, in one text; read by hub.catalog.facets",
                output_field=models.CharField(max_length=400),
            ),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=models.Index(fields=["type", "-downloads", "id"], name="repo_most_pulled"),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=models.Index(fields=["type", "-likes", "id"], name="repo_most_liked"),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=models.Index(fields=["type", "-created_at", "id"], name="repo_latest_made"),
        ),
        migrations.AddIndex(
            model_name="repo",
            index=models.Index(
                fields=["type", "private"], include=("namespace", "facets"), name="repo_counts"
            ),
        ),
    ]
