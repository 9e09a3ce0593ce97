"""One Valkey (Redis protocol) client per process, for counters and short notices.  Nothing is kept here only."""

import functools
import os

import redis
from django.conf import settings


@functools.cache
def _client_of(_pid: int) -> redis.Redis:
    return redis.Redis.from_url(
        settings.HUB_REDIS_URL, decode_responses=True, socket_timeout=3, socket_connect_timeout=2
    )


def client() -> redis.Redis:
    """Return this process's client; a forked child gets one of its own."""
    return _client_of(os.getpid())
