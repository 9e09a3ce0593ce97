"""Integrity: how the bytes of a revision were proven, when they were looked at again, and how to check them oneself."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog import integrity
from hub.catalog.errors import BadPath, EntryNotFound
from hub.catalog.integrity import Link
from hub.catalog.lookups import DEFAULT_REVISION, Located, locate
from hub.pages.doors import page
from hub.pages.repos import shell
from hub.web import public_base, repo_name


@page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """The tab."""
    at = locate(viewer, repo_name(kind, repo), request.GET.get("revision", DEFAULT_REVISION)[:255])
    context = shell(viewer, at, tab="integrity")
    kept = integrity.large_files(at)
    path = request.GET.get("file", "") or context["proof"].largest
    looked = [one.looked_at for one in kept if one.looked_at]
    context |= {
        "kept": kept, "path": path, "chain": _chain(at, path) if path else [], "scrub_days": settings.HUB_SCRUB_DAYS,
        "oldest": min(looked, default=None), "again": sum(one.times for one in kept), "base": public_base(request),
        "damaged": any(not look.is_sound for one in kept for look in one.looks),
    }  # fmt: skip
    return render(request, "repo/integrity.html", context)


def _chain(at: Located, path: str) -> list[Link]:
    try:
        return integrity.chain(at, path)
    except BadPath:
        raise EntryNotFound(f"{path} is not a file in this revision.", at.commit) from None
