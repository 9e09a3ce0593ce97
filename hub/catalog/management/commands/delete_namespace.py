"""``manage.py delete_namespace NAME``: delete a user or an organization that holds no repos any more."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import ProtectedError

from hub.accounts.people import delete_namespace, find_namespace


class Command(BaseCommand):
    help = (
        "Delete a user or an organization without repos.  Nobody can take the name without an administrator."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        namespace = find_namespace(options["name"])
        if namespace is None:
            raise CommandError(f"There is no user or organization called {options['name']!r}.")
        try:
            delete_namespace(namespace)
        except ProtectedError:
            count = namespace.repos.count()
            raise CommandError(
                f"{namespace.name} still holds {count} repositories; move or delete them."
            ) from None
        self.stdout.write(f"{namespace.name} is deleted; its name stays retired")
