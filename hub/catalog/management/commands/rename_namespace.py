"""``manage.py rename_namespace OLD NEW``: rename a user or an organization; old repo ids lead to the new ones."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from hub.accounts.names import BadName
from hub.accounts.people import NameTaken, find_namespace, rename_namespace
from hub.catalog.repos import follow_namespace


class Command(BaseCommand):
    help = (
        "Rename a user or an organization.  The old name stays theirs, and old repo ids lead to the new ones."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("old")
        parser.add_argument("new")

    def handle(self, *args: Any, **options: Any) -> None:
        namespace = find_namespace(options["old"])
        if namespace is None:
            raise CommandError(f"There is no user or organization called {options['old']!r}.")
        try:
            with transaction.atomic():
                namespace = rename_namespace(namespace=namespace, name=options["new"], by_admin=True)
                moved = follow_namespace(namespace)
        except (BadName, NameTaken) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['old']} is now {namespace.name}; {moved} repositories follow")
