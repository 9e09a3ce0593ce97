"""Before a push: which files are large, which are ignored, which are there already."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from hub.catalog import objects, rules
from hub.catalog.errors import BadPath, TooLarge
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.rules import Attributes, Ignores
from hub.catalog.trees import entry_at

# Text up to this many bytes is kept in git, where it can be read and compared.
LARGE_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """A file about to be pushed: its path, size in bytes and first bytes (base64)."""

    path: str
    size: int
    sample: str


@dataclass(frozen=True, slots=True)
class Advice:
    """How to push it; ``oid`` is the hash of what stands there now (git id, or sha256 of a large file)."""

    path: str
    large: bool
    ignored: bool
    oid: str | None


def advise(at: Located, samples: Sequence[Sample], ignore_text: str | None) -> list[Advice]:
    """Return advice for each file, by the attributes and ignore rules of the revision.

    Ignore rules sent along count instead of the committed ones; raises TooLarge where they are too many.
    """
    attributes = _attributes(_content(at, ".gitattributes"))
    ignores = (
        _committed_ignores(at) if ignore_text is None else Ignores(ignore_text.encode("utf-8", "replace"))
    )
    return [_advice(at, sample, attributes, ignores) for sample in samples]


def _advice(at: Located, sample: Sample, attributes: Attributes, ignores: Ignores) -> Advice:
    try:
        path = FilePath.parse(sample.path)
    except BadPath:
        # The commit refuses the path with its reason; no rule is meant for it.
        return Advice(sample.path, _is_heavy(sample), False, None)
    name = str(path).encode()
    entry = entry_at(at.repo, at.tree, path)
    present = entry.etag if entry is not None and not entry.is_folder else None
    large = bool(sample.size) and (attributes.value(name) == b"lfs" or _is_heavy(sample))
    return Advice(sample.path, large, ignores.match(name), present)


def _is_heavy(sample: Sample) -> bool:
    return bool(sample.size) and (sample.size > LARGE_BYTES or _is_binary(sample.sample))


def _is_binary(sample: str) -> bool:
    """Git's own rule (a NUL byte), and text that is not UTF-8; the sample may end inside a character."""
    try:
        content = base64.b64decode(sample, validate=True)
    except (binascii.Error, ValueError):
        return True
    if b"\0" in content:
        return True
    try:
        content[:-3].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(content) - 6
    return False


def _content(at: Located, name: str) -> bytes:
    entry = entry_at(at.repo, at.tree, FilePath((name,)))
    if entry is None or entry.is_folder or entry.is_large or entry.size > rules.MAX_BYTES:
        return b""
    return objects.read(at.repo.network_id, entry.oid)


# Committed rules beyond the bounds count as none, however long the file: whoever mends the file has to push it.


def _attributes(content: bytes) -> Attributes:
    try:
        return Attributes(content, b"filter")
    except TooLarge:
        return Attributes(b"", b"filter")


def _committed_ignores(at: Located) -> Ignores:
    try:
        return Ignores(_content(at, ".gitignore"))
    except TooLarge:
        return Ignores(b"")
