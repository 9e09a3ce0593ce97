"""What clients upload to the chunk store, and what they ask it."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from hub.catalog import xet_pushes
from hub.catalog.errors import BadRequest, StoreTrouble
from hub.catalog.xet_pushes import Registration
from hub.wires.base import json_answer
from hub.wires.xet.reading import body_of, caller_of, check_hash, file_of, line, refuse

# A xorb holds 64 MiB of chunks behind 8192 headers, with at most 40 bytes for each in a footer.
MAX_XORB = 65 * 2**20
MAX_SHARD = 64 * 2**20
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
    with file_of(request, at_most=MAX_XORB) as (file, length):
        return json_answer({"was_inserted": xet_pushes.keep_xorb(caller, name, file, length)})


def shard(request: HttpRequest, *, epoch: int, domain: str) -> HttpResponse:
    """`POST v1/shards`: register files; the answer waits until they are proven."""
    registration = _register(request, epoch, domain)
    for beat in xet_pushes.await_proof(registration.job):
        if beat.problem:
            return refuse(StoreTrouble(beat.problem) if beat.again else BadRequest(beat.problem))
    return json_answer({"result": 0 if registration.job is None else 1})


def shard_stream(request: HttpRequest, *, epoch: int, domain: str) -> HttpResponseBase:
    """`POST v2/shards`: the same, told line by line, so that no connection falls silent meanwhile."""
    registration = _register(request, epoch, domain)
    answer = StreamingHttpResponse(_frames(registration), content_type="application/x-ndjson")
    answer["Cache-Control"] = "no-store"
    # A proxy that gathers lines would let the client think that nothing happens.
    answer["X-Accel-Buffering"] = "no"
    return answer


def _register(request: HttpRequest, epoch: int, domain: str) -> Registration:
    caller = caller_of(request, epoch=epoch, domain=domain, upload=True)
    with body_of(request, at_most=MAX_SHARD) as data:
        return xet_pushes.register(caller, data)


def _frames(registration: Registration) -> Iterator[bytes]:
    total = registration.files
    for beat in xet_pushes.await_proof(registration.job):
        if beat.problem:
            yield line({"type": "error", "message": beat.problem, "retryable": beat.again})
        elif beat.ended:
            yield line({"type": "result"})
        else:
            yield line({"type": "validating", "verified": int(beat.share * total), "total": total})


def telemetry(request: HttpRequest, **captured: object) -> HttpResponse:
    """`POST v1/telemetry`: nothing is kept of it."""
    return json_answer({})
