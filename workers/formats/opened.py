"""The files of a model, each opened once.

Headers and weights come from the same descriptor, whatever the path names by then, and a file that is written to
meanwhile is told.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from workers.formats.findings import Finding
from workers.formats.reader import CachedReader, check_range

Stamp = tuple[int, int]


class Descriptor:
    """A range reader of an open file."""

    def __init__(self, file: int, size: int) -> None:
        self.file = file
        self.size = size

    def read(self, start: int, length: int) -> bytes:
        check_range(start, length, self.size)
        data = os.pread(self.file, length, start)
        if len(data) != length:
            raise OSError(f"gave {len(data)} of {length} bytes at {start}: did it shrink?")
        return data


@dataclass(slots=True)
class Opened:
    """Open files, by number in the order in which they were added. A kind of model says how it complains."""

    trouble: ClassVar[type[Exception]]
    again: ClassVar[str]

    paths: list[Path] = field(default_factory=list, kw_only=True)
    files: list[int] = field(default_factory=list, kw_only=True)
    stamps: list[Stamp] = field(default_factory=list, kw_only=True)

    def add(self, path: Path) -> CachedReader:
        """Open one more file, and read its header. Raises OSError."""
        self.files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        self.paths.append(path)
        self.stamps.append(_stamp(self.files[-1]))
        return CachedReader(Descriptor(self.files[-1], self.stamps[-1][0]))

    def fill(self, file: int, tensor: str, at: int, room: memoryview) -> None:
        """Fill the room from a file's bytes; the tensor is named in errors. Safe from several threads."""
        path, done = self.paths[file], 0
        while done < len(room):
            try:
                got = os.preadv(self.files[file], [room[done:]], at + done)
            except OSError as error:
                raise self.trouble(f"{path}: tensor {tensor!r} cannot be read: {error.strerror}") from error
            if not got:
                raise self.trouble(f"{path}: ends inside tensor {tensor!r}; it was cut short meanwhile")
            done += got

    def refuse(self, path: Path, findings: Iterable[Finding], also: Iterable[str] = ()) -> None:
        """Raise for the first finding that is an error, or a warning among those that count as errors here."""
        for finding in findings:
            if finding.severity == "error" or finding.code in also:
                where = f" tensor {finding.tensor[:200]!r}" if finding.tensor is not None else ""
                raise self.trouble(f"{path}:{where} {finding.message}")

    def spare(self, targets: Iterable[Path]) -> None:
        """Refuse to write over what is read."""
        for target in targets:
            if target.exists() and any(target.samefile(path) for path in self.paths):
                raise self.trouble(f"{target}: is what is read; write to another name")

    def check_unchanged(self) -> None:
        """Refuse files that were written to since they were opened: what was made of them is of two minds."""
        for path, file, stamp in zip(self.paths, self.files, self.stamps, strict=True):
            if _stamp(file) != stamp:
                raise self.trouble(f"{path}: was changed while it was read; {self.again} it again")

    def close(self) -> None:
        while self.files:
            os.close(self.files.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _stamp(file: int) -> Stamp:
    facts = os.fstat(file)
    return facts.st_size, facts.st_mtime_ns
