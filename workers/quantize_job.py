"""Quantizing a model of the hub: fetch its proven bytes, make each type, store and hash what came out, commit all.

A checkpoint becomes one GGUF file first, of which all types are made.  Until the last transaction nothing is to be seen
of it.  A run that is killed leaves a folder, which the next one sweeps, and uploads, which the next one finds: the
same source gives the same bytes.
"""

import random
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from hub.catalog import access, conversions, jobs, landing, sources
from hub.catalog.checkpoints import Checkpoint
from hub.catalog.commits import Message
from hub.catalog.conversions import Wish
from hub.catalog.errors import BeingProven, CatalogError, StoreTrouble
from hub.catalog.ggufnames import file_name
from hub.catalog.jobs import LeaseLost
from hub.catalog.lookups import locate_in
from hub.catalog.models import Job
from hub.catalog.repos import public_url
from hub.catalog.sources import Source
from hub.catalog.trees import Entry
from storage import making, settling
from storage.errors import StoreUnavailable
from storage.models import Upload
from workers import evaluations, headers, provenance, scratch
from workers.bases import Base, Task, fetch_base, fetch_matrix
from workers.convert import ConvertError
from workers.errors import Refused
from workers.meter import Meter
from workers.quantize import Options, Outcome, Progress, QuantizeError, WrittenFile, quantize_file

# One conversion at a time leaves the other workers to proofs, for which people wait.
TURN_SECONDS = 10.0


def owner_of(job: Job) -> str:
    """Return the sender of a job's uploads.  Uploads of a repo begin with its id; these belong to none yet."""
    return f"{UUID(int=0)}:{conversions.KIND}:{job.pk}"


def quantize(job: Job) -> None:
    """Do what the payload asks for.  What can never succeed is refused, and leaves nothing."""
    if _must_wait(job):
        pause = TURN_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311 - so that two do not wait in step
        jobs.postpone(job, seconds=pause, step="waiting for another conversion")
        return
    scratch.sweep()
    try:
        with scratch.folder(str(job.pk)) as folder:
            _work(job, folder)
    except (LeaseLost, Refused):
        if not Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, run__gt=job.run).exists():
            making.give_up(owner_of(job))
        raise


def _must_wait(job: Job) -> bool:
    others = Job.objects.filter(kind=job.kind, state=Job.State.RUNNING, lease_until__gt=timezone.now())
    return others.exclude(pk=job.pk).exists()


def _work(job: Job, folder: Path) -> None:
    try:
        task = _begin(job, folder)
        matrix = fetch_matrix(task)
        base = fetch_base(task)
        for name in task.wish.types:
            _make(task, base, matrix, name)
        _land(task)
    except (QuantizeError, ConvertError) as error:
        # Where the files lay is nobody's business.
        raise Refused(str(error).replace(f"{folder}/", "")) from error
    except (StoreTrouble, BeingProven):
        raise
    except CatalogError as error:
        raise Refused(str(error)) from error


def _begin(job: Job, folder: Path) -> Task:
    if job.repo is None:
        raise Refused("The repository is gone.")
    wish = Wish.of(job)
    access.require_convert(wish.viewer(), job.repo)
    at = locate_in(job.repo, wish.commit)
    source = sources.choose(at, wish.path)
    matrix = sources.choose_matrix(at, source, wish.imatrix, wish.types)
    conversions.require_room(job.repo, source, wish.types, matrix)
    return Task(job, wish, at, source, matrix, folder, Meter(job, _bytes_to_do(source, wish, matrix)))


def _bytes_to_do(source: Source, wish: Wish, matrix: Entry | None) -> int:
    """Everything is read; a checkpoint is converted; each type is made from the whole, sent, and read back."""
    base = source.base_size if isinstance(source, Checkpoint) else source.size
    read = source.size + (matrix.size if matrix is not None else 0)
    once = base + 2 * sources.outcome_size(source, wish.types)
    converted = base if isinstance(source, Checkpoint) else 0
    return read + converted + (once + evaluations.bytes_to_do(wish, base)) * len(wish.types)


