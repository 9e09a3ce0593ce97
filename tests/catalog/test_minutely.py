"""What a worker counts each minute: only where something was written since."""

import pytest
from django.core.cache import cache
from django.db import connection

from hub.catalog import minutely
from hub.catalog.models import Repo
from tests.factories import make_repo, make_viewer


def told() -> None:
    """Have the database tell at once of what this connection wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    Repo.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_nobody_wrote_to_is_not_counted_again() -> None:
    counted: list[int] = []

    def count() -> None:
        counted.append(Repo.objects.count())

    cache.clear()
    told()
    minutely.recount(count)
    minutely.recount(count)
    assert counted == [0]
    make_repo(make_viewer("ada"), "scales")
    told()
    minutely.recount(count)
    minutely.recount(count)
    assert counted == [0, 1]
