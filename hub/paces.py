"""How often a person or an address may do a thing: counted in Valkey by spans of time, and forgotten with them."""

import hashlib
import unicodedata
from dataclasses import dataclass

from hub import valkey


@dataclass(frozen=True, slots=True)
class Pace:
    """So many times within so many seconds, which begin with the first time."""

    most: int
    seconds: int


def key_of(kind: str, *parts: str) -> str:
    """Return under which key something is counted; names that forms take for the same one have the same."""
    plain = "|".join(unicodedata.normalize("NFKC", part[:1000]).strip().lower() for part in parts)
    return f"pace:{kind}:{hashlib.sha256(plain.encode('utf-8', 'replace')).hexdigest()}"


def count(key: str, *paces: Pace) -> int:
    """Count one more time; return after how many seconds it may be done, 0 where it may be done now."""
    pipe = valkey.client().pipeline()
    for pace in paces:
        name = _name(key, pace)
        pipe.set(name, 0, ex=pace.seconds, nx=True)
        pipe.incr(name)
        pipe.ttl(name)
    answers = pipe.execute()
    waits = [
        max(left, 1)
        for times, left, pace in zip(answers[1::3], answers[2::3], paces, strict=True)
        if times > pace.most
    ]
    return max(waits, default=0)


def waiting(key: str, pace: Pace) -> int:
    """Return after how many seconds something may be tried again, without counting it; 0 where it may be now."""
    pipe = valkey.client().pipeline()
    pipe.get(_name(key, pace))
    pipe.ttl(_name(key, pace))
    times, left = pipe.execute()
    return max(left, 1) if int(times or 0) >= pace.most else 0


def forget(key: str, pace: Pace) -> None:
    """Let the counting begin anew."""
    valkey.client().delete(_name(key, pace))


def _name(key: str, pace: Pace) -> str:
    return f"{key}:{pace.seconds}"
