"""Committing: stage without a lock, wait for proofs without a connection, then lock the ref and apply."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from dulwich.objects import Blob

from hub.accounts.identity import Viewer
from hub.catalog import (
    access,
    clearances,
    discussions,
    holdings,
    indexing,
    jobs,
    objects,
    proofs,
    pushes,
    refs,
    revision_sets,
    traits,
)
from hub.catalog.cards import Claims, parse_card
from hub.catalog.errors import BadRequest, RevisionNotFound, SignInNeeded, StaleParent
from hub.catalog.models import Card, CommitRecord, PathChange, Ref, Repo, TreeRow
from hub.catalog.names import candidate_refs, is_pull_ref
from hub.catalog.objects import Signature
from hub.catalog.operations import Operation, Staged, pointer_entry, stage
from hub.catalog.rewriting import Rewrite, rewrite
from hub.catalog.trees import suffixes

STALE = "The branch was updated since you opened this page. Please refresh and try again."
MAX_TITLE = 500
MAX_DESCRIPTION = 65_536
_README = "README.md"


@dataclass(frozen=True, slots=True)
class Message:
    """What the committer says: a title, and more below it."""

    title: str
    description: str = ""

    def checked(self) -> "Message":
        """Return the message with one line as title; raises BadRequest when it is empty or too long."""
        title, _, rest = self.title.strip().partition("\n")
        description = "\n\n".join(text for text in (rest.strip(), self.description.strip()) if text)
        if not title:
            raise BadRequest("summary must not be empty.")
        if len(title) > MAX_TITLE or len(description) > MAX_DESCRIPTION:
            raise BadRequest(f"summary may have {MAX_TITLE} characters, description {MAX_DESCRIPTION}.")
        return Message(title, description)


@dataclass(frozen=True, slots=True)
class Committed:
    """The outcome: the commit, the ref it landed on, and what the pusher should be warned of."""

    oid: str
    ref: str
    pull_request: int | None = None
    warnings: tuple[str, ...] = ()


def find_target(viewer: Viewer, repo: Repo, revision: str, *, create_pr: bool) -> Ref:
    """Return the ref a commit goes to (or begins from, for a new pull request); checks the right to write there."""
    if create_pr:
        access.require_propose(viewer, repo)
    ref = repo.refs.filter(name__in=candidate_refs(revision)).order_by("name").first()
    if ref is None or (create_pr and not ref.name.startswith(refs.BRANCH)):
        raise RevisionNotFound(f"Invalid rev id: {revision}")
    if not ref.name.startswith((refs.BRANCH, refs.PULL)):
        raise BadRequest(f"{revision!r} is a tag; a commit can only be made on a branch or a pull request.")
    if not create_pr:
        _require_target(viewer, repo, ref)
    return ref


def _require_target(viewer: Viewer, repo: Repo, ref: Ref) -> None:
    number = ref.name.removeprefix(refs.PULL) if is_pull_ref(ref.name) else ""
    is_own = number and repo.discussions.filter(number=number, author=viewer.user).exists()
    if is_own and viewer.user is not None and access.may_propose(viewer, repo):
        return
    access.require_write(viewer, repo)


def commit(
    viewer: Viewer, repo: Repo, *, revision: str, operations: Iterable[Operation], message: Message,
    parent: str = "", create_pr: bool = False, then: Callable[[Committed], None] | None = None,
) -> Committed:  # fmt: skip
    """Make one commit of ``operations`` on a branch or pull request.

    Concurrent commits queue on the ref's row and none is lost; with ``parent`` (a full or short id) the branch must
    still stand there, else StaleParent.  Nothing is changed when anything fails, ``then`` included, which is called
    in the transaction of the commit.
    """
    message = message.checked()
    target = find_target(viewer, repo, revision, create_pr=create_pr)
    if parent and not target.oid.startswith(parent):
        raise StaleParent(STALE)
    staged = stage(repo, operations)
    sizes = pushes.admit(viewer, repo, list(staged.large.values()))
    pointers = _enter_large(staged, sizes)
    with transaction.atomic():
        done = _land(viewer, repo, target, staged, pointers, message, parent, create_pr)
        if then is not None:
            then(done)
        return done


def _enter_large(staged: Staged, sizes: dict[str, int]) -> list[Blob]:
    pointers = []
    for parts, large in staged.large.items():
        entry, blob = pointer_entry(large.sha256, sizes[large.sha256])
        staged.changes[parts] = entry
        pointers.append(blob)
    return pointers


def _land(
    viewer: Viewer, repo: Repo, target: Ref, staged: Staged, pointers: Sequence[Blob], message: Message,
    parent: str, create_pr: bool,
) -> Committed:  # fmt: skip
    ref = Ref.objects.select_for_update().filter(pk=target.pk).first()
    if ref is None:
        raise RevisionNotFound(f"Invalid rev id: {target.name}")
    if parent and not ref.oid.startswith(parent):
        raise StaleParent(STALE)
    head = CommitRecord.objects.get(network=repo.network_id, oid=ref.oid)
    holdings.lock_claims(repo, {large.sha256 for large in staged.large.values()})
    outcome = rewrite(repo, head.tree, staged.changes, replaced=staged.replaced)
    number = None
    if create_pr:
        opened = discussions.begin(viewer, repo, title=message.title, text=message.description, base=ref)
        ref, number = Ref(repo=repo, name=opened.ref, oid=ref.oid), opened.number
    elif outcome.root == head.tree:
        # A push that was sent twice because its answer was lost changes nothing the second time.
        return Committed(head.oid, ref.name)
    oid, claims = record_commit(
        viewer, repo, ref, outcome=outcome, blobs=pointers, parents=[head], title=message.title,
        description=message.description, seconds=int(time.time()),
    )  # fmt: skip
    if number is not None and viewer.user is not None:
        discussions.tell_proposed(repo, number, viewer.user)
    return Committed(oid, ref.name, number, tuple(claims.errors + claims.warnings) if claims else ())


def _signature(viewer: Viewer, seconds: int) -> Signature:
    if viewer.user is None:
        raise SignInNeeded("Sign in to commit.")
    name = viewer.user.username
    return Signature(name, f"{name}@users.noreply.weighhouse", seconds)


def record_commit(
    viewer: Viewer, repo: Repo, ref: Ref, *, outcome: Rewrite, blobs: Sequence[Blob],
    parents: Sequence[CommitRecord], title: str, description: str, seconds: int,
) -> tuple[str, Claims | None]:  # fmt: skip
    """Write a commit, its trees and rows, and point ``ref`` (locked, or new) at it; inside the caller's transaction.

    Returns the commit id and, when the README changed with it, what its card claims.
    """
    text = title + ("\n\n" + description if description else "")
    item = objects.make_commit(
        tree=outcome.root,
        parents=[record.oid for record in parents],
        by=_signature(viewer, seconds),
        message=text,
    )
    objects.store(repo.network_id, [*blobs, *outcome.trees, item])
    TreeRow.objects.bulk_create(outcome.rows, ignore_conflicts=True, batch_size=1000)
    card, claims = _card_of(repo, outcome, parents)
    record = CommitRecord(
        network_id=repo.network_id, oid=objects.oid_of(item), tree=outcome.root,
        parents=[parent.oid for parent in parents], depth=max((parent.depth + 1 for parent in parents), default=0),
        author=viewer.user, author_name=viewer.user.username if viewer.user else "",
        created_at=datetime.fromtimestamp(seconds, UTC), title=title, message=description, card=card,
        terms=revision_sets.terms_of(repo, outcome.root, changed=outcome.changed, parents=parents),
    )  # fmt: skip
    _keep_record(repo, record, outcome)
    ref.oid, first = record.oid, ref.pk is None
    refs.move(ref, oid=record.oid) if ref.pk else ref.save()
    jobs.ask(kind="inspect", subject=f"{repo.pk}:{record.oid}", repo=repo, payload={"commit": record.oid})
    if is_pull_ref(ref.name):
        discussions.note_commit(viewer, repo, ref, oid=record.oid, title=title)
    if ref.name == refs.MAIN:
        describe_head(repo, record)
        clearances.note_commit(repo, record, first=first)
    return record.oid, claims


def _keep_record(repo: Repo, record: CommitRecord, outcome: Rewrite) -> None:
    # The same tree, parents, author, message and second give the same commit id: it is then the same commit.
    if CommitRecord.objects.filter(network_id=repo.network_id, oid=record.oid).exists():
        return
    record.save(force_insert=True)
    PathChange.objects.bulk_create(
        [
            PathChange(network_id=repo.network_id, commit=record.oid, path=path)
            for path in outcome.changed_with_folders()
        ],
        batch_size=1000,
    )


def _card_of(
    repo: Repo, outcome: Rewrite, parents: Sequence[CommitRecord]
) -> tuple[Card | None, Claims | None]:
    row = next((row for row in outcome.rows if row.tree == outcome.root and row.name == _README), None)
    if row is None or row.sha256:
        return None, None
    card = Card.objects.filter(network_id=repo.network_id, oid=row.oid).first()
    if card is not None and parents and card.pk == parents[0].card_id:
        return card, None
    claims = parse_card(objects.read(repo.network_id, row.oid))
    if card is None:
        card, _ = Card.objects.get_or_create(
            network_id=repo.network_id, oid=row.oid,
            defaults={"data": claims.data, "warnings": claims.errors + claims.warnings},
        )  # fmt: skip
    return card, claims


def describe_head(repo: Repo, record: CommitRecord) -> None:
    """Write what the tip of main claims into the repo's own columns, for lists and searches."""
    claims = Claims(data=record.card.data if record.card else {})
    present = suffixes(repo, record.tree)
    formats = [suffix for suffix in traits.FORMATS if suffix in present]
    tags = list(dict.fromkeys([*formats, *claims.tags()]))
    Repo.objects.filter(pk=repo.pk).update(
        head=record.oid, updated_at=record.created_at, license=claims.word("license").lower()[:100],
        pipeline_tag=claims.word("pipeline_tag"), library=claims.word("library_name"), tags=tags,
        base_models=claims.base_models, traits=indexing.traits_of(repo, claims, record, formats),
    )  # fmt: skip
    proofs.note(repo)
    indexing.write(repo.pk, record)
