"""What all types of one run are made from: files of the source brought to the disk, a checkpoint converted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.catalog.checkpoints import Checkpoint, is_weights
from hub.catalog.conversions import Wish
from hub.catalog.lookups import Located
from hub.catalog.models import Job
from hub.catalog.sources import Source
from hub.catalog.trees import Entry
from storage.models import Upload
from workers import inputs
from workers.convert import Progress, convert_checkpoint
from workers.meter import Meter
from workers.quantizing.model import open_model


@dataclass
class Task:
    """One run: what is wanted, of which model, how far it is, and what has been read and made."""

    job: Job
    wish: Wish
    at: Located
    source: Source
    matrix: Entry | None
    folder: Path
    meter: Meter
    files: list[inputs.Input] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # What running the base showed, once it was run.
    base_perplexity: float | None = None


@dataclass(frozen=True, slots=True)
class Base:
    """The GGUF file that all types are made from, its size in bytes, its tensors, and whether its header has a name."""

    path: Path
    size: int
    tensors: int
    named: bool


def fetch_matrix(task: Task) -> Path | None:
    """Bring the importance matrix to the disk, if there is one."""
    if task.matrix is None:
        return None
    path = task.folder / "matrix" / task.matrix.name
    task.files.append(inputs.fetch(task.at.repo, task.matrix, path, task.meter))
    return path


def fetch_base(task: Task) -> Base:
    """Bring what all types are made from to the disk."""
    if isinstance(task.source, Checkpoint):
        path = _converted(task, task.source)
    else:
        folder = task.folder / "in"
        for shard in task.source.shards:
            task.files.append(inputs.fetch(task.at.repo, shard, folder / shard.name, task.meter))
        path = folder / task.source.shards[0].name
    with open_model(path) as model:
        size = sum(file.stat().st_size for file in model.paths)
        return Base(path, size, len(model.tensors), bool(model.value("general.name")))


def _converted(task: Task, source: Checkpoint) -> Path:
    """Make the GGUF file of a checkpoint, and give the room of the checkpoint's weights back."""
    # The folder's name is something that converting reads.
    folder, outputs = task.folder / "in" / task.at.repo.name, task.folder / "base"
    for entry in source.files:
        task.files.append(inputs.fetch(task.at.repo, entry, folder / entry.path, task.meter))
    outputs.mkdir()
    outcome = convert_checkpoint(
        folder, outputs / "model.gguf", source.base_type, progress=_watcher(task, source)
    )
    task.meter.end(source.base_size)
    for name, count in outcome.overflows.items():
        task.warnings.append(f"{name}: {count} weights are beyond {outcome.type} and became infinite")
    for entry in source.files:
        if is_weights(entry):
            (folder / entry.path).unlink()
    return outcome.files[0].path


def _watcher(task: Task, source: Checkpoint) -> Callable[[Progress], None]:
    seen: set[str] = set()

    def watch(progress: Progress) -> None:
        seen.add(progress.tensor)
        task.meter.tell(
            progress.done, f"converting to {source.base_type}: tensor {len(seen)}", tensor=len(seen)
        )

    return watch
