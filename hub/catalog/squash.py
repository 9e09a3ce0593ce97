"""Squashing: a branch's files stay, its history becomes one commit."""

import time

from django.db import transaction

from hub.accounts.identity import Viewer
from hub.catalog.commits import Message, find_target, record_commit
from hub.catalog.errors import RevisionNotFound
from hub.catalog.models import CommitRecord, Ref, Repo
from hub.catalog.rewriting import rewrite
from hub.catalog.trees import walk


def squash(viewer: Viewer, repo: Repo, *, revision: str, message: Message) -> str:
    """Point a branch or pull request at a commit without parents that holds its files; returns the commit id.

    Other refs keep their history, and the former commits stay readable by id.  Raises RevisionNotFound or BadRequest.
    """
    message = message.checked()
    target = find_target(viewer, repo, revision, create_pr=False)
    with transaction.atomic():
        ref = Ref.objects.select_for_update().filter(pk=target.pk).first()
        if ref is None:
            raise RevisionNotFound(f"Invalid rev id: {revision}")
        head = CommitRecord.objects.get(network=repo.network_id, oid=ref.oid)
        outcome = rewrite(repo, head.tree, {})
        # Against no parent, every path is new with this commit.
        outcome.changed = {entry.path for entry in walk(repo, head.tree)}
        oid, _ = record_commit(
            viewer, repo, ref, outcome=outcome, blobs=[], parents=[], title=message.title,
            description=message.description, seconds=int(time.time()),
        )  # fmt: skip
    return oid
