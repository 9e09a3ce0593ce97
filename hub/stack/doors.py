"""The hub's own processes: two groups of web processes, the workers and their clock."""

import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import redis

from hub.env import Env
from hub.stack.errors import StackError
from hub.stack.processes import Command
from hub.stack.seaweed import port_is_free

ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 - read, not bound
# With an arena for every thread, glibc would keep what each of many threads once used for a body.
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}


class Doors:
    """Where the hub listens, and how its processes are started."""

    def __init__(self, base_dir: Path, *, env: Mapping[str, str]) -> None:
        settings = Env(env)
        self.base_dir = base_dir
        self.env = env
        self.host = settings.text("HUB_BIND", "127.0.0.1")
        self.port = settings.number("HUB_PORT", 8000, at_least=1)
        self.bytes_port = settings.number("HUB_BYTES_PORT", self.port + 1, at_least=1)
        self.jobs = settings.number("HUB_JOB_PROCESSES", 2, at_least=1)

    @property
    def url(self) -> str:
        """The address of the web group as seen from this machine."""
        return f"http://{self._local_host}:{self.port}"

    @property
    def _local_host(self) -> str:
        return ANY_HOST.get(self.host, f"[{self.host}]" if ":" in self.host else self.host)

    def check_ports(self) -> None:
        """Raise StackError when another program has one of the two ports."""
        for name, port in (("HUB_PORT", self.port), ("HUB_BYTES_PORT", self.bytes_port)):
            if not port_is_free(port, self.host):
                raise StackError(f"Port {port} is taken by another program; set {name} to a free one.")

    def commands(self) -> list[Command]:
        """Return the processes in the order in which they start."""
        celery = ["celery", "-A", "hub.celery", "--quiet"]
        clock = ["celery", "-A", "hub.celery:clock", "--quiet"]
        alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        pool = ["--concurrency", str(self.jobs), "--prefetch-multiplier", "1"]
        return [
            self._python("web", "gunicorn", "-c", "python:hub.stack.gunicorn_conf", HUB_PROCESS="web"),
            # Pages stay quick while others verify what was uploaded, or work on a job.
            self._python(
                "bytes", "gunicorn", "-c", "python:hub.stack.gunicorn_conf", niceness=10, HUB_PROCESS="bytes"
            ),
            self._python("worker", *celery, "worker", "--loglevel", "INFO", *pool, *alone, niceness=10),
            # The clock keeps its schedule in memory: there is no file that a crash could leave broken.
            self._python(
                "beat", *clock, "beat", "--loglevel", "INFO", "-S", "celery.beat.Scheduler", "--pidfile="
            ),
        ]

    def _python(self, name: str, *words: str, niceness: int = 0, **extra: str) -> Command:
        argv = [sys.executable, "-m", "hub.stack.tether", *words]
        env = {**FEW_ARENAS, **self.env, **extra}
        return Command(name=name, argv=argv, env=env, cwd=self.base_dir, niceness=niceness)

    def web_answers(self) -> bool:
        """Say whether the web group is ready to serve."""
        return _is_ready(f"{self.url}/readyz")

    def bytes_answer(self) -> bool:
        """Say whether the second group is ready to serve."""
        return _is_ready(f"http://{self._local_host}:{self.bytes_port}/readyz")

    def worker_answers(self) -> bool:
        """Say whether a worker waits for work: Celery's workers hold one blocking pop each at the broker."""
        client = redis.Redis.from_url(self.env["HUB_REDIS_URL"], socket_timeout=2)
        try:
            mine = client.connection_pool.connection_kwargs.get("db", 0)
            return any(peer["cmd"] == "brpop" and int(peer["db"]) == mine for peer in client.client_list())
        except redis.RedisError:
            return False
        finally:
            client.close()


def _is_ready(address: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def hub_settings(environ: Mapping[str, str], servers: Mapping[str, str], *, data_dir: Path) -> dict[str, str]:
    """Return the settings that the hub runs with: what the operator gave, over what the servers say."""
    per_process = {"HUB_PROCESS", "HUB_DATABASE_ROLE"}
    given = {
        key: value for key, value in environ.items() if key.startswith("HUB_") and key not in per_process
    }
    return {**servers, **given, "HUB_DATA": str(data_dir)}
