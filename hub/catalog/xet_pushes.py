"""Bytes in, chunk by chunk.  Beside `pushes` and `pulls`, one of the files that move bytes for a user.

A repo comes by a file when a shard says how its chunks make it, every claim of the shard was checked against what
is stored here, and a worker has hashed the outcome.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction

from hub.accounts.models import Namespace
from hub.catalog import access, holdings, jobs, quotas, xet_tokens
from hub.catalog.delivery import trouble_of
from hub.catalog.errors import BadRequest, TooManyAtOnce
from hub.catalog.models import Job
from hub.catalog.turns import Seats, Turns
from hub.catalog.waiting import release_connection
from hub.catalog.xet_tokens import Caller
from storage import dedup, recording, registering, xorbs
from storage.errors import StorageError
from storage.models import Recipe
from storage.xet.errors import XetError

BEAT_SECONDS = 10.0
# A client that is answered nothing for long is told to come again; the work goes on meanwhile.
PATIENCE_SECONDS = 1800.0
# Whoever waits holds a thread of the process; half of those that the bytes group has are left to others.
_WAITING = Seats(total=16, each=8)
# A shard is in memory while it is checked; so many are at once in a process, and others wait for so long.
_CHECKING = Turns(at_once=2, waiting_each=4)
CHECK_PATIENCE = 30.0
# One failed run may be the store's or the database's trouble and is waited over; who has seen more comes again.
PASSING_FAILURES = 2
# So many shards of one user may wait for their proof, of together no more bytes than the largest file has.
MOST_OPEN = 16


def require_room(caller: Caller, length: int) -> None:
    """Raise OverQuota where the chunks of a xorb have no room.

    They count for the namespace whose domain they go to; those of a narrowed token for the repo's, where its user
    belongs there, and else for the user's own.
    """
    space = caller.repo.namespace
    if caller.domain != str(space.pk) and not access.rights_of(caller.viewer, caller.repo).is_member:
        space = Namespace.objects.get(user=caller.viewer.user)
    quotas.require_chunks(space, caller.domain, length)


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


class Registration:
    """A shard on its way: read, checked step by step, written down.  `close` it whatever happens."""

    def __init__(self, caller: Caller, body: IO[bytes]) -> None:
        """Read a shard and bound what it asks for; raises BadRequest, TooManyAtOnce, StoreTrouble."""
        release_connection()
        self.caller = caller
        self._slot = ExitStack()
        self._slot.enter_context(_CHECKING.turn(_whose(caller), patience=CHECK_PATIENCE))
        try:
            with _in_words():
                shard = registering.parse(body.read(), max_bytes=settings.HUB_MAX_FILE_BYTES)
            _require_turn(caller, sum(map(registering.size_of, shard.files)))
            # The chunks were counted as they came; now the files count in their place.
            sizes = {file.sha256: registering.size_of(file) for file in shard.files if file.sha256}
            quotas.require_room(caller.repo.namespace, sizes, with_loose=False)
            quotas.require_guest(caller.viewer, caller.repo, sizes)
            self._verified = registering.Verified(shard, caller.domain)
        except BaseException:
            self._slot.close()
            raise
        self.files = len(shard.files)
        self._steps = self._verified.steps()
        # Whether all is written down, and the job that then proves those files that are new, if any are.
        self.recorded = False
        self.job: UUID | None = None

    def go_on(self, seconds: float) -> bool:
        """Check for about so long, and write the files down once all is checked; returns whether that is done.

        Files that are known by now are the repo's at once, others when they are proven.  Raises BadRequest and
        then has changed nothing; also StoreTrouble.
        """
        if self.recorded:
            return True
        until = time.monotonic() + seconds
        with _in_words():
            for _ in self._steps:
                if time.monotonic() > until:
                    release_connection()
                    return False
            found = recording.record(self._verified, owner=str(self.caller.repo.pk))
        self.job, self.recorded = _taken_over(self.caller, found), True
        self.close()
        return True

    def close(self) -> None:
        """Let go of the shard."""
        self._steps.close()
        self._verified.forget()
        self._slot.close()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except XetError as error:
        raise BadRequest(str(error)) from error
    except StorageError as error:
        raise trouble_of(error) from error


def _whose(caller: Caller) -> int | None:
    return caller.viewer.user.pk if caller.viewer.user else None


def _require_turn(caller: Caller, size: int) -> None:
    """Raise TooManyAtOnce where the caller's user has shards enough, or bytes enough, waiting for their proof."""
    mine = Job.objects.filter(
        kind=holdings.PROVE_CHUNKS, state__in=jobs.OPEN, payload__user=_whose(caller)
    ).values_list("payload__bytes", flat=True)
    waiting = [int(held or 0) for held in mine]
    if len(waiting) >= MOST_OPEN or (waiting and sum(waiting) + size > settings.HUB_MAX_FILE_BYTES):
        raise TooManyAtOnce(
            f"{len(waiting)} of your uploads are being proven, {sum(waiting)} bytes in all; try again when one is done."
        )


def _taken_over(caller: Caller, found: list[Recipe]) -> UUID | None:
    """Give the repo those files that are proven, and ask for the proof of the others."""
    fresh = [recipe for recipe in found if recipe.state == Recipe.State.PROVING]
    known = [recipe for recipe in found if recipe.state == Recipe.State.PROVEN]
    with transaction.atomic():
        # A job's row is locked before claims, as by the run that ends it.
        job = _ask(caller, fresh) if fresh else None
        if known:
            holdings.claim(caller.repo, [recipe.form.blob for recipe in known], by=caller.viewer.user)
            dedup.learn(known, caller.domain)
    return job.pk if job else None


def _ask(caller: Caller, fresh: list[Recipe]) -> Job:
    pks = sorted(recipe.pk for recipe in fresh)
    # Who asks for the proof of the very same recipes waits for the same job, and nobody else does.
    subject = hashlib.sha256(repr(pks).encode()).hexdigest()
    return jobs.ask(
        kind=holdings.PROVE_CHUNKS, subject=f"{caller.repo.pk}:{subject}", repo=caller.repo,
        payload={
            "recipes": pks, "domain": caller.domain, "user": _whose(caller),
            "bytes": sum(recipe.size for recipe in fresh),
        },
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beat:
    """How far the proof of a shard is: a share from 0 to 1 while it goes on, then its end."""

    share: float = 0.0
    ended: bool = False
    problem: str = ""
    again: bool = False


def await_proof(job: UUID | None, *, by: Caller) -> Iterator[Beat]:
    """Yield how far a proof is, at least every ten seconds, until it has ended.

    Neither lock nor connection is held meanwhile.
    """
    if job is None:
        yield Beat(1.0, ended=True)
    elif not _WAITING.take(_whose(by)):
        yield Beat(
            ended=True, problem="Too many uploads are waited for; they are proven meanwhile.", again=True
        )
    else:
        try:
            yield from _beats(job)
        finally:
            _WAITING.leave(_whose(by))


def _beats(job: UUID) -> Iterator[Beat]:
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
        return Beat(1.0, ended=True, problem=" ".join(problems[:5]), again=row.result.get("again", False))
    if row.state == Job.State.FAILED:
        return Beat(ended=True, problem=f"The files could not be proven: {row.error[:500]}")
    if row.state == Job.State.WAITING and row.failures >= PASSING_FAILURES:
        return Beat(
            ended=True, problem="The files could not be proven yet; that is tried again soon.", again=True
        )
    return Beat(row.progress)
