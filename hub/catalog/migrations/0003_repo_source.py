import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_row_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="repo",
            name="source",
            field=models.ForeignKey(
                blank=True,
                help_text="the repo that this one was made from, and whose visibility, gate and state it follows",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="derived",
                to="catalog.repo",
            ),
        ),
    ]
