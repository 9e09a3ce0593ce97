"""What quantizations can be made from: models in GGUF, the checkpoint of a commit, and importance matrices."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from hub.catalog.checkpoints import Checkpoint, checkpoint_in, look_again
from hub.catalog.errors import BadRequest, NoRoom
from hub.catalog.ggufnames import TYPES_BY_MATRIX
from hub.catalog.ggufs import MATRIX, TOWER, Gguf, models_and_matrices
from hub.catalog.models import Inspection, RepoBlob
from hub.catalog.revisions import Located
from hub.catalog.trees import Entry, files

Source = Gguf | Checkpoint
# Where an inspection writes what each type of each model in GGUF would take.
SIZES = "sizes"
MAX_MATRIX_BYTES = 4 * 10**9
_BYTES = {"F32": 4.0, "F16": 2.0, "BF16": 2.0}
# No other type takes more than Q8_0 does: 34 bytes for 32 weights.
_MOST_BYTES = 34 / 32
# How weights are called that are pickles.
_PICKLE = re.compile(r"(?:^pytorch_model[^/]*\.bin|\.pt|\.pth|\.ckpt|\.pkl)\Z")
# What an importance matrix in GGUF holds for each tensor.
_SUMS = ".in_sum2"


@dataclass(frozen=True, slots=True)
class Sources:
    """All that a commit offers."""

    checkpoint: Checkpoint | None
    models: list[Gguf]
    matrices: list[Entry]
    has_pickles: bool = False

    @property
    def fit(self) -> list[Source]:
        """What can be quantized, the checkpoint first."""
        found: list[Source] = [self.checkpoint] if self.checkpoint is not None else []
        return [one for one in (*found, *self.models) if not one.problem and one.architecture != TOWER]


def sources_in(at: Located) -> Sources:
    """Return what a commit offers; asks no gate."""
    entries = list(files(at.repo, at.tree))
    models, matrices = models_and_matrices(entries)
    pickled = any(entry.is_large and _PICKLE.search(entry.name) for entry in entries)
    return Sources(checkpoint_in(at, entries), models, matrices, pickled)


def choose(at: Located, source: str = "") -> Source:
    """Return what is to be quantized: what lies at a path, or the only one that can be; raises BadRequest."""
    found = sources_in(at)
    if source:
        return _named(found, source)
    fit = found.fit
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise BadRequest(f"source: name one of {', '.join(one.path for one in fit[:20])}.")
    if found.checkpoint is not None:
        raise BadRequest(f"source: the checkpoint cannot be quantized: {found.checkpoint.problem}.")
    faults = "; ".join(f"{model.path}: {model.problem}" for model in found.models[:5] if model.problem)
    raise BadRequest(
        "There is no GGUF file of F32, F16 or BF16 weights here to quantize, and no config.json with"
        " model*.safetensors." + (f" {faults}." if faults else "")
    )


def _named(found: Sources, source: str) -> Source:
    all_of: list[Source] = [*found.models]
    if found.checkpoint is not None:
        all_of.append(found.checkpoint)
    one = next((one for one in all_of if source in [file.path for file in one.files]), None)
    if one is None:
        raise BadRequest(
            f"source: {source[:200]!r} is no GGUF file at this commit, and not config.json of a checkpoint."
        )
    if one.problem:
        raise BadRequest(f"source: {one.path} cannot be quantized: {one.problem}.")
    return one


def choose_matrix(at: Located, source: Source, path: str, types: Sequence[str]) -> Entry | None:
    """Return the importance matrix at a path, None where none is asked for; raises BadRequest.

    Whether its entries fit is told here where inspections know it, and else as soon as the work begins.
    """
    if not path:
        alone = next((name for name in types if name in TYPES_BY_MATRIX), None)
        if alone is not None:
            raise BadRequest(f"types: {alone} is made with an importance matrix only; name one with imatrix.")
        return None
    entry = next((entry for entry in files(at.repo, at.tree) if entry.path == path), None)
    if entry is None:
        raise BadRequest(f"imatrix: there is no file {path[:200]!r} at this commit.")
    if entry.size > MAX_MATRIX_BYTES:
        raise BadRequest(f"imatrix: {path} has {entry.size} bytes; the limit is {MAX_MATRIX_BYTES}.")
    if entry.is_large:
        _require_sound(entry)
        _require_kin(entry, source)
    return entry


def _require_sound(entry: Entry) -> None:
    if entry.state != RepoBlob.State.PROVEN:
        raise BadRequest(f"imatrix: the bytes of {entry.path} are not proven.")
    read = Inspection.objects.filter(sha256=entry.sha256, format="gguf").first()
    if read is None:
        return
    if not read.ok:
        raise BadRequest(f"imatrix: {entry.path} is broken; the page of the file tells how.")
    if read.data["metadata"].get("general.type") != MATRIX:
        raise BadRequest(f"imatrix: {entry.path} is a GGUF file, but no importance matrix.")


def _require_kin(entry: Entry, source: Source) -> None:
    """Refuse a matrix none of whose entries is for a tensor of the model, where both were read in full."""
    if isinstance(source, Checkpoint):
        return
    theirs = {name.removesuffix(_SUMS) for name in _tensors([entry]) if name.endswith(_SUMS)}
    if theirs and theirs.isdisjoint(_tensors(source.shards)):
        raise BadRequest(
            f"imatrix: no entry of {entry.path} is for a tensor of {source.path}; it was made for another model."
        )


def _tensors(entries: Sequence[Entry]) -> set[str]:
    rows = Inspection.objects.filter(sha256__in=[entry.sha256 for entry in entries])
    return {tensor[0] for row in rows for tensor in row.data["tensors"]}


def sizes_of(at: Located, source: Source) -> Mapping[str, int]:
    """Return about how many bytes a file of each type takes, as the mix goes; nothing of types that cannot be made.

    Where nobody has reckoned yet, it is empty, and the commit is inspected again.
    """
    facts = at.facts
    told: Mapping[str, Mapping[str, int]] | None = facts.get(SIZES)
    sizes = source.sizes if isinstance(source, Checkpoint) else (told or {}).get(source.path)
    if sizes is None and facts and told is None:
        look_again(at.repo, at.commit)
    return sizes or {}


def outcome_size(source: Source, types: Sequence[str]) -> int:
    """Return about how many bytes the largest of these types takes."""
    return int(source.weights * max(_BYTES.get(name, _MOST_BYTES) for name in types))


def outcome_sizes(source: Source, types: Sequence[str]) -> int:
    """Return about how many bytes all of these types take together."""
    return sum(outcome_size(source, [name]) for name in types)


def room_for(source: Source, types: Sequence[str], matrix: Entry | None = None) -> int:
    """Return about how many bytes of disk a conversion takes at once.

    First a checkpoint beside the GGUF file that is made of it; then that file, or the source, and its largest outcome.
    """
    outcome = outcome_size(source, types)
    beside = matrix.size if matrix is not None else 0
    if isinstance(source, Checkpoint):
        return max(source.size, outcome) + source.base_size + beside
    return source.size + outcome + beside


def require_disk(source: Source, types: Sequence[str], matrix: Entry | None = None) -> None:
    """Raise NoRoom where the hub's disk has not enough for a conversion."""
    folder = settings.HUB_DATA.absolute()
    # The worker makes the folder when it first needs it.
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    needed = room_for(source, types, matrix) + settings.HUB_CONVERT_DISK
    if free < needed:
        raise NoRoom(
            f"This conversion needs {needed / 1e9:.1f} GB of free disk on the hub, which has {free / 1e9:.1f} GB."
            " Ask for smaller types, or its administrator for room."
        )
