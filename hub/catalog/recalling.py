"""Acting on a recall: holding what it names, and all that it reaches, in one act."""

from django.db import transaction

from hub.accounts.identity import Viewer
from hub.catalog import recall, suspending
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo
from hub.catalog.recall import Recall
from licenses.models import Suspension

Kind = Suspension.Kind
# Each is locked until all of them are held; what is more is reached by its license or its bytes.
MOST_AT_ONCE = 1000


@transaction.atomic
def suspend_all(
    viewer: Viewer, *, kind: str, key: str, reason: str, final: bool = False, everything: bool = False
) -> list[str]:
    """Hold what a recall names, with ``everything`` all that it reaches as well; returns the names of what is held.

    A license and a digest hold whatever comes under them later, too.  Raises BadRequest, what `recall.find` and
    `suspending.suspend` raise; then nothing is held.
    """
    found = recall.find(viewer, kind, key)
    if found.kind == "repo" and not found.affected:
        raise BadRequest(f"{found.former} is gone; there is nothing to hold.")
    wanted = found.affected if everything else found.affected[: found.kind == "repo"]
    if len(wanted) > MOST_AT_ONCE:
        raise BadRequest(
            f"This reaches {len(wanted)} repositories, and {MOST_AT_ONCE} can be held in one act. "
            "Hold its licence or its digest, then what is left."
        )
    _lock(found)
    keys = [(found.kind, found.key)] if found.kind != "repo" else []
    for key_kind, named in [*keys, *((Kind.SUBJECT, str(one.repo.pk)) for one in wanted)]:
        suspending.suspend(viewer, kind=key_kind, key=named, reason=reason, final=final)
    return _held(found)


def _lock(found: Recall) -> None:
    """Lock every affected repo in the order in which each single suspension does: sources first."""
    rows = Repo.objects.select_for_update(no_key=True).filter(pk__in=[one.repo.pk for one in found.affected])
    for some in (rows.filter(source=None), rows.exclude(source=None)):
        list(some.order_by("pk").values_list("pk"))


def _held(found: Recall) -> list[str]:
    reached = [one.repo.pk for one in found.affected]
    held = Repo.objects.filter(pk__in=reached, clearance=Repo.Clearance.SUSPENDED)
    return sorted(held.values_list("full_name", flat=True))
