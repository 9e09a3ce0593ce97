"""Giving the database connection back before something slow: a stream, a wait, a transfer to the store."""

from django.db import connection


def release_connection() -> None:
    """Return this thread's connection to the pool; the next query takes a fresh one.

    Inside a transaction nothing happens: it could not go on.
    """
    if not connection.in_atomic_block:
        connection.close()
