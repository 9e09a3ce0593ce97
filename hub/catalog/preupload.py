"""Before a push: which files are large, which are ignored, which are there already."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from hub.catalog import objects, quotas, rules
from hub.catalog.errors import BadPath, TooLarge
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.rules import Attributes, Ignores
from hub.catalog.trees import Entry, entries_at

# Text up to this many bytes is kept in git, where it can be read and compared.
LARGE_BYTES = 10 * 2**20
_ATTRIBUTES, _IGNORE = FilePath((".gitattributes",)), FilePath((".gitignore",))


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

    Ignore rules sent along count instead of the committed ones; raises TooLarge where they are too many, and OverQuota
    where the files can have no room together.
    """
    paths = [_path_of(sample) for sample in samples]
    present = entries_at(at.repo, at.tree, [_ATTRIBUTES, _IGNORE, *filter(None, paths)])
    attributes = _attributes(_content(at, present.get(_ATTRIBUTES)))
    if ignore_text is None:
        ignores = _committed_ignores(_content(at, present.get(_IGNORE)))
    else:
        ignores = Ignores(ignore_text.encode("utf-8", "replace"))
    found = [
        # The commit refuses a bad path with its reason; no rule is meant for it.
        _advice(sample, path, present.get(path), attributes, ignores)
        if path
        else Advice(sample.path, _is_heavy(sample), False, None)
        for sample, path in zip(samples, paths, strict=True)
    ]
    _require_room(at, samples, found)
    return found


def _require_room(at: Located, samples: Sequence[Sample], found: Sequence[Advice]) -> None:
    sent = [
        (sample.size, advice.large)
        for sample, advice in zip(samples, found, strict=True)
        if not advice.ignored
    ]
    large = [size for size, is_large in sent if is_large]
    quotas.require_announced(at.repo.namespace, large, sum(size for size, is_large in sent if not is_large))


def _path_of(sample: Sample) -> FilePath | None:
    try:
        return FilePath.parse(sample.path)
    except BadPath:
        return None


def _advice(
    sample: Sample, path: FilePath, entry: Entry | None, attributes: Attributes, ignores: Ignores
) -> Advice:
    name = str(path).encode()
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


def _content(at: Located, entry: Entry | None) -> bytes:
    if entry is None or entry.is_folder or entry.is_large or entry.size > rules.MAX_BYTES:
        return b""
    return objects.read(at.repo.network_id, entry.oid)


# Committed rules beyond the bounds count as none, like a file that is too long: whoever mends it has to push it.


def _attributes(content: bytes) -> Attributes:
    try:
        return Attributes(content, b"filter")
    except TooLarge:
        return Attributes(b"", b"filter")


def _committed_ignores(content: bytes) -> Ignores:
    try:
        return Ignores(content)
    except TooLarge:
        return Ignores(b"")
