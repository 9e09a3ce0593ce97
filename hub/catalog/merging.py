"""Merging proposals: what one would do to its branch now, and doing it, as one commit on top of the branch.

Three trees are compared file by file: where the proposal began, its tip, and the tip of its branch.  A file that both
sides changed otherwise is a conflict.  The merge goes through the same gate as any commit; the commits of a proposal
stay on its ref, so that nothing of them counts as reviewed but what is merged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.accounts.identity import Viewer
from hub.catalog import access, talk
from hub.catalog.cards import Claims
from hub.catalog.commits import Committed, Message, commit
from hub.catalog.differences import Change, changes_between
from hub.catalog.errors import BadRequest, MergeConflict, RevisionNotFound, StaleParent
from hub.catalog.models import CommitRecord, Discussion, Ref, Repo
from hub.catalog.names import FilePath
from hub.catalog.objects import EMPTY_TREE
from hub.catalog.operations import MAX_OPERATIONS, Copy, Delete, Operation
from hub.catalog.refs import MAIN
from hub.catalog.trees import Entry

MAX_NAMED = 20
_TRIES = 4
_MOST = MAX_OPERATIONS // 2


@dataclass(frozen=True, slots=True)
class Plan:
    """What merging a proposal means now.  ``start`` is None for one from before its beginning was kept.

    ``conflicts`` are the files that stand in the way; ``is_long`` says that too much differs to be merged here.
    """

    base: Ref
    start: CommitRecord | None
    tip: CommitRecord
    head: CommitRecord
    operations: Sequence[Operation]
    conflicts: Sequence[str]
    is_long: bool = False

    @property
    def is_clean(self) -> bool:
        """True where it can be merged as things stand."""
        return not self.conflicts and not self.is_long

    @property
    def changes_terms(self) -> bool:
        """True where the proposal changes something that the terms of main rest on."""
        return self.base.name == MAIN and self.start is not None and self.start.terms != self.tip.terms

    @property
    def licenses(self) -> tuple[str, str]:
        """What the card declares as the license, on the branch and in the proposal."""
        before, after = (
            Claims(data=one.card.data if one.card else {}).word("license") for one in (self.head, self.tip)
        )
        return before, after


def plan_for(repo: Repo, found: Discussion) -> Plan | None:
    """Return what merging a proposal means now, or None where its branch or its ref is gone."""
    refs = {ref.name: ref for ref in repo.refs.filter(name__in=[found.base, found.ref])}
    base, mine = refs.get(found.base), refs.get(found.ref)
    if base is None or mine is None:
        return None
    wanted = CommitRecord.objects.filter(network=repo.network_id, oid__in=[found.start, base.oid, mine.oid])
    records = {one.oid: one for one in wanted.select_related("card")}
    start, tip, head = records.get(found.start), records[mine.oid], records[base.oid]
    began = start.tree if start else EMPTY_TREE
    theirs, is_long = changes_between(repo, began, tip.tree, most=_MOST)
    ours, is_longer = changes_between(repo, began, head.tree, most=_MOST)
    if is_long or is_longer:
        return Plan(base, start, tip, head, (), (), is_long=True)
    operations, conflicts = _merged(_sides(theirs), _sides(ours), tip.oid)
    return Plan(base, start, tip, head, operations, conflicts)


def _sides(changes: Sequence[Change]) -> dict[str, Entry | None]:
    """Return what stands at each changed path afterwards; None where nothing does."""
    gone: dict[str, Entry | None] = {change.before.path: None for change in changes if change.before}
    return gone | {change.after.path: change.after for change in changes if change.after}


def _merged(
    theirs: Mapping[str, Entry | None], ours: Mapping[str, Entry | None], tip: str
) -> tuple[list[Operation], list[str]]:
    """Return what has to be done to the branch, and the files that both sides changed otherwise."""
    put = {path for path, entry in ours.items() if entry}
    folders = {folder for path in put for folder in _folders(path)}
    operations: list[Operation] = []
    conflicts: list[str] = []
    for path, entry in sorted(theirs.items()):
        if path in ours and _same(entry, ours[path]):
            continue
        if path in ours or (entry and (path in folders or put.intersection(_folders(path)))):
            conflicts.append(path)
            continue
        where = FilePath.parse(path)
        operations.append(Copy(where, where, tip) if entry else Delete(where))
    return operations, conflicts


def _folders(path: str) -> list[str]:
    return [path[:at] for at, letter in enumerate(path) if letter == "/"]


def _same(one: Entry | None, other: Entry | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.oid, one.mode) == (other.oid, other.mode)


def merge(viewer: Viewer, repo: Repo, found: Discussion, *, text: str = "", tip: str = "") -> str:
    """Merge a proposal into its branch and return the commit; whoever may write may.

    ``tip`` is the commit that somebody looked at: StaleParent where the proposal has another one by now.
    Raises MergeConflict where both sides changed the same files, and BadRequest for a proposal that is not open.
    """
    access.require_write(viewer, repo)
    for _ in range(_TRIES):
        _require_open(found)
        plan = plan_for(repo, found)
        if plan is None:
            raise RevisionNotFound(f"The branch {found.base} is gone, so nothing can be merged into it.")
        if tip and plan.tip.oid != tip:
            raise StaleParent("The proposal was changed since you looked at it. Look again, then merge it.")
        _require_clean(plan)
        try:
            return _commit(viewer, repo, found, plan, text)
        except StaleParent:
            # Somebody committed in between, to the branch or to the proposal; look at both again.
            found.refresh_from_db()
    raise StaleParent("Others are committing to this branch all the time. Try again.")


def _require_open(found: Discussion) -> None:
    if not found.is_proposal:
        raise BadRequest("This is a discussion, with nothing in it to merge.")
    if found.status == Discussion.Status.DRAFT:
        raise BadRequest("This proposal is a draft. Open it first, then it can be merged.")
    if found.status != Discussion.Status.OPEN:
        raise BadRequest("This proposal is closed or merged already, so it cannot be merged.")


def _require_clean(plan: Plan) -> None:
    if plan.is_long:
        raise BadRequest(f"More than {_MOST} files differ, which is too much to be merged here.")
    if plan.conflicts:
        named = ", ".join(plan.conflicts[:MAX_NAMED])
        more = f" and {len(plan.conflicts) - MAX_NAMED} more" if len(plan.conflicts) > MAX_NAMED else ""
        raise MergeConflict(f"Both the proposal and the branch changed {named}{more}.", plan.conflicts)


def _commit(viewer: Viewer, repo: Repo, found: Discussion, plan: Plan, text: str) -> str:
    by = found.author.username if found.author else "somebody who left"
    message = Message(f"{found.title[:480]} (#{found.number})", f"Proposed by {by}.")

    def seal(done: Committed) -> None:
        row = Discussion.objects.select_for_update().get(pk=found.pk)
        if row.status != Discussion.Status.OPEN or repo.refs.get(name=row.ref).oid != plan.tip.oid:
            raise StaleParent("The proposal was changed in between.")
        talk.set_merged(viewer, repo, row, oid=done.oid, text=text)

    done = commit(
        viewer, repo, revision=plan.base.name, operations=plan.operations, message=message, parent=plan.head.oid,
        then=seal,
    )  # fmt: skip
    found.refresh_from_db()
    return done.oid
