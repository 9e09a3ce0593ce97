"""What a commit may be made of, and its preparation before any lock is taken.

Small files become git objects as they stream in, so the memory a commit needs is that of its largest file.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from dulwich.objects import Blob

from hub.catalog import objects, quotas
from hub.catalog.errors import BadRequest, EntryNotFound, TooLarge
from hub.catalog.lookups import locate_in
from hub.catalog.models import Repo
from hub.catalog.names import FilePath
from hub.catalog.objects import EXECUTABLE_MODE, FILE_MODE, MAX_REGULAR_BYTES, Pointer, parse_pointer
from hub.catalog.trees import Entry, NewEntry, entries_at

MAX_OPERATIONS = 50_000
# Revisions that one commit copies from; every one is a query.
MAX_SOURCES = 100
_COPIES_AT_ONCE = 1000
_BATCH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class AddFile:
    """Put a small file at a path.  Content that is an LFS pointer is taken as the large file it names."""

    path: FilePath
    content: bytes


@dataclass(frozen=True, slots=True)
class AddLarge:
    """Put a large file at a path; ``size`` may be unknown for a copy."""

    path: FilePath
    sha256: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a file or a whole folder."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class Copy:
    """Put what stands at another path (of another revision of this repo) at a path."""

    path: FilePath
    source: FilePath
    revision: str


Operation = AddFile | AddLarge | Delete | Copy


Parts = tuple[str, ...]


@dataclass
class Staged:
    """A commit's changes, ready to be applied: entries for small files, and large ones still to be admitted."""

    changes: dict[Parts, NewEntry | None] = field(default_factory=dict)
    large: dict[Parts, AddLarge] = field(default_factory=dict)
    # What was changed below each folder: without it, deleting would look through the whole commit every time.
    below: dict[Parts, set[Parts]] = field(default_factory=lambda: defaultdict(set))
    # What was deleted before something was put in its place, which may have been a folder.
    replaced: set[Parts] = field(default_factory=set)

    def delete(self, path: FilePath) -> None:
        """Deleting takes back what the same commit put at the path or below it."""
        for key in [path.parts, *self.below.get(path.parts, ())]:
            self._forget(key)
        self._note(path.parts, None)

    def put(self, path: FilePath, entry: NewEntry | None, large: AddLarge | None = None) -> None:
        """The last word on a path counts."""
        self.large.pop(path.parts, None)
        if path.parts in self.changes and self.changes[path.parts] is None:
            self.replaced.add(path.parts)
        if large is not None:
            self.large[path.parts] = large
            entry = NewEntry(FILE_MODE, "", 0)
        self._note(path.parts, entry)

    def _note(self, key: Parts, entry: NewEntry | None) -> None:
        self.changes[key] = entry
        for depth in range(1, len(key)):
            self.below[key[:depth]].add(key)

    def _forget(self, key: Parts) -> None:
        self.changes.pop(key, None)
        self.large.pop(key, None)
        for depth in range(1, len(key)):
            self.below[key[:depth]].discard(key)


def stage(repo: Repo, operations: Iterable[Operation]) -> Staged:
    """Read a stream of operations once, keep small files as git objects, and return what is to be changed.

    Raises OverQuota as soon as the small files are more than the namespace has room for.
    """
    staged, keeper, sources = Staged(), _Keeper(repo), _Sources(repo)
    for are_copies, run in groupby(_counted(operations), key=lambda operation: isinstance(operation, Copy)):
        while are_copies and (copies := list(islice(run, _COPIES_AT_ONCE))):
            _stage_copies(staged, sources, [copy for copy in copies if isinstance(copy, Copy)])
        for operation in run:
            match operation:
                case Delete(path=path):
                    staged.delete(path)
                case AddFile(path=path, content=content):
                    _stage_file(staged, keeper, path, content)
                case AddLarge(path=path):
                    staged.put(path, None, operation)
    keeper.flush()
    return staged


