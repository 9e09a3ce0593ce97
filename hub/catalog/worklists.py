"""Jobs as people see them: which are theirs, ending one, asking again for one that failed."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, conversions, jobs
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed
from hub.catalog.founding import namespaces_of
from hub.catalog.models import Job, Repo, RepoBlob, TreeRow

OPEN, ENDED = "open", "ended"
# What a person asks for by name; all else the hub asks itself for.
ASKED_FOR = frozenset(jobs.NAMES)


def asker_of(job: Job) -> int | None:
    """Return the id of the person who asked for a job, where a person did."""
    asker = job.payload.get("user")
    return asker if isinstance(asker, int) else None


def visible(viewer: Viewer, *, everything: bool = False) -> QuerySet[Job]:
    """Return the jobs that somebody may see, newest first: what they asked for, and what is done in repos they keep.

    Staff may see ``everything``.
    """
    found = Job.objects.select_related("repo__namespace").order_by("-created_at", "-pk")
    if viewer.user is None:
        return found.none()
    if everything and viewer.is_staff:
        return found
    mine = found.filter(Q(payload__user=viewer.user.pk) | Q(repo__namespace__in=namespaces_of(viewer)))
    # Who asked and may no longer know of the repo learns no more of it by its jobs.
    return mine.filter(Q(repo=None) | Q(repo__in=access.visible_repos(viewer)))


def in_state(found: QuerySet[Job], state: str) -> QuerySet[Job]:
    """Narrow jobs to a state, or to those that are open or ended."""
    if state == OPEN:
        return found.filter(state__in=jobs.OPEN)
    if state == ENDED:
        return found.exclude(state__in=jobs.OPEN)
    return found.filter(state=state) if state in Job.State.values else found


def asked_for(found: QuerySet[Job]) -> QuerySet[Job]:
    """Narrow jobs to those that people asked for."""
    return found.filter(kind__in=ASKED_FOR)


def find(viewer: Viewer, job_id: str) -> Job:
    """Return a job that the viewer may see; raises EntryNotFound."""
    try:
        job = visible(viewer, everything=True).filter(pk=UUID(job_id)).first()
    except ValueError:
        job = None
    if job is None:
        raise EntryNotFound("There is no such job, or it is not yours.")
    return job


def named(viewer: Viewer, found: Iterable[Job]) -> dict[str, tuple[Repo | None, str]]:
    """Return a repo that the viewer may see and a file's name for every sha256 that jobs are about; two queries."""
    wanted = {one for job in found if isinstance(one := job.payload.get("sha256"), str)}
    if not wanted:
        return {}
    claims = RepoBlob.objects.filter(sha256__in=wanted, repo__in=access.visible_repos(viewer))
    claims = claims.select_related("repo__namespace").order_by("sha256", "pk").distinct("sha256")
    repos = {claim.sha256: claim.repo for claim in claims}
    # What others call the same bytes in repos of theirs is not for this viewer.
    networks = {repo.network_id for repo in repos.values()}
    rows = TreeRow.objects.filter(sha256__in=list(repos), network_id__in=networks)
    names = dict(rows.order_by("sha256", "pk").distinct("sha256").values_list("sha256", "name"))
    return {one: (repos.get(one), names.get(one, "")) for one in wanted}


def may_end(viewer: Viewer, job: Job) -> bool:
    """May the viewer end this job?  What the hub asked itself for goes on: it would only ask again."""
    if job.state not in jobs.OPEN or asker_of(job) is None or viewer.user is None:
        return False
    return asker_of(job) == viewer.user.pk or (job.repo is not None and access.may_write(viewer, job.repo))


def may_repeat(viewer: Viewer, job: Job) -> bool:
    """May the viewer ask again for what failed?  Staff may for what the hub or a client asked for."""
    if job.state != Job.State.FAILED:
        return False
    if job.kind != conversions.KIND:
        return viewer.is_staff
    return job.repo is not None and access.may_convert(viewer, job.repo).allowed


def end(viewer: Viewer, job: Job) -> None:
    """End an open job; raises NotAllowed."""
    if job.state not in jobs.OPEN:
        return
    if not may_end(viewer, job) or viewer.user is None:
        raise NotAllowed("This work is not yours to end.")
    jobs.cancel(job, why=f"Cancelled by {viewer.user.username}.")


def repeat(viewer: Viewer, job: Job) -> Job:
    """Ask again for work that failed; returns the new job, or an open one for the same.

    A conversion is asked for in the viewer's name, and by all that is asked of a new one: raises what that does.
    """
    if job.state != Job.State.FAILED:
        raise BadRequest("Only work that failed is asked for again.")
    if not may_repeat(viewer, job):
        raise NotAllowed("You may not ask for this work again.")
    if job.kind == conversions.KIND:
        return conversions.ask_again(viewer, job)
    return jobs.ask(kind=job.kind, subject=job.subject, repo=job.repo, payload=dict(job.payload))
