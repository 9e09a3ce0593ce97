"""What journeys by chunks have in common: clients with Xet on, what a hub was asked, and what it keeps."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import psycopg

from hub.env import read_env_file
from tests.journeys.people import ALICE, People
from tests.live import LiveHub

MIB = 2**20
New = Callable[..., str]
HERE = Path(sys.executable).parent
PATIENCE_SECONDS = 90.0
# A xorb comes through the hub, or is told to have been written to the store.
XORBS = "/v1/(xorbs|xorb-commits)/default/"

_LINE = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d+) .* "(?P<agent>[^"]*)"$')


def weights(size: int, seed: int = 1) -> bytes:
    """Return bytes like those of a model in float32: compressible in every fourth byte only."""
    values = numpy.random.default_rng(seed).normal(0, 0.02, size // 4).astype("<f4")
    return values.tobytes()


def environment(people: People, home: Path, token: str = ALICE, *, xet: bool = True) -> dict[str, str]:
    """Return the environment of a stock client as it is installed, or with Xet switched off."""
    env = people.environment(home, token)
    if xet:
        del env["HF_HUB_DISABLE_XET"]
    return env


def run(people: People, home: Path, *words: str, token: str = ALICE, xet: bool = True) -> str:
    """Run a program of a client and return what it printed; raises AssertionError when it fails."""
    env = environment(people, home, token, xet=xet)
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words} failed\n{done.stdout}{done.stderr}\n{people.hub.logs(25)}"
    return done.stdout


def hf(
    people: People, home: Path, *words: str, token: str = ALICE, xet: bool = True, programs: Path = HERE
) -> str:
    """Run the ``hf`` program that stands in the folder ``programs``."""
    return run(people, home, str(programs / "hf"), *words, token=token, xet=xet)


def begin_hf(people: People, home: Path, *words: str, token: str = ALICE) -> subprocess.Popen[str]:
    """Start ``hf`` and let it run."""
    return subprocess.Popen(
        [str(HERE / "hf"), *words], env=environment(people, home, token), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def without_attributes(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in tree.items() if path != ".gitattributes"}


@dataclass(frozen=True)
class Asked:
    """One request that a hub has answered."""

    method: str
    path: str
    status: int
    agent: str


@dataclass
class Journal:
    """What a hub is asked from now on."""

    hub: LiveHub
    start: int = field(init=False)

    def __post_init__(self) -> None:
        self.start = self._file.stat().st_size

    @property
    def _file(self) -> Path:
        return self.hub.data_dir / "requests.log"

    def asked(self, method: str, pattern: str) -> list[Asked]:
        """Return the requests of a method whose path, query included, holds the pattern; both are expressions."""
        text = self._file.read_bytes()[self.start :].decode("utf-8", "replace")
        found = [match for line in text.splitlines() if (match := _LINE.search(line))]
        assert len(found) == len(text.splitlines()), text
        return [
            Asked(match["method"], match["path"], int(match["status"]), match["agent"])
            for match in found
            if re.fullmatch(method, match["method"]) and re.search(pattern, match["path"])
        ]


def ask_database(hub: LiveHub, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement in the hub's database and return its rows."""
    url = read_env_file(hub.data_dir / "hub.env")["HUB_DATABASE_OWNER_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def counted(hub: LiveHub) -> tuple[int, int]:
    """Return how many xorbs the hub keeps, and their stored bytes."""
    [(count, size)] = ask_database(hub, "SELECT count(*), coalesce(sum(stored_size), 0) FROM storage_xorb")
    return int(count), int(size)


def states(hub: LiveHub, repo: str) -> list[str]:
    """Return how far the large files are that a repo holds or is about to hold."""
    rows = ask_database(
        hub, "SELECT claim.state FROM catalog_repoblob claim"
        " JOIN catalog_repo repo ON repo.id = claim.repo_id WHERE repo.name = %s", repo.partition("/")[2],
    )  # fmt: skip
    return [state for (state,) in rows]


def wait_for(what: str, condition: Callable[[], object]) -> None:
    """Wait until something is so; raises AssertionError after a patient while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE_SECONDS} s"
        time.sleep(0.05)
