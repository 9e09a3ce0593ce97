"""How much a namespace may hold.  Asked where bytes come in; reading and deleting are never asked.

Whoever announces files holds the namespace's row while they are counted and written down as announced, so that two
pushes never take the same room.  Chunks and shards are counted without it: what comes in at one moment may go beyond
the bound, and nothing after it.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import BigIntegerField, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Namespace
from hub.catalog import access, notices, usage
from hub.catalog.errors import OverQuota
from hub.catalog.models import Quota, Repo

_log = logging.getLogger(__name__)

GB = 10**9
# Told once each, until it has fallen below again.
WARNINGS = (80, 95)
# A full namespace still takes small files, so that a card can be mended.
SPARE = 64 * 2**20
# Chunks come in by the thousand: what was counted is added to for so many seconds before it is counted again.
COUNTED_SECONDS = 20
_COUNTED = "quota-used:{}"
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What a namespace holds and may hold, in bytes; a bound of 0 is none."""

    used: int
    bound: int

    @property
    def share(self) -> float:
        """How full it is, in percent."""
        return 100 * self.used / self.bound if self.bound else 0.0

    @property
    def capped(self) -> int:
        """What is drawn: no more than there is room for."""
        return min(self.used, self.bound)


def default_bound() -> int:
    """Return the bytes that a namespace may hold where nobody has said otherwise; 0 is no bound."""
    return int(settings.HUB_QUOTA_GB) * GB


def bound_of(space: Namespace) -> int:
    """Return the bytes that a namespace may hold; 0 is no bound."""
    own = Quota.objects.filter(namespace=space).values_list("bound", flat=True).first()
    return default_bound() if own is None else own


def standing(viewer: Viewer, space: Namespace) -> Standing | None:
    """Return how full a namespace is, for those who may know of all that it holds; None for others."""
    if viewer.user is None or viewer.is_narrowed:
        return None
    member = Membership.objects.filter(user=viewer.user, organization=space.organization_id)
    if not (
        viewer.is_staff or space.user_id == viewer.user.pk or (space.organization_id and member.exists())
    ):
        return None
    return Standing(usage.of(space.pk), bound_of(space))


# --- asked at the doors -------------------------------------------------------------------------------------


@contextmanager
def making_room(space: Namespace, files: Mapping[str, int]) -> Iterator[None]:
    """Write down inside the block that these files (sha256, bytes) are on their way; raises OverQuota before it.

    What counts for the namespace already needs no room.
    """
    if not files or not bound_of(space):
        yield
        return
    with transaction.atomic():
        lock(space)
        require_room(space, files)
        yield


def lock(space: Namespace) -> None:
    """Hold the row of a namespace that has a bound, in a transaction that gives files to it.

    Locked before claims, so that nobody waits for each other.
    """
    if bound_of(space):
        Namespace.objects.select_for_update(no_key=True).get(pk=space.pk)


def require_room(space: Namespace, files: Mapping[str, int], *, with_loose: bool = True) -> None:
    """Raise OverQuota where a namespace has no room for these files (sha256, bytes)."""
    bound = bound_of(space)
    if not bound or not files:
        return
    there = usage.known(space.pk, files)
    more = sum(size for sha256, size in files.items() if sha256 not in there)
    used = usage.of(space.pk, with_loose=with_loose)
    if more and used + more > bound:
        raise _refusal(space, bound, more)
    _warn(space, Standing(used + more, bound))


def require_guest(viewer: Viewer, repo: Repo, files: Mapping[str, int]) -> None:
    """Raise OverQuota where a guest has sent as much to others as they may hold themselves.

    What a guest proposes counts where it is proposed; so nobody fills the namespaces of others beyond their own bound.
    """
    if viewer.user is None or viewer.is_staff or not files or access.rights_of(viewer, repo).is_member:
        return
    own = Namespace.objects.filter(user=viewer.user).first()
    bound = bound_of(own) if own is not None else 0
    if own is None or not bound:
        return
    there = usage.known(repo.namespace_id, files)
    more = sum(size for sha256, size in files.items() if sha256 not in there)
    orgs = Namespace.objects.filter(organization__memberships__user=viewer.user).values_list("pk", flat=True)
    used = usage.of(own.pk) + usage.proposed_by(viewer.user.pk, home=[own.pk, *orgs])
    if more and used + more > bound:
        raise _refusal(own, bound, more)


def require_bytes(space: Namespace, more: int) -> None:
    """Raise OverQuota where a namespace has no room for so many bytes more."""
    bound = bound_of(space)
    if bound and more and usage.of(space.pk) + more > bound:
        raise _refusal(space, bound, more)


def require_announced(space: Namespace, sizes: Collection[int], small: int) -> None:
    """Raise OverQuota where files of these sizes, not known by more, and so many bytes of small ones, find no room.

    A file of a size that the namespace has may be one that it has.
    """
    if not bound_of(space):
        return
    there = usage.sizes_held(space.pk, sizes)
    large = sum(size for size in sizes if size not in there)
    require_bytes(space, large + (small if small > SPARE else 0))


