"""``manage.py prepare``: bring database and bucket to where this version wants them; `up` runs it before it opens."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from hub.stack.layout import write_private
from storage.cors import allow_origins
from storage.errors import StorageError
from storage.s3 import ensure_bucket

FIRST_ADMIN = "admin"


class Command(BaseCommand):
    help = "Migrate and guard the database, make the bucket, load the licences, and make the first administrator."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self._refuse_the_future()
        call_command("migrate", interactive=False, verbosity=1, stdout=self.stdout)
        call_command("audit", "guard", stdout=self.stdout)
        ensure_bucket()
        self._let_pages_send()
        call_command("load_licenses", stdout=self.stdout)
        self._first_admin(settings.HUB_DATA / "admin-password")

    def _let_pages_send(self) -> None:
        """Let the hub's pages send to the store; a store that has no such rules is told of, and nothing else."""
        here = [f"http://{name}:{settings.HUB_PORT}" for name in ("127.0.0.1", "localhost")]
        # A hub that was not told its name may be seen under any; the links alone open anything in the store.
        anywhere = not settings.HUB_PUBLIC_URL and "*" in settings.ALLOWED_HOSTS
        public = urlsplit(settings.HUB_PUBLIC_URL)
        own = [f"{public.scheme}://{public.netloc}"] if settings.HUB_PUBLIC_URL else []
        try:
            ours = allow_origins(["*"] if anywhere else [*own, *here])
        except StorageError as error:
            self.stderr.write(f"The store took no CORS rule, which uploads in a browser may need: {error}")
            return
        if not ours:
            self.stdout.write("The bucket has CORS rules of its own; they were left alone.")

    def _refuse_the_future(self) -> None:
        """Raise CommandError when a newer version has migrated this database: its tables may not fit this code."""
        loader = MigrationLoader(connection, ignore_no_migrations=True)
        known = set(loader.disk_migrations)
        known |= {old for migration in loader.disk_migrations.values() for old in migration.replaces}
        apps = {app for app, _ in known}
        newer = sorted(f"{app}.{name}" for app, name in set(loader.applied_migrations) - known if app in apps)
        if newer:
            raise CommandError(
                f"The database belongs to a newer Weighhouse: it has {', '.join(newer)}. Start it with that newer one, "
                "or set HUB_DATA to another folder."
            )

    def _first_admin(self, password_file: Path) -> None:
        """Make the administrator of a new hub; the password is in its file before the user can be seen."""
        with transaction.atomic():
            if get_user_model()._default_manager.filter(is_superuser=True).exists():
                return
            password = secrets.token_urlsafe(15)
            call_command("ensure_user", FIRST_ADMIN, admin=True, password=password, stdout=self.stdout)
            write_private(password_file, f"{password}\n")
