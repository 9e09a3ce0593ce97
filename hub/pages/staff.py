"""The state of the house on one page, for staff."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import dashboard, pulse, quotas
from hub.catalog.deskqueue import waiting_count
from hub.catalog.errors import RepoNotFound
from hub.pages import told
from hub.pages.doors import page


@page
def show(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Health, work, bytes and people; for anyone else this page does not exist."""
    if not viewer.is_staff:
        raise RepoNotFound("staff")
    context = {
        "now": timezone.now(), "parts": [*pulse.servers(), pulse.workers()], "queue": dashboard.queue(),
        "stored": dashboard.stored(), "disk": dashboard.disk(), "works": told.works_of(viewer, dashboard.open_jobs()),
        "failed": dashboard.failed_jobs(), "largest": dashboard.largest(), "pulled": dashboard.most_pulled(),
        "clearances": dashboard.by_clearance(), "people": dashboard.people(), "section": "staff",
        "waiting": waiting_count(timezone.now()), "acts": dashboard.latest_acts(),
        "spaces": quotas.largest(dashboard.MANY), "nearly_full": quotas.nearly_full(),
        "default_bound": quotas.default_bound(),
    }  # fmt: skip
    partial = request.headers.get("HX-Target") == "dashboard"
    return render(request, "staff/panels.html" if partial else "staff/dashboard.html", context)


@page
def design(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every component that pages are made of, in the reader's theme."""
    if not viewer.is_staff:
        raise RepoNotFound("design")
    return render(request, "staff/design.html", {"section": "staff"})
