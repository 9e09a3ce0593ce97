"""Whole hubs for journeys: ``manage.py up`` in a folder of its own, with every process of a real hub."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent
READY_SECONDS = 300.0
STOP_SECONDS = 15.0


@dataclass
class LiveHub:
    """A running hub and what a test needs to talk to it."""

    data_dir: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    # The folder in which `manage.py up` is called.
    folder: Path = BASE_DIR

    @property
    def url(self) -> str:
        """Address of pages and API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bytes_url(self) -> str:
        """Address of the second process group, which carries long requests."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of this hub's ``manage.py`` commands: none of the test session's own settings."""
        outside = {
            key: value for key, value in os.environ.items() if not key.startswith(("HUB_", "HF_", "DJANGO_"))
        }
        return {**outside, "HUB_DATA": str(self.data_dir), **self.settings}

    def start(self) -> None:
        """Run ``manage.py up`` until it says ``ready``; raises AssertionError with its logs when it does not."""
        output = (self.data_dir / "up.log").open("a+", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "up", "--with-parent"],
            cwd=self.folder,
            env=self.env,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        seen_before = output.seek(0, os.SEEK_END)
        deadline = time.monotonic() + READY_SECONDS
        while "ready http" not in _text_from(self.data_dir / "up.log", seen_before):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"the hub did not become ready\n{self.logs()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def manage(self, *words: str) -> str:
        """Run a ``manage.py`` command against this hub and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {words[0]} failed\n{done.stdout}{done.stderr}"
        return done.stdout

    def ensure_user(
        self, name: str, *, token: str = "", orgs: Sequence[str] = (), admin: bool = False, password: str = ""
    ) -> str:
        """Make or update a user and return what the command printed."""
        words = ["ensure_user", name]
        words += ["--token", token] if token else []
        words += ["--password", password] if password else []
        words += [word for org in orgs for word in ("--org", org)]
        words += ["--admin"] if admin else []
        return self.manage(*words)

    def logs(self, lines: int = 40) -> str:
        """Return the tail of every log of this hub."""
        files = [self.data_dir / "up.log", *sorted((self.data_dir / "logs").glob("*.log"))]
        tails = {file.name: _text_from(file, 0).splitlines()[-lines:] for file in files}
        return "\n".join(f"--- {name}\n" + "\n".join(tail) for name, tail in tails.items() if tail)


def _text_from(file: Path, offset: int) -> str:
    if not file.is_file():
        return ""
    return file.read_bytes()[offset:].decode("utf-8", "replace")


def free_port_pair() -> int:
    """Return a port that is free together with the next one, below those that kernels hand out."""
    for port in range(22_100 + os.getpid() % 400 * 20, 32_000, 2):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise AssertionError("no free pair of ports was found")


def run_live_hub(**settings: str) -> Iterator[LiveHub]:
    """Start a hub with these extra settings, yield it, stop it and remove its folder."""
    data_dir = Path(tempfile.mkdtemp(prefix="hub-live-"))
    port = free_port_pair()
    live = LiveHub(data_dir=data_dir, port=port)
    live.settings = {
        "HUB_PORT": str(port), "HUB_DEMO": "0", "HUB_STACK_FSYNC": "0", "HUB_PROOF_WAIT": "8",
        "HUB_LICENSE_TEXTS": "0", "HUB_REVIEW": "off",
        "GUNICORN_CMD_ARGS": f"--access-logfile {data_dir}/requests.log", **settings,
    }  # fmt: skip
    try:
        live.start()
        yield live
    finally:
        live.stop()
        shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def live_hub() -> Iterator[LiveHub]:
    """A whole hub whose bytes travel by redirects to the S3 server."""
    yield from run_live_hub(HUB_DELIVERY="redirect")


@pytest.fixture(scope="session")
def live_hub_proxy() -> Iterator[LiveHub]:
    """A whole hub that carries every byte itself, as for clients that cannot see the S3 server."""
    yield from run_live_hub(HUB_DELIVERY="proxy")


# Marks tests of what depends on the way that bytes travel; all others run with proxied bytes by `make matrix` only.
BOTH_WAYS = pytest.mark.parametrize("hub", ["redirect", "proxy"], indirect=True)


@pytest.fixture(params=["redirect", pytest.param("proxy", marks=pytest.mark.matrix)])
def hub(request: pytest.FixtureRequest) -> LiveHub:
    """A whole hub of the kind that is asked for."""
    name = {"redirect": "live_hub", "proxy": "live_hub_proxy"}[request.param]
    live: LiveHub = request.getfixturevalue(name)
    return live
