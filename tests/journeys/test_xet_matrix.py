"""Every supported release of the chunk client, and none: large files go up, come down, and go up changed."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.journeys.people import People, write_tree
from tests.journeys.xet_kit import HERE, MIB, XORBS, Journal, New, counted, hf, weights
from tests.live import LiveHub

INSTALLED = importlib.metadata.version("hf-xet")
RELEASES = sorted({"1.6.0", "1.7.0", "1.8.0", INSTALLED})
OFF = "off"
ROWS = [row if row == INSTALLED else pytest.param(row, marks=pytest.mark.matrix) for row in [*RELEASES, OFF]]
Programs = Callable[[str], Path]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """Return the folder of programs of a client with this release of ``hf-xet``, made once."""
    made: dict[str, Path] = {}

    def programs_of(release: str) -> Path:
        if release in (INSTALLED, OFF):
            return HERE
        if release not in made:
            made[release] = install(release, tmp_path_factory.mktemp(f"hf-xet-{release}") / "env")
        return made[release]

    return programs_of


def install(release: str, folder: Path) -> Path:
    """Make an environment with the stock client; raises AssertionError where no package index answers."""
    client = f"huggingface-hub=={importlib.metadata.version('huggingface-hub')}"
    python = str(folder / "bin" / "python")
    for words in (
        ["venv", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", python, client, f"hf-xet=={release}"],
    ):
        done = subprocess.run(
            [str(HERE / "uv"), "--quiet", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"hf-xet {release} could not be installed\n{done.stdout}{done.stderr}"
    return folder / "bin"


@pytest.mark.parametrize("row", ROWS)
def test_a_file_goes_up_comes_down_and_goes_up_changed(
    row: str, programs: Programs, hub: LiveHub, people: People, http: httpx.Client, new_repo: New,
    folder: Path, tmp_path: Path,
) -> None:  # fmt: skip
    where, xet, repo = programs(row), row != OFF, new_repo()
    before, journal = counted(hub), Journal(hub)
    content = weights(16 * MIB, int.from_bytes(os.urandom(4)))

    def upload(home: str, content: bytes) -> None:
        write_tree(folder, {"w.bin": content})
        hf(people, tmp_path / home, "upload", repo, str(folder / "w.bin"), "w.bin", xet=xet, programs=where)

    def comes_down(home: str, content: bytes) -> bool:
        goal = tmp_path / home / "got"
        hf(
            people, tmp_path / home, "download", repo, "w.bin", "--local-dir", str(goal), xet=xet,
            programs=where,
        )  # fmt: skip
        return (goal / "w.bin").read_bytes() == content

    upload("one", content)
    assert comes_down("two", content)
    first = counted(hub)
    changed = content[: 8 * MIB] + os.urandom(300) + content[8 * MIB :]
    upload("one", changed)
    assert comes_down("three", changed)
    second = counted(hub)
    # A client with an empty memory is told what this hub holds.
    again = changed[: 4 * MIB] + os.urandom(300) + changed[4 * MIB :]
    upload("fresh", again)
    assert comes_down("four", again)

    named = http.head(f"/{repo}/resolve/main/w.bin").headers.get("X-Xet-Hash", "")
    sent = journal.asked("POST", XORBS)
    rebuilt = journal.asked("GET", "/v2/reconstructions/")
    if not xet:
        assert (named, sent, rebuilt, counted(hub)) == ("", [], [], before)
        assert not journal.asked("GET", "/xet-(read|write)-token/")
        return
    assert len(named) == 64
    assert sent and rebuilt and {item.status for item in sent} == {200}
    assert all(f"hf_xet/{row}" in item.agent for item in [*sent, *rebuilt])
    assert first[1] - before[1] > 0.5 * len(content)
    assert second[1] - first[1] < 0.03 * len(content)
    assert counted(hub)[1] - second[1] < 0.03 * len(content)
