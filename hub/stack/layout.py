"""The data folder: what lies where, who may use it, and which secrets belong to it.

    $HUB_DATA/
      pg/ valkey/ s3/   what the servers keep
      logs/             one log per process
      run/              locks, pid files and (where paths are short enough) the unix sockets
      stack.env         secrets of the servers and the version of this layout; made once
      hub.env           the settings that the hub last ran with, for `manage.py` commands in another terminal
      admin-password    of the first administrator
      demo-made         the demo has been put in; it is not put in again

Everything is private to the user who runs the hub.
"""

import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hub.env import read_env_file
from hub.stack.errors import StackError

LAYOUT_VERSION = 1
# Linux allows 107 bytes for the path of a unix socket and macOS 103; the longest name in the folder is 34
# bytes long.
SOCKET_FOLDER_BYTES = 66
SECRET_NAMES = (
    "HUB_SECRET_KEY",
    "STACK_PG_SUPERUSER_PASSWORD",
    "STACK_PG_OWNER_PASSWORD",
    "STACK_PG_APP_PASSWORD",
    "STACK_VALKEY_PASSWORD",
    "STACK_S3_ACCESS_KEY",
    "STACK_S3_SECRET_KEY",
    "STACK_WEED_JWT_SIGNING_KEY",
    "STACK_WEED_JWT_SIGNING_READ_KEY",
    "STACK_WEED_JWT_FILER_SIGNING_KEY",
    "STACK_WEED_JWT_FILER_SIGNING_READ_KEY",
)


@dataclass(frozen=True)
class Layout:
    """The paths of one data folder."""

    root: Path

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def hub_env(self) -> Path:
        return self.root / "hub.env"

    @property
    def stack_env(self) -> Path:
        return self.root / "stack.env"

    @property
    def admin_password(self) -> Path:
        return self.root / "admin-password"

    @property
    def license_texts(self) -> Path:
        """A file that is there once the canonical texts of licenses were fetched."""
        return self.root / "license-texts" / "SOURCE"

    @property
    def demo_made(self) -> Path:
        return self.root / "demo-made"


def open_layout(data_dir: Path) -> Layout:
    """Make the folders that every start needs, private to this user."""
    layout = Layout(data_dir.absolute())
    for folder in (layout.root, layout.logs, layout.run):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"HUB_DATA={data_dir}: {error.strerror}. Set HUB_DATA to a folder you may write to."
            ) from error
    return layout


def lock(layout: Layout) -> IO[str]:
    """Take the data folder for this process until the returned file is closed.

    Raises StackError naming the process that has it.
    """
    held = (layout.run / "up.lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.seek(0)
        pid = held.read().strip() or "unknown"
        raise StackError(
            f"The hub already runs on {layout.root} (process {pid}). "
            "Stop that one first, or set HUB_DATA to another folder."
        ) from None
    held.truncate(0)
    held.write(f"{os.getpid()}\n")
    held.flush()
    return held


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by this user only."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_env(path: Path, values: Mapping[str, str], *, title: str) -> None:
    """Write ``KEY=VALUE`` lines for `hub.env`; raises StackError for a value with a line break."""
    broken = [key for key, value in values.items() if "\n" in value or "\r" in value]
    if broken:
        raise StackError(f"{broken[0]} holds a line break; settings are single lines.")
    write_private(
        path, "".join([f"# {title}\n", *(f"{key}={value}\n" for key, value in sorted(values.items()))])
    )


def open_secrets(layout: Layout) -> dict[str, str]:
    """Return the secrets of this data folder, making those that are missing.

    Raises StackError when the folder belongs to a newer Weighhouse.
    """
    known = read_env_file(layout.stack_env)
    version = known.get("STACK_LAYOUT", str(LAYOUT_VERSION))
    if not version.isdigit() or int(version) > LAYOUT_VERSION:
        raise StackError(
            f"{layout.root} belongs to a newer Weighhouse: its layout is {version}, this one knows "
            f"{LAYOUT_VERSION}. Start it with that newer Weighhouse, or set HUB_DATA to another folder."
        )
    made = {name: secrets.token_hex(24) for name in SECRET_NAMES if name not in known}
    if made or "STACK_LAYOUT" not in known:
        known = {**known, **made, "STACK_LAYOUT": str(LAYOUT_VERSION)}
        write_env(
            layout.stack_env, known, title="Secrets of the servers in this folder. Made once; keep private."
        )
    return known


def socket_folder(layout: Layout) -> Path:
    """Return a private folder whose path suits unix sockets: ``run/``, or one in the temp folder."""
    if len(os.fsencode(layout.run)) <= SOCKET_FOLDER_BYTES:
        return layout.run
    record = layout.run / "sockets"
    if record.is_file():
        folder = Path(record.read_text(encoding="utf-8").strip())
        if _is_private_folder(folder):
            return folder
    folder = Path(tempfile.mkdtemp(prefix="weighhouse-"))
    if len(os.fsencode(folder)) > SOCKET_FOLDER_BYTES:
        folder.rmdir()
        raise StackError(
            f"{layout.run} and the temp folder have paths too long for unix sockets; set a shorter HUB_DATA."
        )
    write_private(record, f"{folder}\n")
    return folder


def _is_private_folder(folder: Path) -> bool:
    """Say whether this is still our own private folder: temp folders are cleaned, names may be squatted."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
    )
