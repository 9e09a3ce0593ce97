"""The pages of a repo's terms, of what people agreed to, and of notices."""

from django.urls import URLPattern, path

from hub.pages import accepting, licenses, noticing, terms


def repo_pages(base: str, kind: str) -> list[URLPattern]:
    """Return the pages of one repo type, behind ``base``."""
    extra = {"kind": kind}
    return [
        path(f"{base}/license", terms.show, extra),
        path(f"{base}/license/accept", accepting.show, extra),
        path(f"{base}/license/reply", terms.reply, extra),
    ]


urlpatterns: list[URLPattern] = [
    path("settings/agreements", accepting.agreements, name="agreements"),
    path("settings/agreements/<seg:acceptance>/withdraw", accepting.withdraw, name="withdraw-agreement"),
    path("notice", noticing.show, name="notice"),
    path("licenses/<seg:license_id>/compare/<seg:other>", licenses.compare, name="compare-licenses"),
]
