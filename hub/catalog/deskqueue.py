"""The cases that wait for a person: how long, who waits for them, and what is built on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from hub.accounts.models import User
from hub.catalog.models import LineageEdge, RefusedPull, Repo
from licenses.cases import WAITING
from licenses.findings import Severity
from licenses.models import Case

MAX_LINES = 300
# From then on a case is late.
LATE = timedelta(days=3)
SORTS: Mapping[str, str] = {"age": "Oldest", "waiting": "Most waited for", "descendants": "Most built on"}
MINE, NOBODY, SET_ASIDE, BLOCKED = "mine", "nobody", "set-aside", "blocked"
SHOWN: Mapping[str, str] = {
    "": "Waiting", MINE: "Mine", NOBODY: "Nobody’s", BLOCKED: "Blocked by policy", SET_ASIDE: "Set aside"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """Why a case is here: a finding or a policy, with the rule that says so."""

    rule: str
    severity: str
    why: str


@dataclass(frozen=True, slots=True)
class Line:
    """One case of the queue."""

    case: Case
    repo: Repo
    waiting: int
    descendants: int
    flags: tuple[Flag, ...]
    is_late: bool

    @property
    def seal(self) -> str:
        """The gravest thing about it, as the state of a seal."""
        if self.case.state == Case.State.BLOCKED:
            return "rejected"
        worst = [flag.severity for flag in self.flags]
        if Severity.BLOCK in worst:
            return "rejected"
        return "missing" if Severity.FIX in worst else "pending"

    @property
    def says(self) -> str:
        """Its first flag in a few words."""
        return self.flags[0].why if self.flags else "Nothing is open; a person decides."


def waiting_cases() -> QuerySet[Case]:
    """Return the cases that wait for a person."""
    return Case.objects.filter(current=True, state__in=WAITING)


def waiting_count(now: datetime) -> int:
    """Return how many cases wait, those set aside for later not counted."""
    return waiting_cases().filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now)).count()


def queue_of(
    user: User, *, show: str = "", sort: str = "age", text: str = "", code: str = "", now: datetime
) -> Sequence[Line]:
    """Return what waits, narrowed and in order; the oldest first unless another order is asked for."""
    rows = _narrowed(user, show, now)
    if text:
        rows = rows.filter(label__icontains=text)
    if code:
        rows = rows.filter(findings__contains=[{"code": code}])
    found = list(rows.select_related("assigned_to").order_by("opened_at")[:MAX_LINES])
    repos = Repo.objects.select_related("namespace").in_bulk([UUID(case.subject) for case in found])
    counts = _waiting(list(repos)), _built_on(list(repos.values()))
    lines = [
        Line(
            case, repos[UUID(case.subject)], counts[0].get(UUID(case.subject), 0),
            counts[1].get(UUID(case.subject), 0), flags_of(case), case.opened_at < now - LATE,
        )
        for case in found
        if UUID(case.subject) in repos
    ]  # fmt: skip
    if sort in ("waiting", "descendants"):
        lines.sort(key=lambda line: (-getattr(line, sort), line.case.opened_at))
    return lines


def _narrowed(user: User, show: str, now: datetime) -> QuerySet[Case]:
    if show == BLOCKED:
        return Case.objects.filter(current=True, state=Case.State.BLOCKED)
    rows = waiting_cases()
    if show == SET_ASIDE:
        return rows.filter(snoozed_until__gt=now)
    rows = rows.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))
    if show == MINE:
        return rows.filter(assigned_to=user)
    return rows.filter(assigned_to=None) if show == NOBODY else rows


def _waiting(repos: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many people were refused; all strangers together count by how often they came."""
    rows = RefusedPull.objects.filter(repo__in=repos).values("repo")
    people = rows.annotate(
        people=Count("user"), strangers=Coalesce(Sum("times", filter=Q(user=None)), 0)
    ).values_list("repo", "people", "strangers")
    return {repo: number + (1 if strangers else 0) for repo, number, strangers in people}


def _built_on(repos: Sequence[Repo]) -> dict[UUID, int]:
    """Return how many repos here come directly from each."""
    keys = {repo.key: repo.pk for repo in repos}
    found: dict[UUID, set[UUID]] = {}
    edges = LineageEdge.objects.filter(Q(parent_repo__in=list(keys.values())) | Q(parent__in=list(keys)))
    for child, parent, key in edges.values_list("repo_id", "parent_repo_id", "parent"):
        found.setdefault(parent or keys[key], set()).add(child)
    return {repo: len(children) for repo, children in found.items()}


def flags_of(case: Case) -> tuple[Flag, ...]:
    """Return why a case is here: findings that hold, then the policies that led to its state."""
    flags = [
        Flag(str(one["code"]), str(one["severity"]), str(one["message"]))
        for one in case.findings
        if one.get("severity") in (Severity.BLOCK, Severity.FIX)
    ]
    flags += [
        Flag(str(one.get("id", "")), str(one.get("action", "")), str(one.get("title", "")))
        for one in case.policies
    ]
    if case.first_seen:
        flags.append(Flag("first-seen", "", "Nobody here has approved these terms before."))
    return tuple(flags)
