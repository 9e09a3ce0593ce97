"""Making, finding and counting the use of access tokens."""

import hashlib
import logging
import secrets
import string
import time
from datetime import UTC, datetime

import redis
from django.db import connection
from django.utils import timezone

from hub import valkey
from hub.accounts.models import Token, User
from hub.rows import Columns

_log = logging.getLogger(__name__)
_ALPHABET = string.ascii_letters + string.digits
_USES = "token-uses"
NOTE_SECONDS, MAX_NOTED = 30.0, 10_000
_noted: dict[int, float] = {}
_TOKEN, _USER = Columns(Token, "t"), Columns(User, "u")


def digest_of(secret: str) -> str:
    """Return the sha256 under which a token is kept.  Tokens are random, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_secret() -> str:
    """Return a new secret: ``hf_`` and 36 letters and digits, the only shape that every client sends on.

    llama.cpp drops a token that has any other character or fewer than 37 in all.
    """
    return "hf_" + "".join(secrets.choice(_ALPHABET) for _ in range(36))


def create_token(
    *, user: User, name: str, kind: str, expires_at: datetime | None = None, secret: str | None = None
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is not kept and cannot be shown again."""
    secret = secret or make_secret()
    token = Token.objects.create(
        user=user, name=name, kind=kind, digest=digest_of(secret), hint=secret[-4:], expires_at=expires_at
    )
    return token, secret


def find_token(secret: str) -> Token | None:
    """Return the valid token of this secret with its user, or None."""
    token = _read_token(digest_of(secret))
    if token is None or not token.user.is_active:
        return None
    if token.expires_at is not None and token.expires_at <= timezone.now():
        return None
    note_use(token)
    return token


def _read_token(digest: str) -> Token | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_TOKEN.sql}, {_USER.sql} FROM accounts_token t JOIN accounts_user u ON u.id = t.user_id"  # noqa: S608
            " WHERE t.digest = %s",
            [digest],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    token = _TOKEN.read(row[: len(_TOKEN)])
    token.user = _USER.read(row[len(_TOKEN) :])
    return token


def note_use(token: Token) -> None:
    """Remember that a token was used; written to the table in batches, so that a read stays a read.

    A process says so at most every `NOTE_SECONDS` for one token: the table shows no finer time.
    """
    now = time.monotonic()
    if now < _noted.get(token.pk, 0.0) + NOTE_SECONDS:
        return
    if len(_noted) >= MAX_NOTED:
        _noted.clear()
    _noted[token.pk] = now
    try:
        valkey.client().hset(_USES, str(token.pk), str(int(time.time())))
    except redis.RedisError as error:
        _log.warning("The use of token %s was not noted: %s", token.pk, error)


def flush_uses() -> int:
    """Write the noted uses to the table; returns how many tokens were used since the last time."""
    uses: dict[str, str] = valkey.client().hgetall(_USES)  # type: ignore[assignment]
    for pk, seconds in uses.items():
        Token.objects.filter(pk=int(pk)).update(last_used_at=datetime.fromtimestamp(int(seconds), UTC))
    if uses:
        valkey.client().hdel(_USES, *uses)
    return len(uses)
