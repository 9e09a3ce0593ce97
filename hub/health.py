"""``/healthz`` says that the process lives; ``/readyz`` that everything it needs answers."""

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from hub import valkey
from hub.catalog.store import store_answers


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


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


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, queue and store answer, else 503; says which does not."""
    parts = {"database": _database(), "queue": _queue(), "store": store_answers()}
    ready = all(parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)
