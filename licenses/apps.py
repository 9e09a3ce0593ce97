"""The licence room as a Django app."""

from django.apps import AppConfig


class LicensesConfig(AppConfig):
    """Licences, their texts, terms and thresholds, and what is known of models that may lie elsewhere."""

    name = "licenses"
    label = "licenses"
    default_auto_field = "django.db.models.BigAutoField"
