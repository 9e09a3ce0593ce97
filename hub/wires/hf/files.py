"""`HEAD|GET /{id}/resolve/{revision}/{path}`: the door that every download goes through."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import reverse

from hub.accounts.identity import Viewer
from hub.catalog import counters, pulls
from hub.catalog.errors import EntryNotFound
from hub.catalog.lookups import Located
from hub.catalog.trees import Entry
from hub.web import bytes_base, locate_rest, repo_name
from hub.wires.hf.errors import refuse
from hub.wires.hf.tokens import token_address
from hub.wires.ranges import FILE_POLICY, NotSatisfiable, content_type, disposition, parse_range


def resolve(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponseBase:
    """Answer HEAD with everything the client wants to know, GET with the bytes or the way to them.

    HEAD is never redirected: a presigned address is good for GET only, and a client that follows would lose the
    headers that only the hub can give.
    """
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    if not path:
        raise EntryNotFound("Entry not found: the address names no file.", at.commit)
    entry = pulls.open_file(viewer, at, path)
    if _is_known(request, entry):
        answer: HttpResponse = HttpResponseNotModified()
    elif request.method == "HEAD":
        answer = HttpResponse(content_type=content_type(path))
        answer["Content-Length"] = str(entry.size)
    else:
        _count(request, viewer, at)
        answer = (
            _redirect(request, viewer, at, entry) if entry.is_large else _content(request, viewer, at, entry)
        )
    if entry.xet_hash and settings.HUB_XET:
        tokens = token_address(request, at.repo, "read", at.commit)
        answer["X-Xet-Hash"] = entry.xet_hash
        answer["Link"] = f'<{tokens}>; rel="xet-auth"'
    return _with_file_headers(answer, at, entry)


def raw(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponseBase:
    """Answer with the file as git has it: for a large file that is its pointer."""
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    entry = pulls.open_file(viewer, at, path) if path else None
    if entry is None:
        raise EntryNotFound("Entry not found: the address names no file.", at.commit)
    answer = _content(request, viewer, at, entry)
    answer["ETag"] = f'"{entry.oid}"'
    answer["X-Repo-Commit"] = at.commit
    return _harmless(answer)


def _is_known(request: HttpRequest, entry: Entry) -> bool:
    return f'"{entry.etag}"' in request.headers.get("If-None-Match", "")


def _count(request: HttpRequest, viewer: Viewer, at: Located) -> None:
    begins = request.headers.get("Range", "bytes=0-").startswith("bytes=0-")
    if begins:
        who = str(viewer.user.pk) if viewer.user else request.META.get("REMOTE_ADDR", "")
        counters.note_download(
            repo=at.repo, commit=at.commit, who=f"{who}|{request.headers.get('User-Agent', '')}"
        )


def _redirect(request: HttpRequest, viewer: Viewer, at: Located, entry: Entry) -> HttpResponse:
    way = pulls.way_to(viewer, at.repo, sha256=entry.sha256, filename=entry.name)
    url = way.url or bytes_base(request) + reverse("bytes:download", kwargs={"ticket": way.ticket})
    answer = HttpResponse(status=302)
    answer["Location"] = url
    # The target is short-lived and made for one viewer, so nothing on the way may keep it.
    answer["Cache-Control"] = "private, no-store"
    return answer


def _content(request: HttpRequest, viewer: Viewer, at: Located, entry: Entry) -> HttpResponse:
    heads = request.method == "HEAD"
    content = pulls.content_of(at.repo, entry) if heads else pulls.hand_out(viewer, at, entry)
    size = len(content)
    try:
        wanted = parse_range(request.headers.get("Range"), size)
    except NotSatisfiable:
        answer = refuse(416, f"The file has {size} bytes.")
        answer["Content-Range"] = f"bytes */{size}"
        return answer
    if wanted is None:
        answer = HttpResponse(content, content_type=content_type(entry.path))
    else:
        start, length = wanted
        part = content[start : start + length]
        answer = HttpResponse(part, status=206, content_type=content_type(entry.path))
        answer["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    answer["Content-Length"] = str(len(answer.content))
    return answer


def _with_file_headers(answer: HttpResponse, at: Located, entry: Entry) -> HttpResponse:
    answer["X-Repo-Commit"] = at.commit
    answer["ETag"] = f'"{entry.etag}"'
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Disposition"] = disposition(entry.path)
    if entry.is_large:
        answer["X-Linked-Etag"] = f'"{entry.sha256}"'
        answer["X-Linked-Size"] = str(entry.size)
    return _harmless(answer)


def _harmless(answer: HttpResponse) -> HttpResponse:
    """Uploaded content is shown without any power over the hub's own pages."""
    answer["Content-Security-Policy"] = FILE_POLICY
    answer["X-Content-Type-Options"] = "nosniff"
    # Models are read by scripts of other origins, such as a notebook in a browser.
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Access-Control-Expose-Headers"] = (
        "X-Repo-Commit,X-Linked-Etag,X-Linked-Size,X-Xet-Hash,Link,ETag,Content-Length"
    )
    return answer
