"""How a commit vouches for its bytes: large files with their hashes and looks, sums to check, and one file's chain.

commit -> tree -> pointer -> sha256: each link is a hash of what it names, so one commit id vouches for every byte.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hub.accounts.identity import Viewer
from hub.catalog import access, objects, pulls
from hub.catalog.errors import EntryNotFound
from hub.catalog.lookups import Located, rights_if_needed
from hub.catalog.models import RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.objects import parse_pointer
from hub.catalog.trees import Entry, entries_at, files
from storage.looks import Look, looks

MAX_LISTED = 2_000
# Small files are hashed for the list of sums while they are read, as many as this.
MAX_HASHED, MAX_HASHED_BYTES, AT_ONCE = 2_000, 32 * 2**20, 100


@dataclass(frozen=True, slots=True)
class Kept:
    """A large file: when its bytes were proven, and in which forms they are kept and looked at."""

    entry: Entry
    proven_at: datetime | None
    looks: tuple[Look, ...]

    @property
    def looked_at(self) -> datetime | None:
        """When bytes of it were last hashed."""
        times = [look.looked_at for look in self.looks if look.looked_at and look.is_sound]
        return max(times, default=self.proven_at)

    @property
    def times(self) -> int:
        """How often they were hashed again."""
        return max((look.times for look in self.looks), default=0)


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain: an object by its id, what it says of the next one, and whether its hash was right now."""

    kind: str
    oid: str
    says: str
    is_right: bool


def large_files(at: Located) -> list[Kept]:
    """Return the large files of a revision by path, in three queries."""
    entries = [entry for entry in files(at.repo, at.tree) if entry.is_large][:MAX_LISTED]
    # Only who holds the bytes may learn how they fare; naming their hash is not holding them.
    held = [entry.sha256 for entry in entries if entry.state == RepoBlob.State.PROVEN]
    claims = RepoBlob.objects.filter(repo=at.repo, sha256__in=held)
    proven = {
        sha256: settled or made
        for sha256, settled, made in claims.values_list("sha256", "settled_at", "created_at")
    }
    by_digest: dict[str, list[Look]] = {}
    for look in looks(held):
        by_digest.setdefault(look.sha256, []).append(look)
    return [
        Kept(entry, proven.get(entry.sha256), tuple(by_digest.get(entry.sha256, ()))) for entry in entries
    ]


def chain(at: Located, path: str) -> list[Link]:
    """Return the way from the commit to a file's bytes, each object read and hashed now; raises EntryNotFound."""
    where = FilePath.parse(path)
    above = [FilePath(where.parts[:depth]) for depth in range(1, len(where.parts) + 1)]
    found = entries_at(at.repo, at.tree, above)
    entry = found.get(where)
    if entry is None or entry.is_folder:
        raise EntryNotFound(f"{path} is not a file in this revision.", at.commit)
    oids = [at.commit, at.tree, *(found[part].oid for part in above)]
    contents = objects.read_all(at.repo.network_id, oids)
    kinds = ["commit", *["tree"] * len(above), "blob"]
    names = ["tree", *where.parts]
    links = []
    for number, (kind, oid) in enumerate(zip(kinds, oids, strict=True)):
        content = contents.get(oid, b"")
        following = oids[number + 1] if number + 1 < len(oids) else ""
        says = f"{names[number]} {following}" if following else _end(entry, content)
        right = _git_id(kind, content) == oid and _names(kind, content, following)
        links.append(Link("pointer" if kind == "blob" and entry.is_large else kind, oid, says, right))
    return links


def _end(entry: Entry, content: bytes) -> str:
    pointer = parse_pointer(content) if entry.is_large else None
    return f"oid sha256:{pointer.sha256}" if pointer else f"the file itself, {entry.size} bytes"


def _git_id(kind: str, content: bytes) -> str:
    # Git's own hash: nothing is kept secret by it.
    return hashlib.sha1(
        b"%s %d\0%s" % (kind.encode(), len(content), content), usedforsecurity=False
    ).hexdigest()


def _names(kind: str, content: bytes, following: str) -> bool:
    """True where an object really names the next one."""
    if kind == "blob":
        return True
    return (bytes.fromhex(following) if kind == "tree" else following.encode()) in content


def sums(viewer: Viewer, at: Located) -> Iterator[str]:
    """Yield a list that ``sha256sum -c`` reads: large files, and small ones for those who may pull them."""
    entries = list(files(at.repo, at.tree))
    yield f"# {at.repo.full_name} at commit {at.commit}\n"
    small = [entry for entry in entries if not entry.is_large]
    for entry in entries:
        if entry.is_large and entry.state == RepoBlob.State.PROVEN:
            yield _line(entry.sha256, entry.path)
    if not access.may_pull(viewer, at.repo, at.rights or rights_if_needed(viewer, at.repo)).allowed:
        yield "# Small files are left out: you may not pull them.\n"
        return
    if len(small) > MAX_HASHED or sum(entry.size for entry in small) > MAX_HASHED_BYTES:
        yield f"# {len(small)} small files are left out; `git hash-object` gives the ids that the hub lists.\n"
        return
    for start in range(0, len(small), AT_ONCE):
        part = small[start : start + AT_ONCE]
        contents = pulls.contents_of(at.repo, part)
        for entry in part:
            yield _line(hashlib.sha256(contents[entry.oid]).hexdigest(), entry.path)


def _line(digest: str, path: str) -> str:
    return f"{digest}  {path}\n"
