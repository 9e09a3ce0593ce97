"""``manage.py fetch_license_texts``: fetch the canonical license texts once and load them into the database."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from licenses.texts import NoTexts, fetch_texts


class Command(BaseCommand):
    help = "Fetch the canonical licence texts from the package index, or take them from a wheel at hand."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--wheel", type=Path, help="the wheel of scancode-toolkit-mini, where no index is reached"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            fetch_texts(settings.HUB_DATA / "license-texts", wheel=options["wheel"])
        except NoTexts as error:
            raise CommandError(str(error)) from error
        call_command("load_licenses", stdout=self.stdout)
