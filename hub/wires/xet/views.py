"""What clients upload to the chunk store, and what they ask it."""

import logging
from collections.abc import Iterator
from contextlib import closing

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from hub.catalog import xet_pushes
from hub.catalog.errors import BadRequest, CatalogError, StoreTrouble
from hub.catalog.xet_pushes import BEAT_SECONDS, Beat, Registration
from hub.wires.base import json_answer, known_trouble, status_of
from hub.wires.xet.reading import announced_of, caller_of, check_hash, file_of, line, refuse

_log = logging.getLogger(__name__)

# A xorb holds 64 MiB of chunks behind 8192 headers, with at most 40 bytes for each in a footer.
MAX_XORB = 65 * 2**20
MAX_SHARD = 64 * 2**20
# A check that takes longer is answered by a stream.
ANSWER_SECONDS = 2.0
PREFIXES = ("default", "default-merkledb")


def chunk(request: HttpRequest, *, epoch: int, domain: str, prefix: str, name: str) -> HttpResponse:
    """`GET v1/chunks/{prefix}/{chunk}`: where this domain holds a chunk; 404 is the usual answer."""
    caller = caller_of(request, epoch=epoch, domain=domain)
    found = xet_pushes.known_chunk(caller, check_hash(name)) if prefix in PREFIXES else None
    if found is None:
        return HttpResponse(status=404)
    return HttpResponse(found, content_type="application/octet-stream")


def xorb(request: HttpRequest, *, epoch: int, domain: str, prefix: str, name: str) -> HttpResponse:
    """`POST v1/xorbs/{prefix}/{xorb}`: verify a xorb and keep it."""
    caller = caller_of(request, epoch=epoch, domain=domain, upload=True)
    if prefix not in PREFIXES:
        raise BadRequest(f"The prefix {prefix[:80]!r} is not known; expected 'default'.")
    check_hash(name)
    xet_pushes.require_room(caller, announced_of(request, at_most=MAX_XORB))
    with file_of(request, at_most=MAX_XORB) as (file, length):
        return json_answer({"was_inserted": xet_pushes.keep_xorb(caller, name, file, length)})


def shard(request: HttpRequest, *, epoch: int, domain: str) -> HttpResponse:
    """`POST v1/shards`: register files; the answer waits until they are proven."""
    with closing(_begun(request, epoch, domain)) as registration:
        while not registration.go_on(BEAT_SECONDS):
            pass
    for beat in xet_pushes.await_proof(registration.job, by=registration.caller):
        if beat.problem:
            return refuse(StoreTrouble(beat.problem) if beat.again else BadRequest(beat.problem))
    return json_answer({"result": 0 if registration.job is None else 1})


def shard_stream(request: HttpRequest, *, epoch: int, domain: str) -> HttpResponseBase:
    """`POST v2/shards`: the same, told line by line, so that no connection falls silent meanwhile."""
    frames = _frames(_begun(request, epoch, domain))
    # What is found out at once is answered by a status.
    next(frames)
    answer = StreamingHttpResponse(frames, content_type="application/x-ndjson")
    answer["Cache-Control"] = "no-store"
    # A proxy that gathers lines would let the client think that nothing happens.
    answer["X-Accel-Buffering"] = "no"
    return answer


def _begun(request: HttpRequest, epoch: int, domain: str) -> Registration:
    """Read a shard.  Nothing but the registration holds its bytes when this returns."""
    caller = caller_of(request, epoch=epoch, domain=domain, upload=True)
    with file_of(request, at_most=MAX_SHARD) as (body, _):
        return Registration(caller, body)


def _frames(registration: Registration) -> Iterator[bytes]:
    """Yield the lines of an answer.  What goes wrong before the first one, which is empty, is raised."""
    total = registration.files
    with closing(registration):
        registration.go_on(ANSWER_SECONDS)
        yield b""
        try:
            while not registration.go_on(BEAT_SECONDS):
                yield _validating(0, total)
            for beat in xet_pushes.await_proof(registration.job, by=registration.caller):
                yield _told(beat, total)
        except Exception as error:
            yield _failure(error)


def _validating(verified: int, total: int) -> bytes:
    return line({"type": "validating", "verified": verified, "total": total})


def _told(beat: Beat, total: int) -> bytes:
    if beat.problem:
        return line({"type": "error", "message": beat.problem, "retryable": beat.again})
    return line({"type": "result"}) if beat.ended else _validating(int(beat.share * total), total)


def _failure(error: Exception) -> bytes:
    """Return the last line of an answer in which something went wrong: a stream without an end is final too."""
    trouble = known_trouble(error)
    if not isinstance(trouble, CatalogError):
        _log.exception("A shard could not be registered.")
        trouble = CatalogError("The hub failed to register these files; its log says why.")
    status = status_of(trouble)
    return line({"type": "error", "message": str(trouble), "retryable": status in (429, 503)})


def telemetry(request: HttpRequest, **captured: object) -> HttpResponse:
    """`POST v1/telemetry`: nothing is kept of it."""
    return json_answer({})
