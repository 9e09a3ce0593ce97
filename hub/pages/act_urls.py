"""Pages on which something is done."""

from django.urls import URLPattern, path

from hub.pages import (
    circles,
    discussions,
    edits,
    family,
    finding,
    gathering,
    making,
    previewing,
    sending,
    told,
)


def repo_pages(base: str, kind: str) -> list[URLPattern]:
    """Return the pages of one repo type, behind ``base``."""
    extra = {"kind": kind}
    return [
        path(f"{base}/edit/<rest:rest>", edits.edit, extra),
        path(f"{base}/new/<rest:rest>", edits.new, extra),
        path(f"{base}/preview/<rest:rest>", previewing.look, extra),
        path(f"{base}/delete/<rest:rest>", edits.delete, extra),
        path(f"{base}/metadata/<rest:rest>", edits.metadata, extra),
        path(f"{base}/settings", making.settings, extra),
        path(f"{base}/branches", making.branches, extra),
        path(f"{base}/discussions", discussions.listing, extra),
        path(f"{base}/discussions/new", discussions.new, extra),
        path(f"{base}/discussions/<int:number>", discussions.show, extra),
        path(f"{base}/lineage", family.show, extra),
        path(f"{base}/find", finding.show, extra),
        path(f"{base}/find/<rest:rest>", finding.show, extra),
        path(f"{base}/like", making.like, extra),
        path(f"{base}/collect", gathering.collect, extra),
        path(f"{base}/upload/<rest:rest>", sending.show, extra),
        path(f"{base}/sending/<seg:revision>/advise", sending.advise, extra),
        path(f"{base}/sending/<seg:revision>/begin", sending.begin, extra),
        path(f"{base}/sending/<seg:revision>/finish", sending.finish, extra),
        path(f"{base}/sending/<seg:revision>/commit", sending.land, extra),
    ]


urlpatterns: list[URLPattern] = [
    path("new", making.new, name="new"),
    path("settings", circles.profile, name="profile"),
    path("notifications", told.notifications, name="notifications"),
    path("notifications/<int:pk>", told.follow, name="notice"),
    path("jobs", told.jobs, name="jobs"),
    path("jobs/<seg:job>", told.job, name="job"),
    path("jobs/<seg:job>/cancel", told.cancel, name="cancel-job"),
    path("jobs/<seg:job>/retry", told.retry, name="retry-job"),
    path("collections", gathering.listing, name="collections"),
    path("collections/<seg:namespace>/<seg:tail>", gathering.one, name="collection"),
    path("organizations/new", circles.new_organization, name="new-organization"),
    path("organizations/<seg:name>/settings", circles.organization, name="organization"),
]
