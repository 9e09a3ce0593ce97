"""`GET /{id}/zip/{revision}[/{path}]`: a folder as one ZIP file, beside the Hub protocol."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from hub.accounts.identity import Viewer
from hub.catalog import archives
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
