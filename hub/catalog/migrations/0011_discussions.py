"""Proposals become discussions, with what is said in them; what a proposal began from is found in the history."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

_OPENINGS = """
INSERT INTO catalog_discussionevent (discussion_id, kind, author_id, text, more, hidden, created_at)
SELECT id, 'comment', author_id, description, '', false, created_at FROM catalog_discussion
"""
# The youngest commit that the proposal and its branch have in common.
_STARTS = """
UPDATE catalog_discussion d SET is_proposal = true, start = COALESCE((
  WITH RECURSIVE ours(network, oid) AS (
    SELECT p.network_id, r.oid::varchar FROM catalog_repo p JOIN catalog_ref r ON r.repo_id = p.id
    WHERE p.id = d.repo_id AND r.name = d.base
    UNION SELECT c.network_id, unnest(c.parents) FROM ours
    JOIN catalog_commitrecord c ON c.network_id = ours.network AND c.oid = ours.oid),
  theirs(network, oid) AS (
    SELECT p.network_id, r.oid::varchar FROM catalog_repo p JOIN catalog_ref r ON r.repo_id = p.id
    WHERE p.id = d.repo_id AND r.name = 'refs/pr/' || d.number
    UNION SELECT c.network_id, unnest(c.parents) FROM theirs
    JOIN catalog_commitrecord c ON c.network_id = theirs.network AND c.oid = theirs.oid)
  SELECT c.oid FROM ours JOIN theirs ON theirs.oid = ours.oid
  JOIN catalog_commitrecord c ON c.network_id = ours.network AND c.oid = ours.oid ORDER BY c.depth DESC LIMIT 1), '')
"""
_STATUS = [("draft", "Draft"), ("open", "Open"), ("closed", "Closed"), ("merged", "Merged")]
_KINDS = [
    ("comment", "Comment"), ("status-change", "Status"), ("commit", "Commit"), ("title-change", "Title"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_quotas"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="pullrequest", name="one_pull_request_per_number"),
        migrations.RenameModel("PullRequest", "Discussion"),
        migrations.AlterField(
            model_name="discussion",
            name="repo",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="discussions", to="catalog.repo"
            ),
        ),
        migrations.AlterField(
            model_name="discussion", name="base", field=models.CharField(blank=True, max_length=255)
        ),
        migrations.AddField(
            model_name="discussion", name="is_proposal", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="discussion",
            name="status",
            field=models.CharField(choices=_STATUS, default="open", max_length=6),
        ),
        migrations.AddField(
            model_name="discussion",
            name="start",
            field=models.CharField(blank=True, default="", max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="discussion",
            name="merged_as",
            field=models.CharField(
                blank=True, default="", help_text="the commit that merged it", max_length=40
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="discussion",
            constraint=models.UniqueConstraint(fields=("repo", "number"), name="one_discussion_per_number"),
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
                ("kind", models.CharField(choices=_KINDS, max_length=13)),
                ("text", models.TextField(blank=True)),
                ("more", models.TextField(blank=True)),
                ("hidden", models.BooleanField(default=False)),
                ("edited_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
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
                    "discussion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="catalog.discussion",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(_OPENINGS, migrations.RunSQL.noop),
        migrations.RunSQL(_STARTS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="discussion", name="description"),
    ]
