"""The stock client against whole hubs: who takes part, and how the client is set up."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi, constants

from tests.journeys.people import ALICE, BOB, People, make_people
from tests.live import LiveHub

# The client reads these once, when it is first imported; whoever imported it before must not decide for us.
constants.HF_HUB_DISABLE_XET = True
constants.HF_HUB_DISABLE_TELEMETRY = True
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


@pytest.fixture(autouse=True)
def client_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the client an empty home, so that no test finds what another has cached."""
    home = tmp_path / "home"
    for name in ("HF_HUB_CACHE", "HF_XET_CACHE", "HF_ASSETS_CACHE"):
        monkeypatch.setattr(constants, name, str(home / name.lower()), raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return home


# By folder, because a hub may come by the port of one that was stopped before.
_known: dict[Path, People] = {}


@pytest.fixture
def people(hub: LiveHub) -> People:
    """The users of this hub, made once."""
    if hub.data_dir not in _known:
        _known[hub.data_dir] = make_people(hub)
    return _known[hub.data_dir]


@pytest.fixture
def alice(people: People) -> HfApi:
    """The stock client, signed in as the owner of what is tested."""
    return people.api(ALICE)


@pytest.fixture
def bob(people: People) -> HfApi:
    """The stock client of another user, who has no rights on Alice's repos."""
    return people.api(BOB)


@pytest.fixture
def stranger(people: People) -> HfApi:
    """The stock client without any token."""
    return people.api(None)


@pytest.fixture
def new_repo(alice: HfApi) -> Callable[..., str]:
    """Make a repo of Alice's with a name nobody used before, and return its id."""

    def make(**options: object) -> str:
        repo_id = f"alice/m{uuid.uuid4().hex[:10]}"
        alice.create_repo(repo_id, **options)  # type: ignore[arg-type]
        return repo_id

    return make


@pytest.fixture
def http(hub: LiveHub) -> Iterator[httpx.Client]:
    """A bare HTTP client at the hub, for what the stock client never sends."""
    with httpx.Client(base_url=hub.url, timeout=60) as client:
        yield client


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder outside the client's home."""
    with tempfile.TemporaryDirectory(prefix="hub-folder-") as name:
        yield Path(name)
