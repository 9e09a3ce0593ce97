"""The peer of requests: the hub's own settings, gunicorn and database, but one bare view and no middleware."""

from hub.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.bare"
MIDDLEWARE = []
