"""Which models in GGUF a commit holds: files, or sets of shards, with what inspections read in them.

Importance matrices are GGUF files too, or files of an older format; they are no models.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KeyTextTransform, KeyTransform

from hub.catalog import memory
from hub.catalog.ggufnames import stem_of
from hub.catalog.memory import Need
from hub.catalog.models import Inspection, Repo, RepoBlob
from hub.catalog.trees import Entry, files

FLOATS = frozenset({"F32", "F16", "BF16"})
# A file of this architecture holds a tower of vision or sound that belongs to a model.
TOWER = "clip"
# What general.type says of an importance matrix, and the names of those that are no GGUF.
MATRIX = "imatrix"
_OLDER_MATRIX = re.compile(r"(?:.*[^a-z])?imatrix[^/]*\Z|.*\.imatrix\Z", re.IGNORECASE)
_SHARD = re.compile(r"(?P<name>.+)-(?P<number>[0-9]{5})-of-(?P<count>[0-9]{5})\.gguf\Z")
_GENERAL_TYPE = KeyTextTransform("general.type", KeyTransform("metadata", "data"))


@dataclass(frozen=True, slots=True)
class Gguf:
    """One model: its shards in order, and why it cannot be quantized, if it cannot."""

    shards: tuple[Entry, ...]
    architecture: str
    file_type: str
    weights: int
    problem: str
    is_matrix: bool = False

    @property
    def files(self) -> tuple[Entry, ...]:
        """What is read of it: everything."""
        return self.shards

    @property
    def path(self) -> str:
        """The file, or the first of the shards."""
        return self.shards[0].path

    @property
    def size(self) -> int:
        return sum(shard.size for shard in self.shards)

    @property
    def bits(self) -> float:
        """Bits for each weight, headers and all; 0 where the weights were not counted."""
        return 8 * self.size / self.weights if self.weights else 0.0

    @property
    def stem(self) -> str:
        """What the files made of this one begin with: its name without the type that its own weights have."""
        name = self.path.rpartition("/")[2]
        shard = _SHARD.match(name)
        return stem_of(shard["name"] if shard else name[: -len(".gguf")])


def models_in(repo: Repo, tree: str) -> list[Gguf]:
    """Return the models in GGUF below a root tree, by path; asks no gate."""
    return [found for found in _all_in(files(repo, tree)) if not found.is_matrix]


def models_and_matrices(entries: Sequence[Entry]) -> tuple[list[Gguf], list[Entry]]:
    """Return models, and files that are importance matrices by their content or else by their name, by path."""
    found = _all_in(entries)
    matrices = [model.shards[0] for model in found if model.is_matrix]
    older = [
        entry
        for entry in entries
        if _OLDER_MATRIX.match(entry.name) and not entry.name.endswith((".gguf", ".md", ".txt", ".json"))
    ]
    by_path = sorted([*matrices, *older], key=lambda entry: entry.path)
    return [model for model in found if not model.is_matrix], by_path


def headers_of(models: Sequence[Gguf]) -> list[dict[str, Any]]:
    """Return the metadata of each model's first file, empty where it was not read; one query."""
    heads = [model.shards[0] for model in models]
    proven = [entry.sha256 for entry in heads if entry.state == RepoBlob.State.PROVEN]
    told = dict(
        Inspection.objects.filter(sha256__in=proven, format="gguf").values_list("sha256", "data__metadata")
    )
    return [told.get(entry.sha256) or {} for entry in heads]


def need_of(model: Gguf, header: Mapping[str, Any], context: int) -> Need | None:
    """Return what memory a model takes with a context, None where its header does not tell."""
    shape = memory.shape_of(header)
    return memory.need(shape, model.size, context) if shape else None


def needs_of(models: Sequence[Gguf], context: int) -> list[Need | None]:
    """Return what memory each model takes with a context, None where its header does not tell; one query."""
    headers = headers_of(models)
    return [need_of(model, header, context) for model, header in zip(models, headers, strict=True)]


def _all_in(entries: Iterable[Entry]) -> list[Gguf]:
    large = [entry for entry in entries if entry.is_large and entry.path.endswith(".gguf")]
    # Only who holds the bytes may learn what was read in them; naming their hash is not holding them.
    proven = [entry.sha256 for entry in large if entry.state == RepoBlob.State.PROVEN]
    read = Inspection.objects.filter(sha256__in=proven).defer("data").annotate(general_type=_GENERAL_TYPE)
    found = {row.sha256: row for row in read}
    matrices = {row.sha256 for row in read if row.general_type == MATRIX}
    sets: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in large:
        shard = _SHARD.match(entry.path)
        sets[(shard["name"], int(shard["count"])) if shard else (entry.path, 1)].append(entry)
    return [_model(shards, count, found, matrices) for (_, count), shards in sorted(sets.items())]


def _model(shards: Sequence[Entry], count: int, found: Mapping[str, Inspection], matrices: set[str]) -> Gguf:
    ordered = tuple(sorted(shards, key=lambda entry: entry.path))
    read = [found[entry.sha256] for entry in ordered if entry.sha256 in found]
    summaries: list[dict[str, Any]] = [row.summary for row in read if isinstance(row.summary, dict)]
    first = summaries[0] if summaries else {}
    architecture = str(first.get("architecture") or "")
    counts: Counter[str] = Counter()
    for summary in summaries:
        counts.update(summary.get("parameters") or {})
    return Gguf(
        shards=ordered, architecture=architecture,
        # Converters may leave the type out; then it is what most weights are.
        file_type=str(first.get("file_type") or max(counts, key=counts.__getitem__, default="")),
        weights=sum(int(summary.get("total") or 0) for summary in summaries),
        problem=_problem(ordered, count, read, architecture, set(counts)),
        is_matrix=ordered[0].sha256 in matrices,
    )  # fmt: skip


def _problem(
    shards: Sequence[Entry], count: int, read: Sequence[Inspection], architecture: str, kinds: set[str]
) -> str:
    """Say why a model cannot be quantized; "" where it can."""
    if len(shards) != count:
        return f"{len(shards)} of its {count} shards are here"
    if any(entry.state != RepoBlob.State.PROVEN for entry in shards):
        return "its bytes are not proven"
    if len(read) != count:
        return "it was not read yet; try again in a moment"
    if not all(row.ok and row.format == "gguf" for row in read):
        return "it is broken; the page of the file tells how"
    if not architecture:
        return "it names no architecture"
    if not kinds <= FLOATS:
        return f"its weights are quantized already ({', '.join(sorted(kinds - FLOATS))})"
    return ""
