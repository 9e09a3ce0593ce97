"""``manage.py up``: start the whole hub and keep it running until Ctrl-C."""

import argparse
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from hub.stack.processes import follow_parent
from hub.stack.up import Hub


class Command(BaseCommand):
    help = "Start the servers that no setting names and all processes of the hub; Ctrl-C stops them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--with-parent", action="store_true", help="stop when the program that started this ends"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["with_parent"]:
            follow_parent(signal.SIGTERM)
        sys.exit(Hub(settings.BASE_DIR, self._say).run())

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
