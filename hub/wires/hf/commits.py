"""Pushing by the Hub protocol: card check, preupload and the NDJSON commit."""

import base64
import binascii
from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import preupload as advice
from hub.catalog.cards import parse_card
from hub.catalog.commits import Committed, Message, commit, find_target
from hub.catalog.errors import BadRequest
from hub.catalog.lookups import locate_in
from hub.catalog.models import Repo
from hub.catalog.names import FilePath, check_sha256, is_oid_prefix
from hub.catalog.operations import AddFile, AddLarge, Copy, Delete, Operation
from hub.catalog.squash import squash
from hub.catalog.verdicts import after_commit
from hub.lines import objects_in
from hub.web import header_text, public_base
from hub.wires.base import json_answer
from hub.wires.hf.bodies import CardBody, PreuploadBody, SquashBody
from hub.wires.hf.reading import checked, flag, get_repo, json_body

_HEADER_KEYS = ("summary", "description", "parentCommit")


def validate_yaml(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/validate-yaml`.  A push asks for JSON and hears warnings only: a broken card never loses it.

    Somebody who asks for plain text (`RepoCard.validate`) wants to know, and gets the errors as such.
    """
    body = checked(CardBody, json_body(request))
    claims = parse_card(body["content"].encode("utf-8", "replace"))
    if claims.errors and "text/plain" in request.headers.get("Accept", ""):
        text = "\n".join(f"- Error: {error}" for error in claims.errors)
        return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
    found = claims.errors + claims.warnings
    return json_answer({"warnings": [{"message": text} for text in found]} if found else {})


def preupload(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str) -> HttpResponse:
    """`POST .../preupload/{revision}`: how each file is to be sent."""
    found = get_repo(viewer, kind, repo)
    target = find_target(viewer, found, revision, create_pr=flag(request, "create_pr"))
    body = checked(PreuploadBody, json_body(request))
    samples = [advice.Sample(item["path"], item["size"], item["sample"]) for item in body["files"]]
    answers = advice.advise(locate_in(found, target.name), samples, body.get("gitIgnore"))
    return json_answer(
        {
            "files": [
                {
                    "path": item.path,
                    "uploadMode": "lfs" if item.large else "regular",
                    "shouldIgnore": item.ignored,
                    "oid": item.oid,
                }
                for item in answers
            ]
        }
    )


def create_commit(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str
) -> HttpResponse:
    """`POST .../commit/{revision}`: newline-delimited JSON, read as a stream."""
    found = get_repo(viewer, kind, repo)
    create_pr = flag(request, "create_pr")
    find_target(viewer, found, revision, create_pr=create_pr)
    lines = objects_in(request)
    header = _header(next(lines, None))
    done = commit(
        viewer, found, revision=revision, operations=(_operation(line) for line in lines),
        message=Message(header["summary"], header["description"]), parent=header["parentCommit"], create_pr=create_pr,
    )  # fmt: skip
    return _committed(request, found, done)


def super_squash(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, branch: str) -> HttpResponse:
    """`POST .../super-squash/{branch}`: one commit instead of the branch's history."""
    body = checked(SquashBody, json_body(request))
    found = get_repo(viewer, kind, repo)
    message = Message(body.get("message") or f"Squash the history of {branch}")
    return json_answer({"commitOid": squash(viewer, found, revision=branch, message=message)})


def _committed(request: HttpRequest, repo: Repo, done: Committed) -> HttpResponse:
    base = f"{public_base(request)}/{'datasets/' if repo.type == 'dataset' else ''}{repo.full_name}"
    answer: dict[str, Any] = {
        "success": True, "commitOid": done.oid, "commitUrl": f"{base}/commit/{done.oid}", "hookOutput": "",
    }  # fmt: skip
    if done.pull_request is not None:
        answer["pullRequestUrl"] = f"{base}/discussions/{done.pull_request}"
    response = json_answer(answer)
    if warning := _warning(repo, done):
        response["X-HF-Warning"] = header_text(warning)
    return response


def _warning(repo: Repo, done: Committed) -> str:
    """Return a topic and a message; there is room for one topic, and terms go first."""
    card, terms = " ".join(done.warnings), after_commit(repo, done.ref)
    if terms:
        return f"license; {terms}" + (f" (card: {card})" if card else "")
    return f"card; {card}" if card else ""


def _header(item: dict[str, Any] | None) -> dict[str, str]:
    if item is None or item[""] != "header":
        raise BadRequest('The first line must have the key "header".')
    values = {key: item.get(key) or "" for key in _HEADER_KEYS}
    for key, value in values.items():
        if not isinstance(value, str):
            raise BadRequest(f"header.{key} must be a string.")
    parent = values["parentCommit"]
    if parent and not is_oid_prefix(parent):
        raise BadRequest("header.parentCommit must be a commit id of 5 to 40 hex digits.")
    return values


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise BadRequest(f"{item['']}.{key} must be a string.")
    return value


def _operation(item: dict[str, Any]) -> Operation:
    match item[""]:
        case "file":
            return AddFile(FilePath.parse(_text(item, "path")), _content(item))
        case "lfsFile":
            return AddLarge(FilePath.parse(_text(item, "path")), _sha256(item), _size(item))
        case "deletedFile" | "deletedFolder":
            return Delete(FilePath.parse(_text(item, "path").removesuffix("/")))
        case "copyFile":
            revision = item.get("srcRevision") or "main"
            source = FilePath.parse(_text(item, "srcPath"))
            return Copy(FilePath.parse(_text(item, "path")), source, str(revision))
    raise BadRequest(
        f"key {item['']!r} is not known; use file, lfsFile, deletedFile, deletedFolder or copyFile."
    )


def _content(item: dict[str, Any]) -> bytes:
    text, encoding = _text(item, "content"), item.get("encoding", "base64")
    if encoding == "utf-8":
        return text.encode("utf-8", "surrogatepass")
    if encoding != "base64":
        raise BadRequest(f'file.encoding must be "base64" or "utf-8", not {encoding!r}.')
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"file.content of {item.get('path')!r} is not base64.") from None


def _sha256(item: dict[str, Any]) -> str:
    if item.get("algo", "sha256") != "sha256":
        raise BadRequest('lfsFile.algo must be "sha256".')
    return check_sha256(item.get("oid"), "lfsFile.oid")


def _size(item: dict[str, Any]) -> int | None:
    size = item.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise BadRequest("lfsFile.size must be a whole number of bytes.")
    return size
