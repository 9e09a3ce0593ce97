"""An index of the repos whose files are being proven."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("catalog", "0001_tables")]
    operations: ClassVar = [
        migrations.AddIndex(
            "repo",
            models.Index(fields=["type"], condition=models.Q(proof="proving"), name="repo_proving"),
        ),
    ]
