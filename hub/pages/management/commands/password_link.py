"""``manage.py password_link NAME``: print a link that sets a new password, for hubs without mail."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from hub.accounts.models import User
from hub.catalog import stewards
from hub.catalog.repos import public_url


class Command(BaseCommand):
    help = "Print a link with which a user sets a new password. It works once, for three days."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name", help="user name")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username__iexact=options["name"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user called {options['name']!r}.")
        link = stewards.reset_link_by_command(user)
        self.stdout.write(public_url(reverse("pages:reset-confirm", kwargs=link)))