def require_kept(space: Namespace) -> None:
    """Raise OverQuota, at the end of a transaction that locked a namespace first, where it holds too much now."""
    bound = bound_of(space)
    if not bound:
        return
    used = usage.of(space.pk)
    if used > bound:
        raise _refusal(space, bound, 0)
    _warn(space, Standing(used, bound))


def room_for_small(space: Namespace) -> int | None:
    """Return how many bytes of small files a commit may bring; None where there is no bound."""
    bound = bound_of(space)
    return bound + SPARE - usage.of(space.pk) if bound else None


def refuse_small(space: Namespace) -> OverQuota:
    """Return the error for a commit whose small files are more than there is room for."""
    return _refusal(space, bound_of(space), 0)


def require_chunks(space: Namespace, domain: str, length: int) -> None:
    """Raise OverQuota where a namespace has no room for so many bytes of chunks, sent into a domain."""
    bound = bound_of(space)
    if not bound:
        return
    used = _counted(space, domain)
    if used + length > bound:
        # Something may have been deleted since.
        used = _counted(space, domain, anew=True)
    if used + length > bound:
        raise _refusal(space, bound, length)
    try:
        cache.incr(_COUNTED.format(f"{space.pk}:{domain}"), length)
    except (ValueError, redis.RedisError) as error:
        _log.debug("Chunks are counted anew next time: %s", error)


def _counted(space: Namespace, domain: str, *, anew: bool = False) -> int:
    key = _COUNTED.format(f"{space.pk}:{domain}")
    try:
        known = None if anew else cache.get(key)
        if known is not None:
            return int(known)
        used = usage.of(space.pk) + (0 if domain == str(space.pk) else usage.loose_in(domain))
        cache.set(key, used, COUNTED_SECONDS)
        return used
    except redis.RedisError:
        return usage.of(space.pk) + (0 if domain == str(space.pk) else usage.loose_in(domain))


def in_words(size: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.2f} {name}"
    return f"{size} bytes"


def _refusal(space: Namespace, bound: int, more: int) -> OverQuota:
    """Say so to whoever sends, who may be a guest: what a namespace holds is told to its members, on its page."""
    # A file that a commit deletes stays in the history; only a repo that is deleted makes room.
    if more:
        return OverQuota(
            f"{space.name} may hold {in_words(bound)} and has no room for {in_words(more)} more. Its page tells its"
            " members how full it is. Delete repositories that are not needed, or ask an administrator of this hub for"
            " more."
        )
    return OverQuota(
        f"{space.name} may hold {in_words(bound)} and is full. Its page tells its members how full it is. Delete"
        " repositories that are not needed, or ask an administrator of this hub for more."
    )


# --- counting and telling -----------------------------------------------------------------------------------


def _warn(space: Namespace, now: Standing) -> None:
    """Tell those who keep a namespace that it is nearly full, once for each warning."""
    level = max((step for step in WARNINGS if now.share >= step), default=0)
    row, _ = Quota.objects.get_or_create(namespace=space)
    if not Quota.objects.filter(pk=row.pk).exclude(told=level).update(told=level) or level <= row.told:
        return
    text = (
        f"{space.name} holds {in_words(now.used)} of the {in_words(now.bound)} it may hold, more than {level}%."
        " When it is full, nothing more can be pushed there."
    )
    notices.notify_all(notices.keepers_of_space(space), notices.STORAGE, None, text, f"/{space.name}")


def count() -> int:
    """Count and write down what every namespace holds, and warn the nearly full ones; returns how many hold any."""
    found = usage.of_all()
    now = timezone.now()
    rows = [Quota(namespace_id=space, used=used, counted_at=now) for space, used in found.items()]
    Quota.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["namespace"], update_fields=["used", "counted_at"],
        batch_size=MOST_AT_ONCE,
    )  # fmt: skip
    Quota.objects.exclude(namespace__in=found).update(used=0, counted_at=now)
    for row in _bounded().filter(Q(used__gte=F("limit") * WARNINGS[0] / 100) | Q(told__gt=0)):
        _warn(row.namespace, Standing(row.used, _bound(row)))
    return len(found)


def _bounded() -> QuerySet[Quota]:
    limit = Coalesce("bound", Value(default_bound()), output_field=BigIntegerField())
    return Quota.objects.select_related("namespace").annotate(limit=limit).filter(limit__gt=0)


def largest(limit: int) -> list[tuple[Namespace, Standing]]:
    """Return the namespaces that hold most, as they were last counted."""
    rows = Quota.objects.filter(used__gt=0).select_related("namespace").order_by("-used", "pk")[:limit]
    return [(row.namespace, Standing(row.used, _bound(row))) for row in rows]


def nearly_full() -> int:
    """Return how many namespaces were beyond the first warning when they were last counted."""
    return _bounded().filter(used__gte=F("limit") * WARNINGS[0] / 100).count()


def _bound(row: Quota) -> int:
    return default_bound() if row.bound is None else row.bound
