"""The servers that every test of this session stands on."""

import os

import psycopg
import pytest


def test_the_application_role_cannot_change_tables() -> None:
    with (
        psycopg.connect(os.environ["HUB_DATABASE_URL"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE mischief (id int)")
