"""When the database has no connection to give, clients are told to come back."""

import pytest
from django.db import OperationalError
from django.test import Client
from psycopg_pool import PoolTimeout

from tests.factories import make_repo, make_viewer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("fault", [OperationalError("gone"), PoolTimeout("none left")])
def test_a_database_that_is_away_is_a_503_with_a_time_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    repo = make_repo(make_viewer())

    def away(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("hub.wires.hf.repos.locate", away)
    answer = client.get(f"/api/models/{repo.full_name}")
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "Try again" in answer["X-Error-Message"]
