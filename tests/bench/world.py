"""The hub under measurement: ``manage.py up`` in a folder of its own, and child programs beside it."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.env import read_env_file
from tests.live import BASE_DIR, LiveHub, free_port_pair

OWNER = "bench"
TOKEN = "hf_" + "b" * 36
GB = 10**9


@dataclass
class World:
    """A data folder, a scratch folder, and the hub that runs on the first."""

    root: Path
    port: int

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @contextmanager
    def hub(self, delivery: str = "redirect", **settings: str) -> Iterator[LiveHub]:
        """Run the hub in one delivery mode, with more settings where given.  Its data stays for the next call."""
        live = LiveHub(data_dir=self.root / "data", port=self.port)
        live.settings = {
            "HUB_PORT": str(self.port), "HUB_DEMO": "0", "HUB_LICENSE_TEXTS": "0", "HUB_DELIVERY": delivery, **settings,
        }  # fmt: skip
        live.start()
        try:
            live.ensure_user(OWNER, token=TOKEN)
            yield live
        except (AssertionError, SystemExit):
            print(live.logs(), file=sys.stderr)
            raise
        finally:
            live.stop()

    def settings(self) -> dict[str, str]:
        """Return the settings that the hub runs with, as its other processes read them."""
        return read_env_file(self.root / "data" / "hub.env")

    def client_env(self, endpoint: str) -> dict[str, str]:
        """Return the environment of a stock client that keeps its cache in the scratch folder."""
        return {
            "HF_ENDPOINT": endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(self.scratch / "hf"),
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }  # fmt: skip

    def xet_env(self, endpoint: str, home: str = "hf") -> dict[str, str]:
        """Return the same for a client that sends and fetches by chunks, with a home of its own where named."""
        env = {**self.client_env(endpoint), "HF_HOME": str(self.scratch / home)}
        del env["HF_HUB_DISABLE_XET"]
        return env


@contextmanager
def make_world(parent: Path | None) -> Iterator[World]:
    """Make the folders, and remove them with everything in them at the end."""
    root = Path(tempfile.mkdtemp(prefix="hub-bench-", dir=parent))
    world = World(root, free_port_pair())
    try:
        (root / "data").mkdir()
        world.scratch.mkdir()
        yield world
    finally:
        shutil.rmtree(root, ignore_errors=True)


def require_space(folder: Path, size: int) -> None:
    """Raise SystemExit when a folder's disk has fewer than ``size`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise SystemExit(f"{folder} has {free / GB:.1f} GB free; this benchmark needs {size / GB:.1f} GB.")


def run_program(argv: list[str], env: Mapping[str, str], *, base: Mapping[str, str]) -> str:
    """Run a program to its end and return what it printed; raises SystemExit with its output when it fails."""
    done = subprocess.run(
        argv, cwd=BASE_DIR, env={**base, **env}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(argv[:4])} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def python(module: str, *words: str) -> list[str]:
    """Return the command line of a module of this package run as a program."""
    return [sys.executable, "-m", f"tests.bench.{module}", *words]


def hf() -> str:
    """Return the path of the stock command line client."""
    return str(Path(sys.executable).with_name("hf"))
