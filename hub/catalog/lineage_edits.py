"""What reviewers know of where a model comes from: a parent that nothing shows, or one that is none."""

from django.db import transaction

from hub.accounts.identity import Viewer
from hub.audit import acts, chain
from hub.catalog import clearances
from hub.catalog.errors import BadRequest
from hub.catalog.evidence import STRENGTH, UNRELATED, model_id
from hub.catalog.models import LineageEdge, Repo
from hub.catalog.ownwork import require_others
from hub.catalog.reviewing import require_review, role_of
from licenses.ancestry import Relation


@transaction.atomic
def set_parent(viewer: Viewer, repo: Repo, *, parent: str, relation: str) -> LineageEdge:
    """Say how a repo came from a parent, or with ``unrelated`` that it did not, whatever the evidence says."""
    user = require_review(viewer)
    require_others(user, repo)
    name = model_id(parent)
    if not name:
        raise BadRequest(f"parent: {parent[:100]!r} is no id of a model.")
    if relation not in [*Relation, UNRELATED]:
        raise BadRequest(
            f"relation must be one of {', '.join([*Relation, UNRELATED])}, not {relation[:40]!r}."
        )
    edge, _ = LineageEdge.objects.update_or_create(
        repo=repo, parent=name.lower(), source="reviewer",
        defaults={"name": name, "relation": relation, "strength": STRENGTH["reviewer"]},
    )  # fmt: skip
    _note(repo, chain.person(user), role_of(user), {"parent": name, "relation": relation})
    return edge


@transaction.atomic
def drop_parent(viewer: Viewer, repo: Repo, *, parent: str) -> None:
    """Take back what a reviewer said of a parent; the evidence counts again."""
    user = require_review(viewer)
    require_others(user, repo)
    gone, _ = LineageEdge.objects.filter(repo=repo, parent=parent.lower(), source="reviewer").delete()
    if not gone:
        raise BadRequest(f"parent: no reviewer has said anything of {parent[:100]!r} here.")
    _note(repo, chain.person(user), role_of(user), {"parent": parent, "relation": None})


def _note(repo: Repo, by: chain.Actor, role: str, data: dict[str, str | None]) -> None:
    chain.append(
        act=acts.LINEAGE_CHANGED, actor=by, role=role, subject=str(repo.pk), label=repo.full_name, data=data
    )
    clearances.ask(repo)
