"""Files that appear whole or not at all.

Bytes go to `NAME.partial` beside the final name, locked while it is written. At the end every file is synced, then
renamed, the first shard last: readers open that one first. A killed run leaves the old files and a `.partial`, which
the next run to the same name takes over.
"""

import errno
import fcntl
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from workers.formats.troubles import why
from workers.quantizing.errors import QuantizeError

PARTIAL = ".partial"
# The disk is asked to write down what it has whenever this much has come, so the sync at the end is short.
SYNC_EVERY = 128 * 2**20


class WrittenFile(NamedTuple):
    path: Path
    size: int
    sha256: str


class OutputFile:
    """One file on its way: hashed and written in order by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(path.name + PARTIAL)
        self.file = _claim(self.partial)
        self.hash = hashlib.sha256()
        self.size = 0
        self.synced = 0

    def write(self, data: bytes | memoryview) -> None:
        """Hash and write. Raises QuantizeError that names the file when the disk refuses."""
        self.hash.update(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError as error:
            raise _trouble(self.partial, error) from error
        self.size += len(data)

    def sync(self) -> None:
        try:
            os.fsync(self.file)
        except OSError as error:
            raise _trouble(self.partial, error) from error


class Outputs:
    """All files of one run. Leaving the block without `finish` removes whatever was written."""

    def __init__(self, paths: Sequence[Path], size: int) -> None:
        self.files: list[OutputFile] = []
        self.finished = False
        self._syncer = ThreadPoolExecutor(1, "sync")
        self._syncing: Future[None] | None = None
        try:
            for path in paths:
                self.files.append(OutputFile(path))
            _require_space(paths[0], size)
        except BaseException:
            self._remove()
            raise

    def write(self, number: int, data: bytes | memoryview) -> None:
        file = self.files[number]
        file.write(data)
        if file.size - file.synced >= SYNC_EVERY and (self._syncing is None or self._syncing.done()):
            self._await_sync()
            file.synced = file.size
            self._syncing = self._syncer.submit(file.sync)

    def _await_sync(self) -> None:
        if self._syncing is not None:
            self._syncing.result()

    def finish(self) -> tuple[WrittenFile, ...]:
        """Make everything durable, then give the files their names."""
        self._await_sync()
        for file in self.files:
            file.sync()
        for file in reversed(self.files):
            try:
                file.partial.rename(file.path)
            except OSError as error:
                raise _trouble(file.path, error) from error
        _sync_folder(self.files[0].path.parent)
        self.finished = True
        return tuple(WrittenFile(file.path, file.size, file.hash.hexdigest()) for file in self.files)

    def _remove(self) -> None:
        self._syncer.shutdown()
        for file in self.files:
            if not self.finished:
                file.partial.unlink(missing_ok=True)
            os.close(file.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._remove()


def _claim(partial: Path) -> int:
    """Open an empty file that no other run writes."""
    while True:
        try:
            file = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise _trouble(partial, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(partial, file):
                os.ftruncate(file, 0)
                return file
        except BlockingIOError as error:
            os.close(file)
            raise QuantizeError(f"{partial}: is being written by another run; wait for it") from error
        # The run that held it has just ended and taken the file away: begin with a new one.
        os.close(file)


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _require_space(path: Path, size: int) -> None:
    facts = os.statvfs(path.parent)
    free = facts.f_bavail * facts.f_frsize
    if free < size:
        raise QuantizeError(
            f"{path}: takes {size / 1e9:.2f} GB, but {path.parent} has only {free / 1e9:.2f} GB left; "
            "make room or write elsewhere"
        )


def _trouble(path: Path, error: OSError) -> QuantizeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return QuantizeError(f"{path}: the disk took no more ({error.strerror}); nothing was kept")
    return QuantizeError(why(path, error))


def _sync_folder(folder: Path) -> None:
    """A rename lasts once its folder is synced."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
