"""Keep the indexes of xorbs uncompressed, so that parts of them are read without the rest."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("storage", "0002_xet")]

    operations = [
        migrations.RunSQL(
            'ALTER TABLE storage_xorb ALTER COLUMN "index" SET STORAGE EXTERNAL',
            'ALTER TABLE storage_xorb ALTER COLUMN "index" SET STORAGE EXTENDED',
        )
    ]
