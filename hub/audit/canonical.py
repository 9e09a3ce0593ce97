"""Pure: the one way in which an entry is written down before it is hashed."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a content digest covers; place and time in the chain are covered by the link.
CONTENT_FIELDS = ("act", "actor_kind", "actor", "role", "subject", "label", "data", "personal")


def canonical(value: Any) -> bytes:
    """Return JSON with sorted keys and no spaces; raises TypeError for what would not come back as it went.

    Fractions are refused: the database writes large and small ones in another way than they came.
    """
    _require_plain(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def _require_plain(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"An audit entry's keys are texts, not {key!r}.")
            _require_plain(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _require_plain(inner)
    elif not (value is None or isinstance(value, bool | int | str)):
        kind = type(value).__name__
        raise TypeError(
            f"An audit entry holds texts, whole numbers, lists and objects; write a {kind} as text."
        )


def content_digest(fields: Mapping[str, Any]) -> str:
    """Return the digest of what an entry says."""
    said = {name: fields[name] for name in CONTENT_FIELDS}
    return hashlib.sha256(canonical(said)).hexdigest()


def personal_digest(salt: str, data: Mapping[str, Any]) -> str:
    """Return the digest of personal fields; the salt keeps anyone from guessing them once they are erased."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(data)).hexdigest()


def link_digest(*, seq: int, at: datetime, prev_hash: str, content: str) -> str:
    """Return the hash of an entry in its place; the database computes the same when it seals one."""
    text = f"{seq}\n{microseconds(at)}\n{prev_hash}\n{content}"
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def microseconds(moment: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
