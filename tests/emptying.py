"""Empties the tables that a test has written to.

Django empties all of them, anew after each test that commits, and then writes down what models there are; with sixty
tables and their indexes that takes longer than most tests.
"""

from functools import cache

from django.db import connection, transaction

# What migrations wrote stays.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
# A trigger refuses to delete these; see `tests.conftest.django_db_setup` for the one that refuses to truncate them.
SEALED = ("audit_entry", "audit_personal")


@cache
def _tables() -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return tuple(name for (name,) in cursor.fetchall() if name not in KEPT)


def empty_tables() -> None:
    """Leave no row in any table but those that migrations wrote."""
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in _tables())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(asked)
        full = {name for (name,) in cursor.fetchall()}
        if not full.isdisjoint(SEALED):
            cursor.execute(f"TRUNCATE {', '.join(SEALED)}")
        for name in sorted(full.difference(SEALED)):
            cursor.execute(f'DELETE FROM "{name}"')