def _make(task: Task, base: Base, matrix: Path | None, name: str) -> None:
    """Make one type, store it, and hash what is stored."""
    outputs, begun = task.folder / "out", timezone.now()
    outputs.mkdir(exist_ok=True)
    target, metadata = file_name(task.source.stem, name), _header(task, base)
    options = Options(
        imatrix=None if matrix is None else str(matrix), imatrix_label=task.wish.imatrix or None,
        measure=True, metadata=metadata,
    )  # fmt: skip
    outcome = quantize_file(
        base.path, outputs / target, name, options=options, progress=_watcher(task, base, name)
    )
    task.meter.end(base.size)
    for file in outcome.files:
        task.uploads[file.path.name] = _stored(task, file, name)
    evaluation = evaluations.evaluate(task, base, outcome.files[0].path, name)
    made = provenance.Made(name, target, outcome.files, metadata, outcome.error, _errors(outcome), evaluation)
    making.touch(owner_of(task.job))
    task.statements.append(_statement(task, made, begun))
    shutil.rmtree(outputs)


def _header(task: Task, base: Base) -> dict[str, Any]:
    repo = task.at.repo
    return headers.header(
        repository=repo.full_name, address=public_url(repo.full_name), commit=task.wish.commit, path=task.source.path,
        card=task.at.card, named=base.named,
    )  # fmt: skip


def _errors(outcome: Outcome) -> dict[str, float]:
    return {tensor.name: tensor.error for tensor in outcome.tensors if tensor.error}


def _statement(task: Task, made: provenance.Made, begun: datetime) -> dict[str, Any]:
    source, is_checkpoint = task.source, isinstance(task.source, Checkpoint)
    origin = provenance.Source(
        address=public_url(task.at.repo.full_name), commit=task.wish.commit, path=source.path,
        files=tuple((file.path, file.sha256, file.size) for file in task.files), weights=source.weights,
        folder=task.at.repo.name if is_checkpoint else "",
        base=source.base_type if isinstance(source, Checkpoint) else "", imatrix=task.wish.imatrix,
    )  # fmt: skip
    return provenance.statement(
        made, origin, builder=public_url(""), run=str(task.job.pk), begun=begun, ended=timezone.now()
    )


def _watcher(task: Task, base: Base, name: str) -> Any:
    seen: set[str] = set()

    def watch(progress: Progress) -> None:
        seen.add(progress.tensor)
        text = f"{name}: tensor {len(seen)} of {base.tensors}"
        task.meter.tell(progress.done, text, type=name, tensor=len(seen), tensors=base.tensors)

    return watch


def _stored(task: Task, file: WrittenFile, name: str) -> Upload:
    """Send a file to the store and read it back from there."""
    tell, step = task.meter.tell, f"{name}: storing {file.path.name}"
    upload = making.store_file(
        file.path, owner=owner_of(task.job), sha256=file.sha256, size=file.size,
        progress=lambda done: tell(done, step, type=name),
    )  # fmt: skip
    task.meter.end(file.size)
    step = f"{name}: proving {file.path.name}"
    found = settling.hash_stored(upload, progress=lambda done: tell(done, step, type=name))
    if found != file.sha256:
        problem = f"The stored object has the sha256 {found}."
        with jobs.fenced(task.job):
            settling.settle_rejected(upload, problem=problem)
        raise StoreUnavailable(problem)
    task.meter.end(file.size)
    return upload


def _land(task: Task) -> None:
    wish = task.wish
    result: dict[str, Any] = {}
    message = Message(
        f"Quantize {task.source.stem} to {_listed(wish.types)}",
        f"From {task.source.path} of {task.at.repo.full_name} at commit {wish.commit}.",
    )
    made = landing.Made(task.uploads, task.statements)
    with jobs.finishing(task.job, result):
        landed = landing.land(wish.viewer(), task.at, target=wish.target, made=made, message=message)
        result |= {"repository": landed.repo.full_name, "commit": landed.commit.oid, "files": _files(task)}
        result |= {"warnings": task.warnings} if task.warnings else {}


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _files(task: Task) -> list[dict[str, Any]]:
    errors = {
        subject["name"]: quality
        for one in task.statements
        for quality in [provenance.quality_in(one)]
        for subject in one["subject"]
    }
    return [
        {"path": path, "sha256": upload.sha256, "size": upload.size, **errors[path]}
        for path, upload in task.uploads.items()
    ]
