"""Notices behind the bell, and jobs: what was told, and what is being done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import conversions, notices, worklists
from hub.catalog.errors import BadRequest, NameTaken, NoRoom, RevisionNotFound, SignInNeeded, TooManyAtOnce
from hub.catalog.models import Job, Repo
from hub.pages import jobfacts
from hub.pages.doors import member_page, page
from hub.pages.jobwords import job_name
from hub.pages.saying import said
from hub.web import whole_number

PAGE = 40
SHORT_DIGEST = 12
STATES = ("", "open", "done", "failed")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def notifications(request: HttpRequest, user: User) -> HttpResponse:
    """What somebody was told, newest first; a form marks it as read."""
    if request.method == "POST":
        notices.mark_read(user, pk=whole_number(request.POST.get("notice", "")))
        return HttpResponseRedirect(request.path)
    found = notices.recent(user, before=whole_number(request.GET.get("before", "")) or 0, limit=PAGE + 1)
    context = {"notices": found[:PAGE], "older": found[PAGE - 1].pk if len(found) > PAGE else 0}
    return render(request, "people/notifications.html", context)


@require_http_methods(["GET", "HEAD"])
@member_page
def follow(request: HttpRequest, user: User, *, pk: int) -> HttpResponse:
    """Lead to what a notice is about, and mark it as read."""
    notice = notices.find(user, pk)
    if notice is not None:
        notices.mark_read(user, pk=notice.pk)
    return HttpResponseRedirect(notice.url if notice and notice.url else reverse("pages:notifications"))


@dataclass(frozen=True, slots=True)
class Work:
    """A job as the pages tell it."""

    job: Job
    may_end: bool
    may_repeat: bool
    # Where the job names bytes alone: a repo that has them, and what they are called there.
    repo: Repo | None = None
    file: str = ""

    @property
    def state(self) -> str:
        """One of waiting, running, done, failed, cancelled."""
        return conversions.state_of(self.job)

    @property
    def id(self) -> str:
        """The job's id as addresses have it."""
        return str(self.job.pk)

    @property
    def is_open(self) -> bool:
        return self.job.state in (Job.State.WAITING, Job.State.RUNNING)

    @property
    def name(self) -> str:
        """What kind of work it is, in words."""
        return job_name(self.job.kind)

    @property
    def about(self) -> str:
        """What is worked on, beyond the repo."""
        payload = self.job.payload
        types = payload.get("types")
        about = ", ".join(map(str, types)) if isinstance(types, list) else str(payload.get("path", ""))
        return about or self.file or str(payload.get("sha256", ""))[:SHORT_DIGEST]


def _works(viewer: Viewer, found: Sequence[Job]) -> list[Work]:
    files = worklists.named(viewer, found)
    return [_work(viewer, job, files) for job in found]


def _work(viewer: Viewer, job: Job, files: Mapping[str, tuple[Repo | None, str]]) -> Work:
    repo, file = files.get(str(job.payload.get("sha256", "")), (None, ""))
    return Work(
        job, worklists.may_end(viewer, job), worklists.may_repeat(viewer, job), job.repo or repo, file
    )  # fmt: skip


@page
def jobs(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Jobs that one asked for or keeps; all of them for staff who want to see all."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to see jobs.")
    state = request.GET.get("state", "")
    everything = viewer.is_staff and request.GET.get("whose") == "all"
    skip = whole_number(request.GET.get("skip", "")) or 0
    found = worklists.in_state(worklists.visible(viewer, everything=everything), state)
    rows = list(found[skip : skip + PAGE + 1])
    works = _works(viewer, rows[:PAGE])
    context: dict[str, Any] = {
        "works": works, "state": state, "everything": everything, "states": STATES, "skip": skip,
        "older": skip + PAGE if len(rows) > PAGE else 0, "newer": max(0, skip - PAGE),
        "running": any(work.is_open for work in works),
    }  # fmt: skip
    partial = request.headers.get("HX-Target") == "jobs"
    return render(request, "jobs/rows.html" if partial else "jobs/list.html", context)


@page
def job(request: HttpRequest, viewer: Viewer, *, job: str) -> HttpResponse:
    """One job: how far it is, what it was asked, what came of it."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to see jobs.")
    (work,) = _works(viewer, [worklists.find(viewer, job)])
    context = {
        "work": work, "asked": jobfacts.asked_of(work.job), "found": jobfacts.found_by(work.job),
        "files": jobfacts.files_of(work.job), "warnings": jobfacts.warnings_of(work.job),
    }  # fmt: skip
    partial = request.headers.get("HX-Target") == "job"
    return render(request, "jobs/panel.html" if partial else "jobs/one.html", context)


@require_POST
@page
def cancel(request: HttpRequest, viewer: Viewer, *, job: str) -> HttpResponse:
    """End a job."""
    found = worklists.find(viewer, job)
    worklists.end(viewer, found)
    return HttpResponseRedirect(f"/jobs/{found.pk}")


@require_POST
@page
def retry(request: HttpRequest, viewer: Viewer, *, job: str) -> HttpResponse:
    """Ask again for what failed."""
    found = worklists.find(viewer, job)
    try:
        again = worklists.repeat(viewer, found)
    except (BadRequest, NameTaken, NoRoom, RevisionNotFound, TooManyAtOnce) as trouble:
        messages.error(request, said(trouble))
        return HttpResponseRedirect(f"/jobs/{found.pk}")
    messages.success(request, _("It was asked for again."))
    return HttpResponseRedirect(f"/jobs/{again.pk}")
