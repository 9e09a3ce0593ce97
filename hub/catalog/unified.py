"""Differences as the text that git's own tools write and read."""

from collections.abc import Iterable, Iterator, Sequence

from hub.catalog.differences import Change, Compared
from hub.catalog.textdiff import Pair

_NO_END = "\n\\ No newline at the end"
_MARK = "\n\\ No newline at end of file"


def unified(compared: Iterable[Compared]) -> str:
    """Return changed files as one unified diff; files without lines to compare are told by name alone."""
    return "".join(line + "\n" for one in compared for line in _file(one))


def _file(one: Compared) -> Iterator[str]:
    change = one.change
    old, new = ((change.before or change.after), (change.after or change.before))
    if old is None or new is None:
        return
    yield f"diff --git a/{old.path} b/{new.path}"
    yield from _modes(change)
    if change.before and change.after and change.before.oid == change.after.oid:
        return
    sides = (
        f"a/{old.path}" if change.before else "/dev/null",
        f"b/{new.path}" if change.after else "/dev/null",
    )
    if one.text is None:
        yield f"Binary files {sides[0]} and {sides[1]} differ"
    elif one.text.hunks:
        yield f"--- {sides[0]}"
        yield f"+++ {sides[1]}"
        for hunk in one.text.hunks:
            yield from _hunk(hunk)


def _modes(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None and after is not None:
        yield f"new file mode {after.mode:06o}"
    elif after is None and before is not None:
        yield f"deleted file mode {before.mode:06o}"
    elif before is not None and after is not None:
        if before.mode != after.mode:
            yield f"old mode {before.mode:06o}"
            yield f"new mode {after.mode:06o}"
        if before.path != after.path:
            yield f"rename from {before.path}"
            yield f"rename to {after.path}"


def _hunk(hunk: Sequence[Pair]) -> Iterator[str]:
    old, new = [pair.old for pair in hunk if pair.old], [pair.new for pair in hunk if pair.new]
    yield f"@@ -{_span([one.number for one in old])} +{_span([one.number for one in new])} @@"
    waiting: list[str] = []
    for pair in hunk:
        if pair.is_same and pair.new:
            yield from [*waiting, " " + _ended(pair.new.text)]
            waiting = []
            continue
        # What was removed in a stretch stands above everything that was added in it.
        if pair.old:
            yield "-" + _ended(pair.old.text)
        if pair.new:
            waiting.append("+" + _ended(pair.new.text))
    yield from waiting


def _span(numbers: Sequence[int]) -> str:
    return f"{numbers[0] if numbers else 0},{len(numbers)}"


def _ended(text: str) -> str:
    return text.removesuffix(_NO_END) + _MARK if text.endswith(_NO_END) else text