def _counted(operations: Iterable[Operation]) -> Iterator[Operation]:
    for count, operation in enumerate(operations, start=1):
        if count > MAX_OPERATIONS:
            raise TooLarge(f"A commit may have at most {MAX_OPERATIONS} operations; split it.")
        yield operation


def _stage_file(staged: Staged, keeper: "_Keeper", path: FilePath, content: bytes) -> None:
    pointer = parse_pointer(content)
    if pointer is not None:
        staged.put(path, None, AddLarge(path, pointer.sha256, pointer.size))
        return
    staged.put(path, keeper.keep(content, str(path)))


class _Sources:
    """Where copies come from: each revision of a commit is looked up once, and its files many at a time."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.trees: dict[str, str] = {}

    def tree_of(self, revision: str) -> str:
        if revision not in self.trees:
            if len(self.trees) == MAX_SOURCES:
                raise TooLarge(f"A commit may copy from at most {MAX_SOURCES} revisions; split it.")
            self.trees[revision] = locate_in(self.repo, revision).tree
        return self.trees[revision]

    def entries(self, copies: Sequence[Copy]) -> list[Entry]:
        """Return what each copy takes; raises EntryNotFound for what is no file."""
        wanted: dict[str, list[FilePath]] = defaultdict(list)
        for copy in copies:
            wanted[copy.revision].append(copy.source)
        found = {name: entries_at(self.repo, self.tree_of(name), paths) for name, paths in wanted.items()}
        return [_file_in(found[copy.revision], copy.source) for copy in copies]


def _file_in(found: Mapping[FilePath, Entry], path: FilePath) -> Entry:
    entry = found.get(path)
    if entry is None or entry.is_folder:
        raise EntryNotFound(f"A file with this name doesn't exist: {path}")
    return entry


def _stage_copies(staged: Staged, sources: _Sources, copies: Sequence[Copy]) -> None:
    for copy, entry in zip(copies, sources.entries(copies), strict=True):
        if entry.is_large:
            staged.put(copy.path, None, AddLarge(copy.path, entry.sha256, entry.size))
            continue
        mode = EXECUTABLE_MODE if entry.mode == EXECUTABLE_MODE else FILE_MODE
        staged.put(copy.path, NewEntry(mode, entry.oid, entry.size))


class _Keeper:
    """Stores git blobs in batches of a few megabytes."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.waiting: list[Blob] = []
        self.bytes = 0
        # How much more may come, known once there is something to keep; None is any amount.
        self.room: int | None = None
        self.has_asked = False

    def keep(self, content: bytes, path: str) -> NewEntry:
        if len(content) > MAX_REGULAR_BYTES:
            raise TooLarge(
                f"{path!r} has {len(content)} bytes; a file above {MAX_REGULAR_BYTES} must be uploaded as a large file."
            )
        self._take_room(len(content))
        blob = objects.make_blob(content)
        self.waiting.append(blob)
        self.bytes += len(content)
        if self.bytes > _BATCH_BYTES:
            self.flush()
        return NewEntry(FILE_MODE, objects.oid_of(blob), len(content))

    def _take_room(self, size: int) -> None:
        if not self.has_asked:
            self.room, self.has_asked = quotas.room_for_small(self.repo.namespace), True
        if self.room is not None:
            self.room -= size
            if self.room < 0:
                raise quotas.refuse_small(self.repo.namespace)

    def flush(self) -> None:
        objects.store(self.repo.network_id, self.waiting)
        self.waiting, self.bytes = [], 0


def pointer_entry(sha256: str, size: int) -> tuple[NewEntry, Blob]:
    """Return the tree entry of a large file and the git blob of its pointer."""
    if size < 0:
        raise BadRequest("size must not be negative.")
    text = Pointer(sha256, size).text()
    blob = objects.make_blob(text)
    return NewEntry(FILE_MODE, objects.oid_of(blob), size, sha256, len(text)), blob
