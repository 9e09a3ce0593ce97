from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_guards"),
    ]

    operations = [
        migrations.AlterModelOptions(name="entry", options={"verbose_name_plural": "entries"}),
    ]
