"""Real git objects: made and parsed by dulwich, kept as deflated rows, named by true git ids.

Large files are LFS pointers in git (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
"""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from hub.catalog.errors import EntryNotFound, StoreTrouble
from hub.catalog.models import GitObject
from storage import objects as stored_objects
from storage.errors import StorageError

INLINE_BYTES = 64 * 1024
MAX_REGULAR_BYTES = 20 * 2**20
FOLDER_MODE = 0o040000
FILE_MODE = 0o100644
EXECUTABLE_MODE = 0o100755
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n?\Z"
)
_POINTER_MAX = 1024
_TYPES = {b"commit": 1, b"tree": 2, b"blob": 3, b"tag": 4}


@dataclass(frozen=True, slots=True)
class Pointer:
    """What an LFS pointer file says: the sha256 and size in bytes of the real file."""

    sha256: str
    size: int

    def text(self) -> bytes:
        """Return the canonical pointer file."""
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {self.size}\n".encode()


def parse_pointer(content: bytes) -> Pointer | None:
    """Return the pointer that ``content`` is, or None.  Anything that git-lfs would smudge counts as one."""
    if len(content) > _POINTER_MAX:
        return None
    match = _POINTER.match(content.strip() + b"\n")
    return Pointer(match[1].decode(), int(match[2])) if match else None


def oid_of(item: ShaFile) -> str:
    """Return the git id as 40 hex digits."""
    return item.id.decode()


def make_blob(content: bytes) -> Blob:
    """Return the git blob of a file's content."""
    return Blob.from_string(content)


def store(network_id: int, items: Sequence[ShaFile]) -> None:
    """Keep git objects of one network; those already there are left alone.

    Payloads go to the byte store before their rows are written, so a row never names bytes that are not there.
    Raises StoreTrouble.
    """
    wanted = {oid_of(item): item for item in items}
    known = _renew(network_id, list(wanted))
    rows = [_row(network_id, oid, item) for oid, item in wanted.items() if oid not in known]
    GitObject.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


# Old objects first become young again, which the sweep's own statement then sees; a row that it has deleted meanwhile
# is not among those that come back, and is written anew.  Rows are locked in one order, so that two commits cannot
# wait for each other.
_RENEW = """
WITH old AS (SELECT id FROM catalog_gitobject WHERE network_id = %s AND oid = ANY(%s)
             AND created_at < now() - interval '30 minutes' ORDER BY oid FOR UPDATE)
UPDATE catalog_gitobject o SET created_at = now() FROM old WHERE o.id = old.id RETURNING o.oid
"""


def _renew(network_id: int, oids: list[str]) -> set[str]:
    """Return which of these objects are kept, and keep them from being swept before a commit names them."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [network_id, oids])
        renewed = {oid for (oid,) in cursor.fetchall()}
    young = timezone.now() - timedelta(minutes=45)
    kept = GitObject.objects.filter(network_id=network_id, oid__in=oids, created_at__gt=young)
    return renewed | set(kept.values_list("oid", flat=True))


def _row(network_id: int, oid: str, item: ShaFile) -> GitObject:
    payload = item.as_raw_string()
    deflated, key = zlib.compress(payload, 6), ""
    if len(deflated) > INLINE_BYTES:
        try:
            key = stored_objects.put(oid, deflated)
        except StorageError as error:
            raise StoreTrouble(str(error)) from error
        deflated = b""
    return GitObject(
        network_id=network_id, oid=oid, type=_TYPES[item.type_name], size=len(payload), data=deflated, key=key
    )


def read(network_id: int, oid: str) -> bytes:
    """Return an object's payload; raises EntryNotFound or StoreTrouble."""
    row = GitObject.objects.filter(network_id=network_id, oid=oid).values_list("size", "data", "key").first()
    if row is None:
        raise EntryNotFound(f"The object {oid} is not in this repository.")
    return _payload(row[0], bytes(row[1]), row[2])


def read_all(network_id: int, oids: Iterable[str]) -> dict[str, bytes]:
    """Return the payloads of those of these objects that there are, in one query; raises StoreTrouble."""
    rows = GitObject.objects.filter(network_id=network_id, oid__in=set(oids))
    values = rows.values_list("oid", "size", "data", "key")
    return {oid: _payload(size, bytes(data), key) for oid, size, data, key in values}


def _payload(size: int, data: bytes, key: str) -> bytes:
    try:
        deflated = stored_objects.get(key) if key else data
    except StorageError as error:
        raise StoreTrouble(str(error)) from error
    return zlib.decompressobj().decompress(deflated, size + 1)


def make_tree(entries: Iterable[tuple[str, int, str]]) -> Tree:
    """Return the git tree of ``(name, mode, oid)`` entries; dulwich puts them in git's order."""
    tree = Tree()
    for name, mode, oid in entries:
        tree.add(name.encode(), mode, ObjectID(oid.encode()))
    return tree


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a commit and when (seconds since 1970, UTC)."""

    name: str
    email: str
    seconds: int

    def line(self) -> bytes:
        """Return ``Name <email>`` without the letters that would end the header line early."""
        clean = [re.sub(r"[<>\n\0]", "", text).strip() for text in (self.name, self.email)]
        return f"{clean[0]} <{clean[1]}>".encode()


def make_commit(*, tree: str, parents: Sequence[str], by: Signature, message: str) -> Commit:
    """Return the git commit object; a message always ends in a newline, as git writes it."""
    commit = Commit()
    commit.tree = ObjectID(tree.encode())
    commit.parents = [ObjectID(parent.encode()) for parent in parents]
    commit.author = commit.committer = by.line()
    commit.author_time = commit.commit_time = by.seconds
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.rstrip("\n").encode("utf-8", "replace") + b"\n"
    return commit
