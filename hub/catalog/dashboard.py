"""The state of the house in numbers, for those who look after it."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, Sum
from django.utils import timezone

from hub.accounts.models import Organization, User
from hub.audit.acts import REVIEW
from hub.audit.models import Entry
from hub.catalog.models import Job, Repo, RepoBlob
from licenses.models import PolicyRow
from storage.models import Blob, Form, Xorb

RECENT = timedelta(days=7)
MANY = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes: as the repos count them, as they lie in the store, and what lies damaged or unproven."""

    pushed: int
    plain: int
    chunked: int
    blobs: int
    quarantined: int
    proving: int
    oldest_look: datetime | None

    @property
    def kept(self) -> int:
        return self.plain + self.chunked

    @property
    def most(self) -> int:
        """What a beam of these bytes is drawn against."""
        return max(self.pushed, self.kept, 1)

    @property
    def saved(self) -> float:
        """The share of what was pushed that needed no room, in percent; 0 where more is kept than was pushed."""
        return max(100 * (1 - self.kept / self.pushed), 0) if self.pushed else 0


@dataclass(frozen=True, slots=True)
class Queue:
    """Work by state; `late` is how many seconds the job that is due longest has waited."""

    running: int
    waiting: int
    failed: int
    late: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the hub's own store lies on, in bytes."""

    total: int
    free: int

    @property
    def used(self) -> float:
        """In percent."""
        return 100 * (1 - self.free / self.total)


def stored() -> Stored:
    """Count what is kept; a fixed number of queries."""
    pushed = RepoBlob.objects.filter(state=RepoBlob.State.PROVEN).aggregate(n=Sum("size"))["n"]
    forms = Form.objects.aggregate(
        plain=Sum("blob__size", filter=Q(kind=Form.Kind.PLAIN)), look=Min(F("scrubbed_at"))
    )
    blobs = Blob.objects.aggregate(n=Count("pk"), bad=Count("pk", filter=Q(quarantined_at__isnull=False)))
    return Stored(
        pushed=pushed or 0,
        plain=forms["plain"] or 0,
        chunked=Xorb.objects.aggregate(n=Sum("stored_size"))["n"] or 0,
        blobs=blobs["n"],
        quarantined=blobs["bad"],
        proving=RepoBlob.objects.filter(state=RepoBlob.State.PROVING).count(),
        oldest_look=forms["look"],
    )


def queue() -> Queue:
    """Count jobs by state; failures of the last week."""
    now = timezone.now()
    counts = Job.objects.aggregate(
        running=Count("pk", filter=Q(state=Job.State.RUNNING)),
        waiting=Count("pk", filter=Q(state=Job.State.WAITING)),
        failed=Count("pk", filter=Q(state=Job.State.FAILED, finished_at__gt=now - RECENT)),
        due=Min("due_at", filter=Q(state=Job.State.WAITING, due_at__lte=now)),
    )
    late = int((now - counts["due"]).total_seconds()) if counts["due"] else 0
    return Queue(counts["running"], counts["waiting"], counts["failed"], late)


def open_jobs() -> Sequence[Job]:
    """Return what is being done and what is next, the running first."""
    found = Job.objects.filter(state__in=[Job.State.RUNNING, Job.State.WAITING]).select_related("repo")
    return list(found.order_by("state", "due_at")[:MANY])


def failed_jobs() -> Sequence[Job]:
    """Return the last failures of a week, newest first."""
    found = Job.objects.filter(state=Job.State.FAILED, finished_at__gt=timezone.now() - RECENT)
    return list(found.select_related("repo").order_by("-finished_at")[:MANY])


def largest() -> Sequence[Repo]:
    """Return the repos with the most bytes."""
    return list(Repo.objects.filter(used_storage__gt=0).order_by("-used_storage")[:MANY])


def most_pulled() -> Sequence[Repo]:
    """Return the repos pulled most in the last 30 days."""
    return list(Repo.objects.filter(downloads__gt=0).order_by("-downloads", "full_name")[:MANY])


def by_clearance() -> dict[str, int]:
    """Return how many models stand where in the review of their terms."""
    models = Repo.objects.filter(type=Repo.Type.MODEL)
    return dict(models.values_list("clearance").annotate(n=Count("pk")))


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was written down, and who did it; `outcome` is the clearance that a repo came to."""

    act: str
    label: str
    outcome: str
    who: str
    rule: str
    at: datetime


def latest_acts() -> Sequence[Act]:
    """Return the newest entries of the audit chain, with names of people and titles of rules."""
    # What a scan came to is an entry of its own.
    entries = list(Entry.objects.exclude(act=f"{REVIEW}scan").order_by("-pk")[:MANY])
    numbers = {int(one.actor) for one in entries if one.actor_kind == "person" and one.actor.isdigit()}
    names = dict(User.objects.filter(pk__in=numbers).values_list("pk", "username"))
    slugs = {one.actor for one in entries if one.actor_kind == Entry.ActorKind.POLICY}
    rules = dict(PolicyRow.objects.filter(slug__in=slugs).values_list("slug", "title"))
    return [
        Act(
            one.act, one.label, str(one.data.get("clearance", "")), _who(one, names),
            rules.get(one.actor, one.actor) if one.actor in slugs else "", one.at,
        )
        for one in entries
    ]  # fmt: skip


def _who(entry: Entry, names: Mapping[int, str]) -> str:
    if entry.actor_kind == "person" and entry.actor.isdigit():
        return names.get(int(entry.actor), "somebody whose account is gone")
    return f"the hub ({entry.actor})" if entry.actor_kind == "system" else f"{entry.actor_kind} {entry.actor}"


@dataclass(frozen=True, slots=True)
class People:
    """Who is here."""

    users: int
    organizations: int
    staff: int
    newest: datetime | None


def people() -> People:
    """Count accounts."""
    counts = User.objects.filter(is_active=True).aggregate(
        n=Count("pk"), staff=Count("pk", filter=Q(is_staff=True)), newest=Max("date_joined")
    )
    return People(counts["n"], Organization.objects.count(), counts["staff"], counts["newest"])


def disk() -> Disk | None:
    """Return the room on the disk of the hub's own store; None where the store is somebody else's."""
    folder = Path(settings.HUB_DATA)
    if not (folder / "s3").is_dir():
        return None
    usage = shutil.disk_usage(folder)
    return Disk(usage.total, usage.free)
