"""Bytes in, chunk by chunk.  Beside `pushes` and `pulls`, one of the files that move bytes for a user.

A repo comes by a file when a shard says how its chunks make it, every claim of the shard was checked against what
is stored here, and a worker has hashed the outcome.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction

from hub.catalog import holdings, jobs, xet_tokens
from hub.catalog.delivery import trouble_of
from hub.catalog.errors import BadRequest
from hub.catalog.models import Job
from hub.catalog.waiting import release_connection
from hub.catalog.xet_tokens import Caller
from storage import dedup, registering, xorbs
from storage.errors import StorageError
from storage.models import Recipe
from storage.xet.errors import XetError

BEAT_SECONDS = 10.0
# A client that is answered nothing for long is told to come again; the work goes on meanwhile.
PATIENCE_SECONDS = 1800.0


def keep_xorb(caller: Caller, name: str, file: IO[bytes], length: int) -> bool:
    """Verify and keep the xorb in a file of its own; returns whether the caller's domain gained it.

    Raises BadRequest, StoreTrouble.
    """
    try:
        kept = xorbs.keep(name, file, length, domain=caller.domain)
    except XetError as error:
        raise BadRequest(str(error)) from error
    except StorageError as error:
        raise trouble_of(error) from error
    if kept.healed:
        holdings.reconcile([blob.pk for blob in kept.healed])
    return kept.gained


def known_chunk(caller: Caller, chunk: str) -> bytes | None:
    """Return a shard that says where the caller's domain holds a chunk, or None."""
    return dedup.answer(chunk, domain=caller.domain) if xet_tokens.may_know(caller) else None


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of a shard: how many files it has, and the job that proves those that are new, if any are."""

    files: int
    job: UUID | None


def register(caller: Caller, data: bytes) -> Registration:
    """Check a shard; files that are known by now are the repo's at once, others when they are proven.

    Raises BadRequest and then changes nothing.
    """
    try:
        shard = registering.parse(data, max_bytes=settings.HUB_MAX_FILE_BYTES)
        verified = registering.Verified(shard, caller.domain)
        for _ in verified.steps():
            pass
        found = registering.record(verified, owner=str(caller.repo.pk))
    except XetError as error:
        raise BadRequest(str(error)) from error
    except StorageError as error:
        raise trouble_of(error) from error
    fresh = [recipe for recipe in found if recipe.state == Recipe.State.PROVING]
    with transaction.atomic():
        if known := [recipe for recipe in found if recipe.state == Recipe.State.PROVEN]:
            holdings.claim(caller.repo, [recipe.form.blob for recipe in known], by=caller.viewer.user)
            dedup.learn(known, caller.domain)
        job = _ask(caller, fresh, hashlib.sha256(data).hexdigest()) if fresh else None
    return Registration(len(found), job.pk if job else None)


def _ask(caller: Caller, fresh: list[Recipe], digest: str) -> Job:
    user = caller.viewer.user
    return jobs.ask(
        kind=holdings.PROVE_CHUNKS, subject=f"{caller.repo.pk}:{digest}", repo=caller.repo,
        payload={
            "recipes": [recipe.pk for recipe in fresh], "domain": caller.domain, "user": user.pk if user else None,
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beat:
    """How far the proof of a shard is: a share from 0 to 1 while it goes on, then its end."""

    share: float = 0.0
    ended: bool = False
    problem: str = ""
    again: bool = False


def await_proof(job: UUID | None) -> Iterator[Beat]:
    """Yield how far a proof is, at least every ten seconds, until it has ended.

    Neither lock nor connection is held meanwhile.
    """
    if job is None:
        yield Beat(1.0, ended=True)
        return
    yield Beat()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        _wait_for_notice(job)
        beat = _look(job)
        yield beat
        if beat.ended:
            return
    yield Beat(ended=True, problem="The files are still being proven; try again later.", again=True)


def _wait_for_notice(job: UUID) -> None:
    release_connection()
    until, pause = time.monotonic() + BEAT_SECONDS, 0.01
    while (left := until - time.monotonic()) > 0:
        try:
            if jobs.has_notice([job]):
                return
        except redis.RedisError:
            # Without notices the job's own row tells, only later.
            pause = 1.0
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.25)


def _look(job: UUID) -> Beat:
    row = Job.objects.filter(pk=job).first()
    release_connection()
    if row is None:
        return Beat(ended=True, problem="The repository is gone.")
    if row.state == Job.State.DONE:
        problems = row.result.get("problems", [])
        return Beat(1.0, ended=True, problem=" ".join(problems[:5]))
    if row.state == Job.State.FAILED:
        return Beat(ended=True, problem=f"The files could not be proven: {row.error[:500]}")
    return Beat(row.progress)
