"""Uploading in a browser: the page, and the doors that its script knocks at.

The same verbs as behind the programs' doors do the work; here a session and its CSRF token say who asks.
"""

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, preupload, pushes, resuming
from hub.catalog.commits import Message, commit, find_target
from hub.catalog.errors import BadRequest, SignInNeeded
from hub.catalog.lookups import find_repo, locate_in
from hub.catalog.models import Repo
from hub.catalog.names import FilePath, check_sha256
from hub.catalog.operations import AddFile, AddLarge, Operation
from hub.lines import objects_in
from hub.pages.addresses import repo_url, rev_url
from hub.pages.doors import json_page, page
from hub.pages.files import crumbs
from hub.pages.middleware import PAGE_POLICY
from hub.pages.scriptwords import UPLOAD, words
from hub.pages.targets import target_of
from hub.web import bytes_base, locate_rest, public_base, repo_name

MAX_ADVICE = 256


@ensure_csrf_cookie
@page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """The page on which files are chosen, watched on their way and committed."""
    at, folder = locate_rest(viewer, repo_name(kind, repo), rest)
    if viewer.user is None:
        raise SignInNeeded("Sign in to upload.")
    access.require_propose(viewer, at.repo)
    folder = str(FilePath.parse(folder.rstrip("/"))) if folder.rstrip("/") else ""
    context = {
        "repo": at.repo, "rev": at.revision, "folder": folder, "crumbs": crumbs(at, folder),
        "target": target_of(viewer, at), "words": words(UPLOAD),
        "doors": f"{rev_url(at.repo, 'sending', at.revision)}/", "user_id": viewer.user.pk,
    }  # fmt: skip
    response = render(request, "repo/upload.html", context)
    response["Content-Security-Policy"] = _policy(request)
    return response


def _policy(request: HttpRequest) -> str:
    """Return the policy of pages, with leave to send bytes to where they belong and nowhere else."""
    place = urlsplit(bytes_base(request))
    others = {resuming.store_origin(), f"{place.scheme}://{place.netloc}"} - {"", public_base(request)}
    return PAGE_POLICY.replace("connect-src 'self'", " ".join(["connect-src 'self'", *sorted(others)]))


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadRequest("The request is not JSON.") from None
    if not isinstance(data, dict):
        raise BadRequest("The request is not a JSON object.")
    return data


def _files(data: dict[str, Any], most: int) -> list[dict[str, Any]]:
    found = data.get("files")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found) or len(found) > most:
        raise BadRequest(f"files must be a list of at most {most} objects.")
    return found


def _size(item: dict[str, Any]) -> int:
    size = item.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**62:
        raise BadRequest("size must be a whole number of bytes.")
    return size


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise BadRequest(f"{key} must be a text.")
    return value


def _is_proposal(request: HttpRequest) -> bool:
    return request.GET.get("proposal") == "1"


def _repo(viewer: Viewer, kind: str, repo: str) -> Repo:
    return find_repo(viewer, repo_name(kind, repo))


@require_POST
@json_page
def advise(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """Say of each file whether it is large, ignored, or there already."""
    found = _repo(viewer, kind, repo)
    target = find_target(viewer, found, revision, create_pr=_is_proposal(request))
    samples = [
        preupload.Sample(str(FilePath.parse(_text(item, "path"))), _size(item), _text(item, "sample")[:2000])
        for item in _files(_body(request), MAX_ADVICE)
    ]
    answers = preupload.advise(locate_in(found, target.name), samples, None)
    rows = [
        {"path": item.path, "large": item.large, "ignored": item.ignored, "oid": item.oid} for item in answers
    ]
    return JsonResponse({"files": rows})


@require_POST
@json_page
def begin(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """Say what is left to be sent of each large file, and where to."""
    place = _repo(viewer, kind, repo)
    wanted = [
        (check_sha256(item.get("sha256"), "sha256"), _size(item))
        for item in _files(_body(request), resuming.MAX_FILES)
    ]
    found = resuming.begin(viewer, place, wanted)
    return JsonResponse({"files": [_sending(request, item) for item in found]})


def _sending(request: HttpRequest, item: resuming.Sending) -> dict[str, Any]:
    through_hub = bytes_base(request)
    left = [
        {
            "number": part.number, "start": part.start, "end": part.end,
            "url": part.url or through_hub + reverse("bytes:upload", kwargs={"ticket": part.ticket}),
        }
        for part in item.left
    ]  # fmt: skip
    return {
        "sha256": item.sha256,
        "size": item.size,
        "upload": item.upload and str(item.upload),
        "left": left,
    }


@require_POST
@json_page
def finish(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """Every part of a file is there: have it put together, and proven."""
    try:
        upload = UUID(_text(_body(request), "upload"))
    except ValueError:
        raise BadRequest("upload must be the id of an upload.") from None
    pushes.complete(viewer, _repo(viewer, kind, repo), upload, parts=None)
    return JsonResponse({})


@require_POST
@json_page
def land(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """Make one commit of everything that was sent; the body is newline-delimited JSON, read as a stream."""
    found, proposal = _repo(viewer, kind, repo), _is_proposal(request)
    find_target(viewer, found, revision, create_pr=proposal)
    lines = objects_in(request)
    header = next(lines, None) or {}
    done = commit(
        viewer, found, revision=revision, operations=(_operation(line) for line in lines),
        message=Message(_text(header, "summary"), _text(header, "description")), create_pr=proposal,
    )  # fmt: skip
    address = rev_url(found, "tree", revision, _text(header, "folder"))
    if done.pull_request:
        address = f"{repo_url(found)}/discussions/{done.pull_request}"
    return JsonResponse({"commit": done.oid, "url": address, "warnings": list(done.warnings)})


def _operation(line: dict[str, Any]) -> Operation:
    path = FilePath.parse(_text(line, "path"))
    if line[""] == "lfsFile":
        return AddLarge(path, check_sha256(line.get("oid"), "oid"), _size(line))
    if line[""] != "file":
        raise BadRequest(f"key {line['']!r} is not known; use file or lfsFile.")
    try:
        return AddFile(path, base64.b64decode(_text(line, "content"), validate=True))
    except (binascii.Error, ValueError):
        raise BadRequest(f"The content of {path} is not base64.") from None
