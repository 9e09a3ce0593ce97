"""One set of real servers for the whole test session, started before Django reads its settings."""

import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from hub.stack.servers import RunningServers, start_servers
from tests.emptying import empty_tables
from tests.live import hub, live_hub, live_hub_proxy

__all__ = ["hub", "live_hub", "live_hub_proxy"]

_session: list[RunningServers] = []


# These journeys start hubs for themselves; all others share two, each of which one process starts once.
OWN_HUBS = ("tests/journeys/test_licenses.py", "tests/journeys/test_xet_trouble.py")


# What takes longest comes first, or one process would be busy with it when the others have nothing left to do.
LONGEST = (
    "tests/journeys/",
    "tests/pages/test_everyone.py",
    "tests/stack/",
    "tests/terms/",
    "tests/workers/",
)


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """Keeps the tests of a file in one process, and all that ask the shared live hubs."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "live hubs" if file.startswith("tests/journeys/") and file not in OWN_HUBS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are cores, since journeys mostly wait for others."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Hand out tests by what they share, in the order of `pytest_collection_modifyitems`."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that take longest first."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONGEST) if item.nodeid.startswith(name)), len(LONGEST))

    items.sort(key=place)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL, Valkey and SeaweedFS in a folder of this session and point the settings at them.

    Where tests run in several processes, the one that hands them out runs none and needs no server.
    """
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        del os.environ[name]
    data_dir = Path(tempfile.mkdtemp(prefix="hub-tests-"))
    servers = start_servers(data_dir, env={"HUB_STACK_FSYNC": "0"})
    _session.append(servers)
    os.environ.update(servers.env)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "hub.settings",
            "HUB_DATA": str(data_dir),
            "HUB_DATABASE_ROLE": "owner",
            "HUB_DEMO": "0",
            # Tests of terms turn it on; in all others nothing waits for a review.
            "HUB_REVIEW": "off",
            # Nobody proves in the background here, so that waiting for it would only take time.
            "HUB_PROOF_WAIT": "1",
        }
    )
    django.setup()
    # Passwords of tests are no secrets, and the usual hash of one takes a quarter of a second.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests that commit empty their tables again, the audit log too, and nothing but what they wrote to.

    Its owner alone can switch a trigger off, and tests run as the owner.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_not_emptied")
    TransactionTestCase._fixture_teardown = lambda _case: empty_tables()  # type: ignore[attr-defined]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers and remove what they kept."""
    while _session:
        servers = _session.pop()
        servers.stop()
        shutil.rmtree(servers.layout.root, ignore_errors=True)
