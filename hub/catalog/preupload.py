"""Before a push: which files are large, which are ignored, which are there already."""

import base64
import binascii
import io
from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.attrs import GitAttributes, parse_git_attributes
from dulwich.attrs import Pattern as AttributePattern
from dulwich.ignore import IgnoreFilter, read_ignore_patterns

from hub.catalog import objects
from hub.catalog.errors import BadPath
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at

# Text up to this many bytes is kept in git, where it can be read and compared.
LARGE_BYTES = 10 * 2**20
_MAX_RULES = 256 * 1024


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

    Ignore rules sent along count instead of the committed ones.
    """
    attributes = _attributes(_rules(at, ".gitattributes"))
    ignored = _ignores(ignore_text.encode() if ignore_text is not None else _rules(at, ".gitignore"))
    return [_advice(at, sample, attributes, ignored) for sample in samples]


def _advice(at: Located, sample: Sample, attributes: GitAttributes, ignored: IgnoreFilter) -> Advice:
    try:
        path = FilePath.parse(sample.path)
        entry = entry_at(at.repo, at.tree, path)
    except BadPath:
        # The commit refuses the path with its reason; here it is only a question.
        entry = None
    present = entry.etag if entry is not None and not entry.is_folder else None
    large = bool(sample.size) and _is_large(sample, attributes)
    return Advice(sample.path, large, bool(ignored.is_ignored(sample.path)), present)


def _is_large(sample: Sample, attributes: GitAttributes) -> bool:
    if attributes.match_path(sample.path.encode("utf-8", "replace")).get(b"filter") == b"lfs":
        return True
    return sample.size > LARGE_BYTES or _is_binary(sample.sample)


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


def _rules(at: Located, name: str) -> bytes:
    entry = entry_at(at.repo, at.tree, FilePath((name,)))
    if entry is None or entry.is_folder or entry.is_large or entry.size > _MAX_RULES:
        return b""
    return objects.read(at.repo.network_id, entry.oid)


def _attributes(content: bytes) -> GitAttributes:
    return GitAttributes(
        [(AttributePattern(pattern), values) for pattern, values in parse_git_attributes(io.BytesIO(content))]
    )


def _ignores(content: bytes) -> IgnoreFilter:
    return IgnoreFilter(read_ignore_patterns(io.BytesIO(content[:_MAX_RULES])))
