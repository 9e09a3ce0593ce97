"""``manage.py up``: start the whole hub and keep it running until Ctrl-C."""

import argparse
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start the servers that no setting names and all processes of the hub; Ctrl-C stops them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--with-parent", action="store_true", help="stop when the program that started this ends"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        words = ["--with-parent"] if options["with_parent"] else []
        # The module is found from whichever folder this was started in.
        folders = [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        # What watches over the hub needs no Django in its memory, so this process becomes one without.
        os.execv(sys.executable, [sys.executable, "-m", "hub.stack.up", *words])
