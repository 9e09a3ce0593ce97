"""Signs of life: when a worker was last heard, and how quickly each part of the house answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.db import DatabaseError, connection

from hub import valkey
from hub.catalog.store import store_answers

_HEARD = "worker-heard"
_KEPT_SECONDS = 86_400
# The beat asks for due work every ten seconds; a worker silent for longer than this is missed.
SILENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the house: whether it answers, after how many milliseconds, and what else is known."""

    name: str
    up: bool
    milliseconds: float | None = None
    note: str = ""


def note_worker() -> None:
    """Say that a worker is at work now."""
    valkey.client().set(_HEARD, int(time.time()), ex=_KEPT_SECONDS)


def servers() -> list[Part]:
    """Ask every server that a request needs; one that does not answer is down, and nothing is raised."""
    return [_timed("database", _database), _timed("queue", _queue), _timed("store", store_answers)]


def workers() -> Part:
    """Tell when a worker was last heard."""
    try:
        heard = valkey.client().get(_HEARD)
    except redis.RedisError:
        return Part("workers", False, note="the queue does not answer")
    if heard is None:
        return Part("workers", False, note="not heard yet")
    silent = max(int(time.time()) - int(str(heard)), 0)
    return Part("workers", silent < SILENCE_SECONDS, note=f"heard {silent} s ago")


def _timed(name: str, ask: Callable[[], bool]) -> Part:
    start = time.perf_counter()
    up = ask()
    return Part(name, up, 1000 * (time.perf_counter() - start))


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False


def _queue() -> bool:
    try:
        return bool(valkey.client().ping())
    except redis.RedisError:
        return False
