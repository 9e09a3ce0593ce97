"""Gunicorn's settings for both process groups: ``web`` (pages and API) and ``bytes`` (long requests).

The application is loaded once and forked, so the processes share its memory; nothing may connect to a server
before the fork.  ``HUB_PROCESS`` says which group this is.
"""

import gc
import os
from pathlib import Path

from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]

from hub.env import BadSetting, load

_env = load(Path(__file__).resolve().parent.parent.parent)
_group = os.environ.get("HUB_PROCESS", "web")
if _group not in ("web", "bytes"):
    raise BadSetting("HUB_PROCESS", _group, "web or bytes")
_is_bytes = _group == "bytes"
_host = _env.text("HUB_BIND", "127.0.0.1")
_port = _env.number("HUB_PORT", 8000, at_least=1)

wsgi_app = "hub.wsgi:application"
proc_name = f"weighhouse {_group}"
_listen = _env.number("HUB_BYTES_PORT", _port + 1, at_least=1) if _is_bytes else _port
bind = [f"[{_host}]:{_listen}" if ":" in _host else f"{_host}:{_listen}"]
preload_app = True
worker_class = "gthread"
workers = _env.number("HUB_BYTES_PROCESSES" if _is_bytes else "HUB_WEB_PROCESSES", 2, at_least=1)
# Threads wait for clients far more often than they compute: a few slow bodies must not stop the pages.
threads = 32 if _is_bytes else 24
# A thread that streams to a slow client is not a dead worker: this bounds only the worker's own heartbeat.
timeout = 120
graceful_timeout = 3
keepalive = 30
# Every kept-alive connection of every thread counts, or idle clients would shut out new ones.
worker_connections = 1000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - heartbeats, not data
limit_request_line = 8190
forwarded_allow_ips = ",".join(_env.words("HUB_TRUSTED_PROXIES"))
forwarder_headers = ""
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = _env.text("HUB_LOG_LEVEL", "INFO").lower()

# What is read ahead of a body is copied whenever a piece is taken from it, so it is no more than a few pieces.
SocketUnreader.max_body_chunk = 128 * 1024
# How far processes that move bytes stand back behind those that answer people.
BYTES_NICENESS = 5


def when_ready(_server: object) -> None:
    """Keep the collector from touching, and so copying, what all processes share, and from looking too often."""
    gc.collect()
    gc.freeze()
    # A page makes tens of thousands of objects that need no collector; by default it would look among them each 700.
    gc.set_threshold(10_000, 20, 20)


def post_fork(_server: object, _worker: object) -> None:
    """Let pages go before bytes where both want the same processor."""
    if _is_bytes:
        os.nice(BYTES_NICENESS)
