"""Applying changes to a tree: only touched folders are read, and what has to be stored is returned."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dulwich.objects import ShaFile

from hub.catalog.errors import BadPath, EntryNotFound
from hub.catalog.models import Repo, TreeRow
from hub.catalog.objects import EMPTY_TREE, FOLDER_MODE, make_tree, oid_of
from hub.catalog.trees import NewEntry, walk

Parts = tuple[str, ...]


@dataclass
class Rewrite:
    """The outcome of applying changes to a tree: what has to be stored, and which paths really changed."""

    network_id: int
    root: str = EMPTY_TREE
    trees: list[ShaFile] = field(default_factory=list)
    rows: list[TreeRow] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    replaced: frozenset[Parts] = frozenset()

    def changed_with_folders(self) -> set[str]:
        """Return the changed paths and every folder above them, which changed with them."""
        folders = {path[:at] for path in self.changed for at, letter in enumerate(path) if letter == "/"}
        return self.changed | folders


Changes = Mapping[Parts, NewEntry | None]


def rewrite(repo: Repo, root: str, changes: Changes, *, replaced: Iterable[Parts] = ()) -> Rewrite:
    """Apply ``changes`` (None deletes a file or a folder) below ``root``; only touched folders are read.

    Raises EntryNotFound for the deletion of what is not there, and BadPath where a file would stand in for a folder
    that keeps files and is not among ``replaced``.
    """
    outcome = Rewrite(repo.network_id, replaced=frozenset(replaced))
    outcome.root = _apply(repo, outcome, root, changes, ()) or EMPTY_TREE
    if outcome.root == EMPTY_TREE:
        outcome.trees.append(make_tree([]))
    return outcome


def _apply(repo: Repo, outcome: Rewrite, tree: str | None, changes: Changes, above: Parts) -> str | None:
    here = (
        {row.name: row for row in TreeRow.objects.filter(network_id=outcome.network_id, tree=tree)}
        if tree
        else {}
    )
    deeper: dict[str, dict[Parts, NewEntry | None]] = defaultdict(dict)
    # Deletions come first: a folder that is deleted and filled again in one commit begins empty.
    for parts, new in sorted(changes.items()):
        if len(parts) > 1:
            deeper[parts[0]][parts[1:]] = new
        elif new is None:
            _delete(repo, outcome, here, parts[0], above)
    for name, inner in deeper.items():
        _descend(repo, outcome, here, name, inner, above)
    # Files come last: one may take the place of a folder that was emptied just now, or is deleted for it.
    for parts, new in sorted(changes.items()):
        if len(parts) == 1 and new is not None:
            if (*above, parts[0]) in outcome.replaced and not any(deeper[parts[0]].values()):
                _make_room(repo, outcome, here, parts[0], above)
            _put(outcome, here, parts[0], new, above)
    return _finish(outcome, here)


def _path(above: Parts, name: str) -> str:
    return "/".join((*above, name))


def _delete(repo: Repo, outcome: Rewrite, here: dict[str, TreeRow], name: str, above: Parts) -> None:
    row = here.pop(name, None)
    if row is None:
        raise EntryNotFound(f"A file with this name doesn't exist: {_path(above, name)}")
    outcome.changed.add(_path(above, name))
    if row.mode == FOLDER_MODE:
        outcome.changed.update(entry.path for entry in walk(repo, row.oid, _path(above, name)))


def _make_room(repo: Repo, outcome: Rewrite, here: dict[str, TreeRow], name: str, above: Parts) -> None:
    if name in here and here[name].mode == FOLDER_MODE:
        _delete(repo, outcome, here, name, above)


def _put(outcome: Rewrite, here: dict[str, TreeRow], name: str, new: NewEntry, above: Parts) -> None:
    old = here.get(name)
    if old is not None and old.mode == FOLDER_MODE:
        raise BadPath(f"{_path(above, name)!r} is a folder; delete it before a file takes its place.")
    if old is None or (old.oid, old.mode) != (new.oid, new.mode):
        outcome.changed.add(_path(above, name))
    here[name] = TreeRow(
        name=name, mode=new.mode, oid=new.oid, size=new.size, sha256=new.sha256, pointer_size=new.pointer_size
    )


def _descend(
    repo: Repo, outcome: Rewrite, here: dict[str, TreeRow], name: str, inner: Changes, above: Parts
) -> None:
    row = here.pop(name, None)
    if row is not None and row.mode != FOLDER_MODE:
        raise BadPath(f"{_path(above, name)!r} is a file; delete it before a folder takes its place.")
    oid = _apply(repo, outcome, row.oid if row else None, inner, (*above, name))
    if oid is not None:
        here[name] = TreeRow(name=name, mode=FOLDER_MODE, oid=oid)


def _finish(outcome: Rewrite, here: dict[str, TreeRow]) -> str | None:
    """Make the tree object and its rows; an empty folder does not exist in git."""
    if not here:
        return None
    tree = make_tree((row.name, row.mode, row.oid) for row in here.values())
    outcome.trees.append(tree)
    oid = oid_of(tree)
    for row in here.values():
        outcome.rows.append(
            TreeRow(
                network_id=outcome.network_id, tree=oid, name=row.name, mode=row.mode, oid=row.oid, size=row.size,
                sha256=row.sha256, pointer_size=row.pointer_size,
            )
        )  # fmt: skip
    return oid
