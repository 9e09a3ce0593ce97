"""A worker for the tests of the chunk store, since registering files waits for one."""

from collections.abc import Iterator

import pytest

from tests.wires.xet.cas import worker


@pytest.fixture(autouse=True)
def at_work(transactional_db: None) -> Iterator[None]:
    """Let jobs be done as they are asked for."""
    with worker():
        yield
