"""The JSON of the Hub protocol, made from the catalog's rows."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from hub.accounts.models import User
from hub.catalog.lookups import Located
from hub.catalog.models import CommitRecord, Ref, Repo
from hub.catalog.refs import RefList, short_name
from hub.catalog.trees import Entry

# The names that `expand` takes for a model or data set; everything else of a repo is always sent.
EXPANDABLE = (
    "author", "baseModels", "cardData", "childrenModelCount", "config", "createdAt", "disabled", "downloads",
    "downloadsAllTime", "evalResults", "gated", "gguf", "inference", "inferenceProviderMapping", "lastModified",
    "library_name", "likes", "mask_token", "model-index", "pipeline_tag", "private", "resourceGroup", "safetensors",
    "sha", "siblings", "spaces", "tags", "transformersInfo", "trendingScore", "usedStorage", "widgetData",
    "citation", "description", "paperswithcode_id",
)  # fmt: skip


def iso(moment: datetime) -> str:
    """Return the only form of time that the client parses: milliseconds and a literal Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def repo_facts(repo: Repo) -> dict[str, Any]:
    """Return what the repo's own row tells, without any further query."""
    return {
        "author": repo.namespace.name,
        "createdAt": iso(repo.created_at),
        "lastModified": iso(repo.updated_at),
        "private": repo.private,
        "disabled": repo.disabled,
        "gated": repo.gated or False,
        "downloads": repo.downloads,
        "downloadsAllTime": repo.downloads_all_time,
        "likes": repo.likes,
        "trendingScore": repo.downloads + repo.likes,
        "usedStorage": repo.used_storage,
        "tags": repo.tags,
        "pipeline_tag": repo.pipeline_tag or None,
        "library_name": repo.library or None,
        "baseModels": {"models": [{"id": base} for base in repo.base_models]} if repo.base_models else None,
        "sha": repo.head,
    }


def identity(repo: Repo) -> dict[str, Any]:
    """Return the ids that every answer about a repo carries."""
    return {"_id": repo.id.hex[:24], "id": repo.full_name, "modelId": repo.full_name}


def revision_facts(at: Located) -> dict[str, Any]:
    """Return what the commit at hand tells: its card, and what inspections of its files add up to."""
    facts = {"sha": at.commit, "cardData": at.card or None, "model-index": at.card.get("model-index")}
    for key in ("safetensors", "gguf", "config"):
        if at.facts.get(key):
            facts[key] = at.facts[key]
    if at.commit != at.repo.head:
        facts["lastModified"] = iso(at.created_at)
    return facts


def sibling(entry: Entry, *, blobs: bool) -> dict[str, Any]:
    """Return a file as repo info lists it; sizes and hashes only when asked for."""
    if not blobs:
        return {"rfilename": entry.path}
    shape: dict[str, Any] = {"rfilename": entry.path, "size": entry.size, "blobId": entry.oid}
    if entry.is_large:
        shape["lfs"] = {"sha256": entry.sha256, "size": entry.size, "pointerSize": entry.pointer_size}
    return shape


def chosen(shape: dict[str, Any], expand: Iterable[str]) -> dict[str, Any]:
    """Keep the ids and the fields that ``expand`` names."""
    return {key: value for key, value in shape.items() if key in ("_id", "id", "modelId") or key in expand}


def tree_entry(entry: Entry, last: CommitRecord | None = None, *, expand: bool = False) -> dict[str, Any]:
    """Return a file or folder as the tree lists it."""
    kind = "directory" if entry.is_folder else "file"
    shape: dict[str, Any] = {"type": kind, "oid": entry.oid, "size": entry.size, "path": entry.path}
    if entry.is_large:
        shape["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": entry.pointer_size}
        if entry.xet_hash and settings.HUB_XET:
            shape["xetHash"] = entry.xet_hash
        # Ours, beside the protocol: how far the bytes are proven.
        shape["proof"] = entry.state or "missing"
    if expand:
        shape["lastCommit"] = last and {"id": last.oid, "title": last.title, "date": iso(last.created_at)}
        if not entry.is_folder:
            shape["securityFileStatus"] = security(entry)
    return shape


def security(entry: Entry) -> dict[str, Any]:
    """Return the proof of a file's bytes in the words of the protocol's scan status."""
    words = {"proven": "safe", "proving": "queued", "rejected": "unsafe"}
    status = words.get(entry.state or "", "unscanned") if entry.is_large else "safe"
    return {"status": status, "avScan": None, "pickleImportScan": None}


def commit(record: CommitRecord, *, formatted: bool = False) -> dict[str, Any]:
    """Return one line of a history."""
    shape: dict[str, Any] = {
        "id": record.oid,
        "title": record.title,
        "message": record.message,
        "date": iso(record.created_at),
        "authors": [{"user": record.author_name}],
    }
    if formatted:
        shape["formatted"] = {"title": record.title, "message": record.message}
    return shape


def _ref(ref: Ref) -> dict[str, str]:
    return {"name": short_name(ref), "ref": ref.name, "targetCommit": ref.oid}


def refs(found: RefList, *, pulls: bool) -> dict[str, Any]:
    """Return every ref of a repo."""
    shape: dict[str, Any] = {
        "branches": [_ref(ref) for ref in found.branches],
        "converts": [],
        "tags": [_ref(ref) for ref in found.tags],
    }
    if pulls:
        shape["pullRequests"] = [_ref(ref) for ref in found.pulls]
    return shape


def person(user: User) -> dict[str, Any]:
    """Return a user as lists of people show one."""
    return {
        "user": user.username,
        "fullname": user.get_full_name(),
        "type": "user",
        "avatarUrl": "",
        "isPro": False,
    }
