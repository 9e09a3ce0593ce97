"""``manage.py load_licenses``: bring the shipped licences, their kept texts and the known models into the database."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from licenses.loader import load_catalogue, load_texts, load_upstream
from licenses.policies import load_policies
from licenses.policy import shipped_policies
from licenses.shipped import shipped_readings
from licenses.texts import SOURCE, kept_texts, wanted_keys
from licenses.upstream import shipped_upstream


class Command(BaseCommand):
    help = "Load the shipped licences; edits made here stay.  Running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        readings = shipped_readings()
        done = load_catalogue(readings)
        load_upstream(shipped_upstream())
        load_policies(shipped_policies())
        texts = kept_texts(settings.HUB_DATA / "license-texts")
        load_texts(texts, readings, source=SOURCE)
        self.stdout.write(
            f"licenses: {done.made} rows made, {done.changed} changed, {done.kept} kept as edited here; "
            f"{len(texts)} of {len(wanted_keys())} texts"
        )
