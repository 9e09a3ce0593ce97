"""Quantizing a model of the hub: fetch its proven bytes, make each type, store and hash what came out, commit all.

Until the last transaction nothing is to be seen of it.  A run that is killed leaves a folder, which the next one
sweeps, and uploads, which the next one finds again: the same source gives the same bytes.
"""

import random
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from hub.catalog import access, conversions, jobs, landing
from hub.catalog.commits import Message
from hub.catalog.conversions import Wish
from hub.catalog.errors import BeingProven, CatalogError, StoreTrouble
from hub.catalog.ggufs import Gguf
from hub.catalog.jobs import LeaseLost
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Job
from hub.catalog.repos import public_url
from storage import downloads, making, settling
from storage.digests import StreamHasher
from storage.errors import ChunksDamaged, ObjectMissing, StoreUnavailable
from storage.models import Upload
from workers import provenance, scratch
from workers.errors import Refused
from workers.quantize import Progress, QuantizeError, WrittenFile, quantize_file
from workers.quantizing.model import open_model

REPORT_SECONDS = 1.0
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


@dataclass
class Task:
    """One run: what is wanted, of which model, and how far it is."""

    job: Job
    wish: Wish
    at: Located
    model: Gguf
    folder: Path
    meter: "Meter"
    uploads: dict[str, Upload] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)


def _work(job: Job, folder: Path) -> None:
    try:
        task = _begin(job, folder)
        source = _fetch(task)
        for name in task.wish.types:
            _make(task, source, name)
        _land(task)
    except QuantizeError as error:
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
    model = conversions.choose(at, wish.path)
    # Each type is made from the whole source, sent, and read back.
    once = model.size + 2 * (conversions.room_for(model, wish.types) - model.size)
    return Task(job, wish, at, model, folder, Meter(job, model.size + once * len(wish.types)))


class Meter:
    """Reports bytes done of all bytes to be read, made, sent and hashed; raises LeaseLost when the job was taken."""

    def __init__(self, job: Job, total: int) -> None:
        self.job, self.total, self.before = job, max(total, 1), 0
        self.began, self.next = time.monotonic(), 0.0

    def tell(self, done: int, step: str, **more: Any) -> None:
        """Show the bytes done of what is done now, at most once a second."""
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + REPORT_SECONDS
        share = min((self.before + done) / self.total, 1.0)
        left = (now - self.began) * (1 - share) / share if share else None
        detail = {"bytes": min(self.before + done, self.total), "of": self.total, **more}
        detail["secondsLeft"] = None if left is None else round(left)
        jobs.report(self.job, progress=share, step=step, detail=detail)

    def end(self, size: int) -> None:
        """So many bytes are done for good."""
        self.before += size


def _fetch(task: Task) -> Path:
    """Copy the shards to the disk and check their hashes; returns the first one's path."""
    inputs = task.folder / "in"
    inputs.mkdir()
    for shard in task.model.shards:
        path, found = inputs / shard.name, StreamHasher()
        try:
            with (
                closing(downloads.open_range(shard.sha256, 0, shard.size)) as content,
                path.open("wb") as file,
            ):
                for piece in content:
                    file.write(piece)
                    found.update(piece)
                    task.meter.tell(file.tell(), f"reading {shard.name}")
        except ChunksDamaged:
            # Somebody looks at that xorb now; the next run sees what is left.
            raise
        except ObjectMissing as error:
            raise Refused(f"{shard.path}: {error}") from error
        if found.digest() != shard.sha256:
            raise StoreUnavailable(f"{shard.path} did not read as what it is.")
        task.meter.end(shard.size)
    return inputs / task.model.shards[0].name


def _make(task: Task, source: Path, name: str) -> None:
    """Make one type, store it, and hash what is stored."""
    outputs, begun = task.folder / "out", timezone.now()
    outputs.mkdir(exist_ok=True)
    target = outputs / f"{task.model.stem}-{name}.gguf"
    outcome = quantize_file(source, target, name, progress=_watcher(task, source, name))
    task.meter.end(task.model.size)
    for file in outcome.files:
        task.uploads[file.path.name] = _stored(task, file, name)
        file.path.unlink()
    making.touch(owner_of(task.job))
    shards = tuple((shard.path, shard.sha256, shard.size) for shard in task.model.shards)
    origin = provenance.Source(
        public_url(task.at.repo.full_name), task.wish.commit, shards, task.model.weights
    )
    task.statements.append(
        provenance.statement(
            outcome.files, type_=name, source=origin, builder=public_url(""), run=str(task.job.pk), begun=begun,
            ended=timezone.now(),
        )
    )  # fmt: skip


def _watcher(task: Task, source: Path, name: str) -> Any:
    with open_model(source) as model:
        count = len(model.tensors)
    seen: set[str] = set()

    def watch(progress: Progress) -> None:
        seen.add(progress.tensor)
        text = f"{name}: tensor {len(seen)} of {count}"
        task.meter.tell(progress.done, text, type=name, tensor=len(seen), tensors=count)

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
        f"Quantize {task.model.stem} to {_listed(wish.types)}",
        f"From {task.model.path} of {task.at.repo.full_name} at commit {wish.commit}.",
    )
    made = landing.Made(task.uploads, task.statements)
    with jobs.finishing(task.job, result):
        landed = landing.land(wish.viewer(), task.at, target=wish.target, made=made, message=message)
        result |= {"repository": landed.repo.full_name, "commit": landed.commit.oid, "files": _files(task)}


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _files(task: Task) -> list[dict[str, Any]]:
    return [
        {"path": path, "sha256": upload.sha256, "size": upload.size} for path, upload in task.uploads.items()
    ]
