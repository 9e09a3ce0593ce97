"""Folders for files that are worked on: ``$HUB_DATA/scratch/``.

Whoever works in one holds a lock on it, which ends with the process, so what a killed worker left can be told from
what is in use.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


def root() -> Path:
    """Return where the folders lie."""
    found: Path = settings.HUB_DATA / "scratch"
    return found


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Make a locked folder for the body, and remove it afterwards with all that is in it."""
    root().mkdir(mode=0o700, parents=True, exist_ok=True)
    path, lock = _made(name)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _made(name: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=root()))
        lock = _opened(path)
        if lock is None:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A sweep may have come between making and locking, and have taken the folder away.
        if path.is_dir():
            return path, lock
        os.close(lock)


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def sweep() -> int:
    """Remove the folders that nobody works in; returns how many there were."""
    return sum(_removed(path) for path in sorted(root().glob("*"))) if root().is_dir() else 0


def _removed(path: Path) -> bool:
    lock = _opened(path)
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
