"""One set of real servers for the whole test session, started before Django reads its settings."""

import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest

from hub.stack.servers import RunningServers, start_servers
from tests.live import hub, live_hub, live_hub_proxy

__all__ = ["hub", "live_hub", "live_hub_proxy"]

_session: list[RunningServers] = []


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Start PostgreSQL, Valkey and SeaweedFS in a folder of this session and point the settings at them."""
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
        }
    )
    django.setup()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers and remove what they kept."""
    while _session:
        servers = _session.pop()
        servers.stop()
        shutil.rmtree(servers.layout.root, ignore_errors=True)
