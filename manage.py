#!/usr/bin/env python3
"""The command line of the hub: ``manage.py up`` starts everything, ``manage.py help`` lists the rest."""

import importlib.util
import os
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
# These change tables, so they run as the database role that owns them.
OWNER_COMMANDS = frozenset(
    {"migrate", "makemigrations", "showmigrations", "sqlmigrate", "squashmigrations", "flush", "prepare"}
)


def main() -> None:
    """Run one command; without Django at hand, first make the environment in ``.venv`` and go on in there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    if importlib.util.find_spec("django") is None:
        from hub.stack import bootstrap

        python = bootstrap.ensure(BASE_DIR)
        os.execv(python, [python, *sys.argv])
    if sys.argv[1:] in (["up"], ["up", "--with-parent"]):
        # What watches over the hub needs no Django, which would take a second and stay in its memory.
        import hub.settings  # noqa: F401 - says at once what is wrong with the operator's settings.
        from hub.stack.up import main as up

        sys.exit(up())
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("HUB_DATABASE_ROLE", "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
