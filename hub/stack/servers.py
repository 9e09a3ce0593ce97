"""The three servers of one data folder, started together: those that the environment does not already name.

Usable without Django, so tests start real servers before any setting is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from hub.stack.errors import StackError
from hub.stack.layout import Layout, lock, open_layout, open_secrets, socket_folder
from hub.stack.postgres import Postgres
from hub.stack.processes import Child, Command, stop_all, sweep_leftovers, wait_until
from hub.stack.seaweed import Seaweed
from hub.stack.valkey import Valkey

READY_SECONDS = 60.0
STOP_SECONDS = 3.0
# Without an endpoint the store is the one of AWS.
S3_NEEDED = ("HUB_S3_BUCKET", "HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY")
S3_NAMES = ("HUB_S3_ENDPOINT", *S3_NEEDED)


class Server(Protocol):
    """What a server of the stack can be asked for."""

    name: str

    def prepare(self) -> None: ...
    def command(self) -> Command: ...
    def ready(self) -> bool: ...
    def provision(self) -> None: ...
    def env(self) -> dict[str, str]: ...


@dataclass
class RunningServers:
    """The servers that were started, and the settings that lead to all servers of the hub."""

    layout: Layout
    env: dict[str, str]
    children: list[Child] = field(default_factory=list)
    held: IO[str] | None = None

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Stop the servers within ``seconds`` and give the data folder free."""
        stop_all(self.children, seconds=seconds)
        if self.held:
            self.held.close()


def needed_servers(layout: Layout, *, env: Mapping[str, str], secrets: Mapping[str, str]) -> list[Server]:
    """Return the servers that ``env`` does not name; raises StackError for half an S3 address."""
    sockets = socket_folder(layout)
    durable = env.get("HUB_STACK_FSYNC", "1") != "0"
    servers: list[Server] = []
    if not env.get("HUB_DATABASE_URL"):
        servers.append(Postgres(layout, sockets=sockets, secrets=secrets, durable=durable))
    if not env.get("HUB_REDIS_URL"):
        servers.append(Valkey(layout, sockets=sockets, durable=durable))
    given = [name for name in S3_NAMES if env.get(name)]
    if not given:
        servers.append(Seaweed(layout, sockets=sockets, secrets=secrets))
    elif missing := ", ".join(name for name in S3_NEEDED if name not in given):
        raise StackError(
            f"{given[0]} is given, so {missing} must be given too; or give none and a server is started."
        )
    return servers


def start_servers(
    data_dir: Path, *, env: Mapping[str, str], say: Callable[[str], None] = lambda _line: None
) -> RunningServers:
    """Start what is needed in ``data_dir`` and wait until all of it answers.

    Raises StackError, with nothing left running, when a server does not come up.
    """
    layout = open_layout(data_dir)
    held = lock(layout)
    running = RunningServers(layout=layout, env={}, held=held)
    try:
        sweep_leftovers(layout.run)
        secrets = open_secrets(layout)
        running.env["HUB_SECRET_KEY"] = env.get("HUB_SECRET_KEY") or secrets["HUB_SECRET_KEY"]
        _start(running, needed_servers(layout, env=env, secrets=secrets), say)
    except BaseException:
        running.stop()
        raise
    return running


def _start(running: RunningServers, servers: list[Server], say: Callable[[str], None]) -> None:
    """Start all at once, then wait for each: together they take as long as the slowest."""
    for server in servers:
        say(f"starting {server.name}")
        server.prepare()
        child = Child(server.command(), logs=running.layout.logs, run=running.layout.run)
        running.children.append(child)
        child.start()
    for server, child in zip(servers, running.children, strict=True):
        wait_until(server.ready, child, seconds=READY_SECONDS)
        server.provision()
        running.env.update(server.env())
