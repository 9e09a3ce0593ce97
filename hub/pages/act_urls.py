"""Pages on which something is done."""

from django.urls import URLPattern, path

from hub.pages import edits, sending


def repo_pages(base: str, kind: str) -> list[URLPattern]:
    """Return the pages of one repo type, behind ``base``."""
    extra = {"kind": kind}
    return [
        path(f"{base}/edit/<rest:rest>", edits.edit, extra),
        path(f"{base}/new/<rest:rest>", edits.new, extra),
        path(f"{base}/delete/<rest:rest>", edits.delete, extra),
        path(f"{base}/metadata/<rest:rest>", edits.metadata, extra),
        path(f"{base}/upload/<rest:rest>", sending.show, extra),
        path(f"{base}/sending/<seg:revision>/advise", sending.advise, extra),
        path(f"{base}/sending/<seg:revision>/begin", sending.begin, extra),
        path(f"{base}/sending/<seg:revision>/finish", sending.finish, extra),
        path(f"{base}/sending/<seg:revision>/commit", sending.land, extra),
    ]


urlpatterns: list[URLPattern] = []
