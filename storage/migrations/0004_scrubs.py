from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_indexes_in_parts")]

    operations = [
        migrations.AddField(
            model_name="form",
            name="scrubs",
            field=models.IntegerField(default=0, help_text="How often it was hashed again."),
        ),
        migrations.AddField(
            model_name="xorb",
            name="scrubs",
            field=models.IntegerField(default=0, help_text="How often its chunks were hashed again."),
        ),
    ]
