"""The tensors of a commit's weights, read from stored inspections: no file is opened for them.

Shards of one model are one set.  Names that differ in numbers only are folded into one pattern, as
``model.layers.0–31.mlp.up_proj.weight``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from hub.catalog.models import Inspection, Repo, RepoBlob
from hub.catalog.trees import Entry, files

FORMATS = (".safetensors", ".gguf")
# Gigantic models have some thousand shards; no more are added up for one page.
MAX_FILES = 2000
# The largest models have about so many tensors; what a file lists beyond them is counted only.
MAX_ROWS = 200_000
# Names that are longer are shown as they are, cut, and not folded.
MAX_NAME = 300
_SHARD = re.compile(r"(?P<stem>.+)-[0-9]{5}-of-[0-9]{5}(?P<ending>\.safetensors|\.gguf)\Z")
# Python refuses to read thousands of digits as a number, and no layer has so many.
_NUMBER = re.compile(r"(?<![^./_-])[0-9]{1,18}(?![^./_-])")
# What a tensor is for, by the words of its name, in the order in which people look for it.
_PARTS = (
    ("Norms", re.compile(r"norm|\bln_|layernorm")),
    ("Embedding and head", re.compile(r"embe?d|lm_head|wte|wpe|^output\.|rope_freqs")),
    ("Attention", re.compile(r"attn|attention|\.(q|k|v|o|qkv)_proj")),
    ("Feed-forward", re.compile(r"mlp|ffn|feed_forward|expert|fc[12]\b|intermediate|\boutput\.dense")),
)
PARTS = ("Embedding and head", "Attention", "Feed-forward", "Norms", "Others")


@dataclass(frozen=True, slots=True)
class FileSet:
    """One model of a commit: its files in order (one, or shards) with what inspections counted in them."""

    name: str
    entries: tuple[Entry, ...]
    format: str
    weights: int
    unread: int

    @property
    def size(self) -> int:
        """Bytes of the files, headers included."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Row:
    """One tensor, its shape with the slowest dimension first, and its length in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    weights: int
    size: int
    file: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Tensors alike in all but numbers: `pieces` are the name's parts, each with whether it is a number."""

    pieces: tuple[tuple[str, bool], ...]
    part: str
    dtype: str
    shape: tuple[int, ...]
    count: int
    weights: int
    size: int

    @property
    def name(self) -> str:
        return "".join(text for text, _ in self.pieces)


@dataclass(slots=True)
class Contents:
    """All tensors of a set, its metadata, and how many tensors were too many to be kept."""

    rows: list[Row] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    left_out: int = 0


def sets_in(repo: Repo, tree: str) -> list[FileSet]:
    """Return the models below a root tree, by name; asks no gate."""
    groups = grouped(files(repo, tree))
    # Only who holds the bytes may learn what was read in them; naming their hash is not holding them.
    proven = {one.sha256 for group in groups.values() for one in group if one.state == RepoBlob.State.PROVEN}
    known = {
        row.sha256: row for row in Inspection.objects.filter(sha256__in=proven).defer("data", "findings")
    }
    return [_set(name, group[:MAX_FILES], known) for name, group in groups.items()]


def grouped(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the files that hold tensors by the name of the model that they make up."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.is_large and entry.path.endswith(FORMATS):
            shard = _SHARD.match(entry.path)
            groups[shard["stem"] + shard["ending"] if shard else entry.path].append(entry)
    return groups


def _set(name: str, entries: Sequence[Entry], known: Mapping[str, Inspection]) -> FileSet:
    found = [known[entry.sha256] for entry in entries if entry.sha256 in known]
    totals = [row.summary.get("total") for row in found]
    return FileSet(
        name=name,
        entries=tuple(entries),
        format=found[0].format if found else "",
        weights=sum(total for total in totals if isinstance(total, int)),
        unread=len(entries) - len(found),
    )


def contents_of(found: FileSet) -> Contents:
    """Return every tensor of a set in the order of its files."""
    proven = [entry.sha256 for entry in found.entries if entry.state == RepoBlob.State.PROVEN]
    told = dict(Inspection.objects.filter(sha256__in=proven).values_list("sha256", "data"))
    contents = Contents()
    for entry in found.entries:
        data = told.get(entry.sha256)
        if data is None:
            continue
        before = len(contents.rows)
        contents.rows += islice(_rows(entry, data), MAX_ROWS - len(contents.rows))
        contents.left_out += max(len(data["tensors"]) - (len(contents.rows) - before), 0)
        contents.metadata |= {
            key: value for key, value in data["metadata"].items() if key not in contents.metadata
        }
        contents.left_out += data["left_out"].get("tensors", 0)
    return contents


def _rows(entry: Entry, data: Mapping[str, Any]) -> Iterator[Row]:
    is_gguf = data["format"] == "gguf"
    for name, dtype, shape, start, end, weights in data["tensors"]:
        yield Row(name, dtype, tuple(reversed(shape) if is_gguf else shape), weights, end - start, entry.path)


def types_of(rows: Iterable[Row]) -> list[tuple[str, int]]:
    """Return the number types with their bytes, the largest first."""
    sizes: dict[str, int] = defaultdict(int)
    for row in rows:
        sizes[row.dtype] += row.size
    return sorted(sizes.items(), key=lambda pair: -pair[1])


def fold(rows: Iterable[Row]) -> list[Pattern]:
    """Return the patterns that the rows fall into, in the order of parts and then of the file."""
    groups: dict[tuple[str, str, tuple[int, ...]], list[Row]] = defaultdict(list)
    for row in rows:
        groups[_words(row.name), row.dtype, row.shape].append(row)
    found = [_pattern(key, members) for key, members in groups.items()]
    return sorted(found, key=lambda pattern: PARTS.index(pattern.part))


def _words(name: str) -> str:
    """Return a name with its numbers taken out; PostgreSQL keeps no NUL, so what stands for them is in no name."""
    return _NUMBER.sub("\0", name) if len(name) <= MAX_NAME else name


def _pattern(key: tuple[str, str, tuple[int, ...]], members: Sequence[Row]) -> Pattern:
    words, dtype, shape = key
    return Pattern(
        pieces=tuple(_pieces(words, members)),
        part=part_of(words),
        dtype=dtype,
        shape=shape,
        count=len(members),
        weights=sum(row.weights for row in members),
        size=sum(row.size for row in members),
    )


def _pieces(words: str, members: Sequence[Row]) -> list[tuple[str, bool]]:
    if len(members[0].name) > MAX_NAME:
        return [(words[:MAX_NAME] + "…", False)]
    first, *others = words.split("\0")
    spans = map(_span, zip(*(map(int, _NUMBER.findall(row.name)) for row in members), strict=True))
    pieces = [(first, False)]
    for span, word in zip(spans, others, strict=True):
        pieces += [(span, True), (word, False)]
    return pieces


def _span(values: Sequence[int]) -> str:
    least, most = min(values), max(values)
    return str(least) if least == most else f"{least}–{most}"


def part_of(name: str) -> str:
    """Return which part of a model a tensor belongs to, judged by the words of its name."""
    lower = name.lower()
    return next((part for part, words in _PARTS if words.search(lower)), PARTS[-1])
