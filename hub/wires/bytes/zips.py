"""`GET /bytes/zip/{ticket}`: a folder as one ZIP file, made while it is sent."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import archives, counters
from hub.catalog.errors import BeingProven, RevisionNotFound
from hub.wires.base import plain_refusal, status_of
from hub.wires.ranges import FILE_POLICY, disposition

# What a folder's answer says of itself.
_HEADERS = {
    "Accept-Ranges": "none", "Cache-Control": "private, no-store", "Content-Security-Policy": FILE_POLICY,
    "X-Content-Type-Options": "nosniff",
}  # fmt: skip


def translate(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the answer to an error, or None for one that is a fault of ours."""
    if isinstance(error, BeingProven | RevisionNotFound):
        return plain_refusal(error, 503 if isinstance(error, BeingProven) else 404)
    status = status_of(error)
    return plain_refusal(error, status) if status else None


def send(request: HttpRequest, viewer: Viewer, *, ticket: str) -> HttpResponseBase:
    """Stream the archive; its length is told, so that a client sees when it was cut short."""
    archive = archives.redeem(ticket)
    length = archive.length
    chunks: Iterator[bytes] = iter(())
    if request.method != "HEAD":
        who = str(archive.viewer.user.pk) if archive.viewer.user else request.META.get("REMOTE_ADDR", "")
        agent = request.headers.get("User-Agent", "")
        counters.note_download(repo=archive.at.repo, commit=archive.at.commit, who=f"{who}|{agent}")
        chunks = archive.stream()
    answer = StreamingHttpResponse(chunks, content_type="application/zip", headers=_HEADERS)
    answer["Content-Length"] = str(length)
    answer["Content-Disposition"] = disposition(archive.name).replace("inline", "attachment", 1)
    answer["X-Repo-Commit"] = archive.at.commit
    return answer
