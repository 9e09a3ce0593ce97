"""Notices behind the bell, and jobs: what was told, and what is being done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

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
SHORT_DIGEST, MAX_NAME = 12, 200
# Steps that are farther apart are of another push.
AT_ONE_TIME = timedelta(minutes=10)
# Whose work is shown: what one asked for, all that is done in what one keeps, everybody's.
STEPS, EVERYBODY = "steps", "all"
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


def works_of(viewer: Viewer, found: Sequence[Job]) -> list[Work]:
    """Return jobs as pages tell them, with the names of the files that they are about."""
    files = worklists.named(viewer, found)
    return [_work(viewer, job, files) for job in found]


def _work(viewer: Viewer, job: Job, files: Mapping[str, tuple[Repo | None, str]]) -> Work:
    repo, file = files.get(str(job.payload.get("sha256", "")), (None, ""))
    return Work(
        job, worklists.may_end(viewer, job), worklists.may_repeat(viewer, job), job.repo or repo, file
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Steps:
    """Work that the hub gave itself for one repo at a time, such as the steps of a push; the newest first."""

    works: tuple[Work, ...]

    @property
    def repo(self) -> Repo | None:
        return self.works[0].repo

    @property
    def newest(self) -> Job:
        return self.works[0].job

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(work.state == "failed" for work in self.works)

    @property
    def running(self) -> int:
        """How many are not done yet."""
        return sum(work.is_open for work in self.works)


def _folded(works: Sequence[Work]) -> list[Work | Steps]:
    """Return what people asked for as it is, and all else that was done in one repo at a time as steps."""
    found: list[list[Work]] = []
    latest: dict[object, list[Work]] = {}
    for work in works:
        key = work.id if work.job.kind in worklists.ASKED_FOR or work.repo is None else work.repo.pk
        group = latest.get(key)
        if group is None or group[-1].job.created_at - work.job.created_at > AT_ONE_TIME:
            latest[key] = group = []
            found.append(group)
        group.append(work)
    return [Steps(tuple(group)) if len(group) > 1 else group[0] for group in found]


@page
def jobs(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Jobs that one asked for; what else is done in what one keeps; all of them for staff who want to see all."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to see jobs.")
    state, repo = request.GET.get("state", ""), request.GET.get("repo", "")[:MAX_NAME]
    whose = request.GET.get("whose", "")
    whose = whose if whose in (STEPS, EVERYBODY) and (whose == STEPS or viewer.is_staff) else ""
    skip = whole_number(request.GET.get("skip", "")) or 0
    found = worklists.in_state(worklists.visible(viewer, everything=whose == EVERYBODY), state)
    found = found.filter(repo__full_name=repo) if repo else found
    found = found if whose or repo else worklists.asked_for(found)
    rows = list(found[skip : skip + PAGE + 1])
    works = works_of(viewer, rows[:PAGE])
    context: dict[str, Any] = {
        "works": works if repo else _folded(works), "state": state, "whose": whose, "states": STATES, "skip": skip,
        "older": skip + PAGE if len(rows) > PAGE else 0, "newer": max(0, skip - PAGE), "of_repo": repo,
        "running": any(work.is_open for work in works), "query": _query(state=state, whose=whose, repo=repo),
        "chosen": _query(whose=whose, repo=repo),
    }  # fmt: skip
    partial = request.headers.get("HX-Target") == "jobs"
    return render(request, "jobs/rows.html" if partial else "jobs/list.html", context)


def _query(**words: str) -> str:
    return urlencode({key: word for key, word in words.items() if word})


@page
def job(request: HttpRequest, viewer: Viewer, *, job: str) -> HttpResponse:
    """One job: how far it is, what it was asked, what came of it."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to see jobs.")
    (work,) = works_of(viewer, [worklists.find(viewer, job)])
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
