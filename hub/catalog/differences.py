"""What differs between two commits of a repo: which files, and which lines of those that are text.

Folders with the same id are the same, so only what differs is walked through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hub.catalog import objects, textdiff
from hub.catalog.models import CommitRecord, Repo, TreeRow
from hub.catalog.objects import EMPTY_TREE
from hub.catalog.textdiff import Budget, TextDiff
from hub.catalog.trees import Entry

MAX_CHANGES = 5_000
# Text is compared up to these bounds; what lies above them is told by its size and its hash.
MAX_TEXT = 512 * 1024
MAX_LINES = 20_000
MAX_TOTAL = 4 * 2**20
MAX_FILES = 50
_COLUMNS = ("tree", "name", "mode", "oid", "size", "sha256", "pointer_size")


@dataclass(frozen=True, slots=True)
class Change:
    """A file on either side; ``before`` has another path where the same bytes have moved."""

    before: Entry | None
    after: Entry | None

    @property
    def path(self) -> str:
        entry = self.after or self.before
        return entry.path if entry else ""

    @property
    def verb(self) -> str:
        """One of ``added``, ``deleted``, ``moved`` and ``changed``."""
        if self.before is None or self.after is None:
            return "added" if self.before is None else "deleted"
        return "changed" if self.before.path == self.after.path else "moved"

    @property
    def is_large(self) -> bool:
        """True where one side at least lies in the store."""
        return any(entry is not None and entry.is_large for entry in (self.before, self.after))

    @property
    def is_mode_only(self) -> bool:
        """True where only the right to be run was given or taken."""
        return (
            self.before is not None and self.after is not None and self.before.oid == self.after.oid
            and self.verb == "changed"
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """A changed file with its lines; without them ``reason`` says why there are none."""

    change: Change
    text: TextDiff | None = None
    reason: str = ""


def changes_between(
    repo: Repo, before: str, after: str, *, most: int = MAX_CHANGES
) -> tuple[list[Change], bool]:
    """Return the files that differ below two root trees, by path, and whether there are more than ``most``.

    A query for each level of folders that differ.
    """
    found: list[Change] = []
    waiting = [("", before, after)]
    while waiting and len(found) <= most:
        rows = _rows(repo, {tree for _, *pair in waiting for tree in pair})
        deeper: list[tuple[str, str, str]] = []
        for prefix, old_tree, new_tree in waiting:
            old, new = rows.get(old_tree, {}), rows.get(new_tree, {})
            for name in old.keys() | new.keys():
                _compare(prefix + name, old.get(name), new.get(name), found, deeper)
        waiting = deeper
    is_more = len(found) > most
    return sorted(_with_moves(found[:most]), key=lambda change: change.path), is_more


def parent_tree(repo: Repo, record: CommitRecord) -> str:
    """Return the tree of a commit's first parent; an empty one for the first commit."""
    parents = CommitRecord.objects.filter(network=repo.network_id, oid__in=record.parents[:1])
    return parents.values_list("tree", flat=True).first() or EMPTY_TREE


def _rows(repo: Repo, trees: set[str]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    rows = TreeRow.objects.filter(network=repo.network_id, tree__in=trees - {"", EMPTY_TREE})
    for tree, name, *values in rows.values_list(*_COLUMNS).iterator():
        found.setdefault(tree, {})[name] = Entry(name, *values)
    return found


def _compare(
    path: str, old: Entry | None, new: Entry | None, found: list[Change], deeper: list[tuple[str, str, str]]
) -> None:
    if old and new and (old.oid, old.mode) == (new.oid, new.mode):
        return
    folders = [entry.oid if entry and entry.is_folder else "" for entry in (old, new)]
    if any(folders):
        deeper.append((path + "/", *folders))  # type: ignore[arg-type]
    before = replace(old, path=path) if old and not old.is_folder else None
    after = replace(new, path=path) if new and not new.is_folder else None
    if before or after:
        found.append(Change(before, after))


def _with_moves(found: Sequence[Change]) -> Iterator[Change]:
    """Make one change of a file that was deleted here and added there with the same bytes."""
    gone = {change.before.oid: change for change in found if change.before and change.after is None}
    moved: set[str] = set()
    kept: list[Change] = []
    for change in found:
        former = gone.pop(change.after.oid, None) if change.after and change.before is None else None
        if former is not None and change.after and change.after.size:
            moved.add(former.path)
            kept.append(Change(former.before, change.after))
        else:
            kept.append(change)
    return (change for change in kept if change.after is not None or change.path not in moved)


def compare_texts(repo: Repo, changes: Sequence[Change], *, only: str = "") -> list[Compared]:
    """Return these changes with the lines that differ, as many as the bounds allow, or the one at ``only``.

    The caller has asked the gate: this is content.
    """
    wanted = [change for change in changes if change.path == only] if only else list(changes)
    reasons = {change.path: _reason(change) for change in wanted}
    texts = [change for change in wanted if not reasons[change.path]]
    within: list[Change] = []
    total = 0
    for change in texts:
        total += sum(entry.size for entry in (change.before, change.after) if entry)
        if len(within) == MAX_FILES or (total > MAX_TOTAL and not only):
            break
        within.append(change)
    reasons |= {change.path: "later" for change in texts[len(within) :]}
    contents = objects.read_all(repo.network_id, _oids(within))
    budget = Budget()
    return [
        Compared(change, reason=reasons[change.path])
        if reasons[change.path]
        else _compared(change, contents, budget)
        for change in wanted
    ]


def _reason(change: Change) -> str:
    if change.is_large:
        return "large"
    if change.verb == "moved" or change.is_mode_only:
        return "same"
    sizes = [entry.size for entry in (change.before, change.after) if entry]
    return "long" if max(sizes) > MAX_TEXT else ""


def _oids(changes: Sequence[Change]) -> set[str]:
    return {entry.oid for change in changes for entry in (change.before, change.after) if entry}


def _compared(change: Change, contents: dict[str, bytes], budget: Budget) -> Compared:
    sides = [contents.get(entry.oid, b"") if entry else b"" for entry in (change.before, change.after)]
    return _lines_of(change, sides, budget)


def compare_draft(entry: Entry, old: str, new: str) -> Compared:
    """Return what a text that is not committed changes in a file."""
    change = Change(entry, entry)
    if max(len(old), len(new)) > MAX_TEXT:
        return Compared(change, reason="long")
    return _lines_of(change, [old.encode(), new.encode("utf-8", "replace")], Budget())


def _lines_of(change: Change, sides: Sequence[bytes], budget: Budget) -> Compared:
    if any(b"\0" in side for side in sides):
        return Compared(change, reason="binary")
    if any(side.count(b"\n") > MAX_LINES for side in sides):
        return Compared(change, reason="long")
    try:
        old, new = (side.decode("utf-8") for side in sides)
    except UnicodeDecodeError:
        return Compared(change, reason="binary")
    return Compared(change, text=textdiff.compare(old, new, budget=budget))


def told(changes: Sequence[Change]) -> list[dict[str, object]]:
    """Return changes as the API tells them."""
    return [
        {
            "path": change.path, "verb": change.verb,
            "before": _side(change.before), "after": _side(change.after),
        }
        for change in changes
    ]  # fmt: skip


def _side(entry: Entry | None) -> dict[str, object] | None:
    if entry is None:
        return None
    side: dict[str, object] = {
        "path": entry.path,
        "oid": entry.oid,
        "size": entry.size,
        "mode": f"{entry.mode:06o}",
    }
    return side | ({"sha256": entry.sha256} if entry.is_large else {})
