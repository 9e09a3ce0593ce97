"""Where everything lies in the bucket.

    blobs/{aa}/{bb}/{sha256}-{random}   one proven form, or a finished upload on its way to proof;
                                        aa and bb are the first two pairs of digits of the sha256
    staging/{upload id}-{random}        a single PUT before it is copied to blobs/ or xorbs/; clients can write here
    git/{aa}/{oid}-{random}             a git payload too large for its row; aa begins the object id
    xorbs/{aa}/{hash}-{random}          the chunks of a xorb, without a footer; aa begins its hash

`random` is 96 bits from the system's generator.  A key under blobs/, git/ or xorbs/ is written once and never again,
so deleting a key that a row condemned can never destroy something stored later, even by the same name and the
same bytes.
"""

import re
import secrets
import uuid

from storage.digests import Digest

BLOBS = "blobs/"
STAGING = "staging/"
GIT = "git/"
XORBS = "xorbs/"

_OID = re.compile(r"[0-9a-f]{40,64}")


def _random() -> str:
    return secrets.token_hex(12)


def blob_key(digest: Digest) -> str:
    """Return a new key for one form of a blob."""
    return f"{BLOBS}{digest[:2]}/{digest[2:4]}/{digest}-{_random()}"


def staging_key(upload_id: uuid.UUID) -> str:
    """Return a new key that the client of an upload may be given a link to."""
    return f"{STAGING}{upload_id}-{_random()}"


def git_key(oid: str) -> str:
    """Return a new key for the payload of the git object `oid` (lowercase hex)."""
    if not _OID.fullmatch(oid):
        raise ValueError(f"{oid[:80]!r} is not a git object id")
    return f"{GIT}{oid[:2]}/{oid}-{_random()}"


def xorb_key(name: str) -> str:
    """Return a new key for the xorb whose hash is `name` (64 lowercase hex digits)."""
    return f"{XORBS}{name[:2]}/{name}-{_random()}"
