"""What differs between the tensors of two commits, as far as stored inspections and hashes of files can tell.

Tensors lie in files.  Where a file has the same hash on both sides, so have its tensors; where it has another one, a
tensor of the same name, shape and type may still be the same.  Digests of large tensors tell, once a worker has made
them: they name no tensor, but tensors of one length all changed where no digest of that length is found again.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.catalog import tensors
from hub.catalog.kinship import LEAST_BYTES, MOST_TENSORS
from hub.catalog.models import Inspection, Repo, TensorDigest
from hub.catalog.tensors import FileSet, Pattern, Row

VERBS = ("added", "removed", "reshaped", "retyped", "changed")


@dataclass(frozen=True, slots=True)
class Group:
    """Tensors alike in all but numbers that differ in one way; ``before`` is their former type and shape."""

    verb: str
    pattern: Pattern
    before: tuple[str, tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class ModelDiff:
    """What differs in one model: groups, and how many tensors are the same or may be other ones in the same place."""

    name: str
    before: FileSet | None
    after: FileSet | None
    groups: tuple[Group, ...] = ()
    same: int = 0
    unknown: int = 0
    unread: int = 0

    def count(self, verb: str) -> int:
        """Return how many tensors differ in this way."""
        return sum(group.pattern.count for group in self.groups if group.verb == verb)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """The ways in which tensors differ, with their numbers."""
        return [(verb, count) for verb in VERBS if (count := self.count(verb))]


def compare(repo: Repo, before: str, after: str) -> list[ModelDiff]:
    """Return the models that differ below two root trees; asks no gate."""
    old = {found.name: found for found in tensors.sets_in(repo, before)} if before else {}
    new = {found.name: found for found in tensors.sets_in(repo, after)}
    pairs = [(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    gone = [one for _, one, other in pairs if one and other is None]
    come = [other for _, one, other in pairs if other and one is None]
    if len(gone) == len(come) == 1 and gone[0].format == come[0].format:
        # A model that got another name, such as more shards, is still the one that was there.
        pairs = [pair for pair in pairs if pair[1] and pair[2]] + [(come[0].name, gone[0], come[0])]
    return [_compare(*pair) for pair in pairs if _hashes(pair[1]) != _hashes(pair[2])]


def _hashes(found: FileSet | None) -> list[str]:
    return sorted(entry.sha256 for entry in found.entries) if found else []


def _compare(name: str, before: FileSet | None, after: FileSet | None) -> ModelDiff:
    old, new = _rows(before), _rows(after)
    unread = sum(found.unread for found in (before, after) if found)
    if unread:
        # What was not read is not known to be absent.
        return ModelDiff(name, before, after, unread=unread)
    both = [(old[key], new[key]) for key in new if key in old]
    groups = [
        *_folded("added", (new[key] for key in new if key not in old)),
        *_folded("removed", (old[key] for key in old if key not in new)),
        *_turned("reshaped", [(a, b) for a, b in both if a.shape != b.shape]),
        *_turned("retyped", [(a, b) for a, b in both if a.shape == b.shape and a.dtype != b.dtype]),
    ]
    kept = [(a, b) for a, b in both if (a.shape, a.dtype) == (b.shape, b.dtype)]
    hashes, later = _by_path(before), _by_path(after)
    open_pairs = [b for a, b in kept if hashes[a.file] != later[b.file]]
    changed, settled = _judged(open_pairs, before, after)
    groups += _folded("changed", changed)
    same = len(kept) - len(open_pairs) + settled
    unknown = len(open_pairs) - settled - len(changed)
    return ModelDiff(name, before, after, tuple(groups), same=same, unknown=unknown)


def _by_path(found: FileSet | None) -> dict[str, str]:
    return {entry.path: entry.sha256 for entry in found.entries} if found else {}


def _judged(rows: Sequence[Row], before: FileSet | None, after: FileSet | None) -> tuple[list[Row], int]:
    """Return those of these tensors whose bytes are others, and how many are found again, as digests tell."""
    if not rows or before is None or after is None:
        return [], 0
    old, new = _digests(before), _digests(after)
    by_size: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_size[row.size].append(row)
    changed: list[Row] = []
    same = 0
    for size, members in by_size.items():
        if old.get(size) and new.get(size) and not old[size] & new[size]:
            changed += members
        elif old.get(size) and old[size] == new.get(size):
            same += len(members)
    return changed, same


def _digests(found: FileSet) -> dict[int, set[str]]:
    """Return the digests of a set's tensors by length; none where some are missing."""
    hashes = {entry.sha256 for entry in found.entries}
    if Inspection.objects.filter(sha256__in=hashes, digested=True).count() < len(hashes):
        return {}
    counts: defaultdict[str, int] = defaultdict(int)
    sizes: defaultdict[int, set[str]] = defaultdict(set)
    for sha256, digest, size in TensorDigest.objects.filter(sha256__in=hashes).values_list(
        "sha256", "digest", "size"
    ):
        counts[sha256] += 1
        sizes[size].add(digest)
    # A file with more tensors than are hashed leaves some out, the shortest first.
    is_whole = all(count < MOST_TENSORS for count in counts.values())
    return {size: found for size, found in sizes.items() if is_whole and size >= LEAST_BYTES}


def _rows(found: FileSet | None) -> dict[str, Row]:
    return {row.name: row for row in tensors.contents_of(found).rows} if found else {}


def _folded(verb: str, rows: Iterable[Row]) -> list[Group]:
    return [Group(verb, pattern) for pattern in tensors.fold(rows)]


def _turned(verb: str, pairs: Sequence[tuple[Row, Row]]) -> list[Group]:
    kinds: dict[tuple[str, tuple[int, ...]], list[Row]] = {}
    for old, new in pairs:
        kinds.setdefault((old.dtype, old.shape), []).append(new)
    return [Group(verb, pattern, before) for before, rows in kinds.items() for pattern in tensors.fold(rows)]


def told(diffs: Sequence[ModelDiff]) -> list[dict[str, object]]:
    """Return the differences as the API tells them."""
    return [
        {
            "model": diff.name, **dict.fromkeys(VERBS, 0), **dict(diff.counts), "same": diff.same,
            "unknown": diff.unknown, "unread": diff.unread,
            "groups": [_group(group) for group in diff.groups],
        }
        for diff in diffs
    ]  # fmt: skip


def _group(group: Group) -> dict[str, object]:
    pattern = group.pattern
    told: dict[str, object] = {
        "verb": group.verb, "pattern": pattern.name, "count": pattern.count, "dtype": pattern.dtype,
        "shape": list(pattern.shape),
    }  # fmt: skip
    if group.before:
        told |= {"dtypeBefore": group.before[0], "shapeBefore": list(group.before[1])}
    return told
