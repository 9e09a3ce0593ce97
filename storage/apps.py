"""The storage room as a Django app."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Blobs, the forms they are kept in, uploads on their way in, and keys on their way out."""

    name = "storage"
    label = "storage"
    verbose_name = "Stored bytes"
    default_auto_field = "django.db.models.BigAutoField"
