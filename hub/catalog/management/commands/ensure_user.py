"""``manage.py ensure_user NAME``: make sure a user exists, for automation.  Running it again changes nothing more."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from hub.accounts.models import Organization, Role, Token, User
from hub.accounts.names import BadName
from hub.accounts.people import NameTaken, create_organization, create_user, find_namespace, set_role
from hub.accounts.tokens import create_token, digest_of
from hub.catalog import stewards


class Command(BaseCommand):
    help = "Create a user if absent, with a token, organizations, a password or administrator rights."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--token", help="a token for the user, taken as it is")
        parser.add_argument(
            "--org", action="append", default=[], help="an organization to administer; made if absent"
        )
        parser.add_argument("--admin", action="store_true", help="make the user an administrator of the hub")
        parser.add_argument("--password", help="set the password")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                user = self._user(options)
                for name in options["org"]:
                    set_role(organization=self._organization(name), user=user, role=Role.ADMIN)
                if options["token"]:
                    self._token(user, options["token"])
        except (BadName, NameTaken) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"user {user.username}")

    def _user(self, options: dict[str, Any]) -> User:
        name = options["name"]
        user = User.objects.filter(username__iexact=name).first()
        if user is None:
            user = create_user(name=name, email=options["email"], by_admin=True)
        if options["admin"] and not (user.is_staff and user.is_superuser):
            stewards.appoint(user)
        same = user.has_usable_password() and user.check_password(options["password"] or "")
        if options["password"] and not same:
            user.set_password(options["password"])
        user.save()
        return user

    def _organization(self, name: str) -> Organization:
        namespace = find_namespace(name)
        if namespace is None:
            return create_organization(name=name, admin=None, by_admin=True)
        if namespace.organization is None:
            raise CommandError(f"{name!r} is a user, not an organization.")
        return namespace.organization

    def _token(self, user: User, secret: str) -> None:
        known = Token.objects.filter(digest=digest_of(secret)).first()
        if known is None:
            create_token(user=user, name="ensure_user", kind=Token.Kind.WRITE, secret=secret)
        elif known.user_id != user.pk:
            raise CommandError("This token belongs to another user.")
