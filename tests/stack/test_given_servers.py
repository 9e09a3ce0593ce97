"""Servers that the settings name are used instead of started."""

import os
import urllib.request
from pathlib import Path

import pytest

from hub.env import read_env_file
from hub.stack.errors import StackError
from hub.stack.servers import start_servers
from tests.live import LiveHub, free_port_pair

ADDRESSES = ("HUB_DATABASE_URL", "HUB_DATABASE_OWNER_URL", "HUB_REDIS_URL", "HUB_S3_ENDPOINT")
KEYS = ("HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY", "HUB_S3_REGION")


def test_a_hub_on_given_servers_starts_none_and_makes_its_bucket(tmp_path: Path) -> None:
    port = free_port_pair()
    given = {name: os.environ[name] for name in (*ADDRESSES, *KEYS)}
    settings = {
        **given,
        "HUB_S3_BUCKET": "given-bucket",
        "HUB_PORT": str(port),
        "HUB_DEMO": "0",
        "HUB_LICENSE_TEXTS": "0",
    }
    live = LiveHub(data_dir=tmp_path, port=port, settings=settings)
    try:
        live.start()
        with urllib.request.urlopen(f"{live.url}/readyz", timeout=10) as answer:
            assert answer.status == 200
        children = {path.stem for path in (tmp_path / "run").glob("*.pid")}
        assert children == {"web", "bytes", "worker", "beat"}
        assert read_env_file(tmp_path / "hub.env")["HUB_S3_BUCKET"] == "given-bucket"
    finally:
        live.stop()


def test_half_an_s3_address_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    given = {
        "HUB_DATABASE_URL": "x",
        "HUB_REDIS_URL": "x",
        "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
        "HUB_S3_BUCKET": "b",
    }
    with pytest.raises(StackError, match="HUB_S3_ACCESS_KEY, HUB_S3_SECRET_KEY must be given too"):
        start_servers(tmp_path, env=given)
