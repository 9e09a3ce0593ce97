"""Fixtures of the storage room."""

import socket
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from storage import s3
from tests.storage.faults import Relay, relay_to


@pytest.fixture(scope="session", autouse=True)
def bucket() -> None:
    s3.ensure_bucket()
    s3.ensure_bucket()


@pytest.fixture
def no_store(settings: Settings) -> None:
    """Point the hub at a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.HUB_S3 = {**settings.HUB_S3, "endpoint": f"http://127.0.0.1:{port}"}


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    """Put a relay between the hub and its store."""
    with relay_to(settings.HUB_S3["endpoint"]) as relay:
        settings.HUB_S3 = {**settings.HUB_S3, "endpoint": relay.endpoint}
        yield relay
