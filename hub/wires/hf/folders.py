"""Beside the Hub protocol: `GET /{id}/zip/{revision}[/{path}]`, a folder as one file, and sums to check files by."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from hub.accounts.identity import Viewer
from hub.catalog import archives, integrity
from hub.catalog.lookups import locate
from hub.web import bytes_base, locate_rest, repo_name


def lead(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Ask the gate, and lead to where long requests run, so that pages never wait for the bytes."""
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    path = path.strip("/")
    ticket = archives.ticket(viewer, archives.open_folder(viewer, at, path), path)
    answer = HttpResponse(status=302)
    answer["Location"] = bytes_base(request) + reverse("bytes:zip", kwargs={"ticket": ticket})
    answer["Cache-Control"] = "private, no-store"
    return answer


def sums(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """`GET /{id}/integrity/{revision}/SHA256SUMS`: a list that ``sha256sum -c`` reads."""
    at = locate(viewer, repo_name(kind, repo), revision)
    answer = HttpResponse("".join(integrity.sums(viewer, at)), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="SHA256SUMS"'
    answer["Cache-Control"] = "private, no-cache"
    answer["X-Repo-Commit"] = at.commit
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
