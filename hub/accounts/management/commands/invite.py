"""``manage.py invite``: print a single-use invitation code."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from hub.accounts.people import make_invite


class Command(BaseCommand):
    help = "Print a new invitation code for the sign-up page (HUB_SIGNUP=invite)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=14, help="how long the code is valid")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(make_invite(by=None, days=options["days"]))
