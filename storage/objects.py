"""Small objects that the server makes itself, such as git payloads too large for their row.

The caller keeps the key in a row of its own.  Put the object first and commit the row after it: a key that no
row came to name is found by `storage.sweep.unlisted_keys`.
"""

from storage import keys, s3


def put(oid_hint: str, data: bytes) -> str:
    """Store `data` under a new key that shows the object id `oid_hint` (hex), and return the key."""
    key = keys.git_key(oid_hint)
    s3.put_bytes(key, data)
    return key


def get(key: str) -> bytes:
    """Return the bytes at a key that `put` returned; raises ObjectMissing, StoreUnavailable."""
    return s3.get_bytes(key)
