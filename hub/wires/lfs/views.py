"""The batch API of git-lfs (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md), and its completion.

The stock client PUTs to the addresses it is given without any header of ours and without credentials, and completes a
multipart upload without credentials as well: those addresses carry signed tickets.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import pulls, pushes
from hub.catalog.batches import MAX_FILES, check_batch
from hub.catalog.errors import BadRequest
from hub.catalog.lookups import find_repo
from hub.catalog.models import Repo
from hub.catalog.names import RepoName, check_sha256
from hub.catalog.tickets import UploadTicket, identity_of
from hub.web import bytes_base, public_base
from hub.wires.lfs.reading import checked, json_body, lfs_answer

# Stands in for a ticket, which is text that needs no escapes.
_HERE = "TICKET"


class ObjectBody(serializers.Serializer[Any]):
    """One file by its sha256."""

    oid = serializers.CharField(max_length=64)
    size = serializers.IntegerField(min_value=0, max_value=2**62)


class BatchBody(serializers.Serializer[Any]):
    """`POST objects/batch`."""

    operation = serializers.ChoiceField(choices=["upload", "download"])
    transfers = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=20
    )
    objects = serializers.ListField(child=ObjectBody(), max_length=MAX_FILES)
    hash_algo = serializers.CharField(default="sha256", max_length=20)


class PartBody(serializers.Serializer[Any]):
    """One part that was sent, with the etag it was answered with."""

    partNumber = serializers.IntegerField(min_value=1, max_value=10_000)
    etag = serializers.CharField(max_length=200)


class CompleteBody(serializers.Serializer[Any]):
    """All parts of an upload."""

    oid = serializers.CharField(max_length=64)
    parts = serializers.ListField(child=PartBody(), max_length=10_000)


def _repo(viewer: Viewer, kind: str, repo: str) -> Repo:
    return find_repo(viewer, RepoName.parse(kind, repo))


def batch(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST /{repo}.git/info/lfs/objects/batch`."""
    body = checked(BatchBody, json_body(request))
    if body["hash_algo"] != "sha256":
        raise BadRequest(f'hash_algo must be "sha256", not {body["hash_algo"]!r}.')
    wanted = [(check_sha256(item["oid"], "objects.oid"), item["size"]) for item in body["objects"]]
    found = _repo(viewer, kind, repo)
    if body["operation"] == "download":
        return _downloads(request, viewer, found, wanted)
    check_batch(size for _, size in wanted)
    transfers = body.get("transfers") or ["basic"]
    offers = pushes.offer(viewer, found, wanted, multipart="multipart" in transfers)
    transfer = "multipart" if any(item.upload and item.upload.part_size for item in offers) else "basic"
    return lfs_answer(
        {"transfer": transfer, "objects": [_offered(request, viewer, found, item) for item in offers]}
    )


def _offered(request: HttpRequest, viewer: Viewer, repo: Repo, offer: pushes.Offer) -> dict[str, Any]:
    shape: dict[str, Any] = {"oid": offer.sha256, "size": offer.size}
    if offer.upload is None:
        return shape
    way = pushes.way_for(offer.upload)
    # Verifying waits for the proof, so it belongs to the group where waiting keeps no page from being served.
    verify = bytes_base(request) + reverse(f"lfs-{repo.type}:verify", kwargs={"repo": repo.full_name})
    tickets = _tickets(request, viewer, repo, offer.upload.pk)
    upload: dict[str, Any]
    if offer.upload.part_size:
        parts = {str(n): way.urls[n - 1] if way.urls else tickets(n) for n in range(1, way.parts + 1)}
        upload = {"href": tickets(-1), "header": {"chunk_size": str(way.part_size), **parts}}
    else:
        upload = {"href": way.urls[0] if way.urls else tickets(0)}
    return {**shape, "actions": {"upload": upload, "verify": {"href": verify}}}


def _tickets(request: HttpRequest, viewer: Viewer, repo: Repo, upload: UUID) -> Callable[[int], str]:
    """Return what makes the address of a part: there may be thousands, so all that they share is made once."""
    user, token = identity_of(viewer)
    # Completing is a short call; parts are bytes and belong to the group that streams.
    completing = public_base(request) + reverse("lfs:complete", kwargs={"ticket": _HERE})
    sending = bytes_base(request) + reverse("bytes:upload", kwargs={"ticket": _HERE})

    def address(part: int) -> str:
        text = UploadTicket(str(repo.pk), user, token, str(upload), part).sign()
        return (completing if part < 0 else sending).removesuffix(_HERE) + text

    return address


def _downloads(
    request: HttpRequest, viewer: Viewer, repo: Repo, wanted: list[tuple[str, int]]
) -> HttpResponse:
    held = pulls.held(viewer, repo, [sha256 for sha256, _ in wanted])
    return lfs_answer(
        {"transfer": "basic", "objects": [_download(request, viewer, repo, held, *item) for item in wanted]}
    )


def _download(
    request: HttpRequest, viewer: Viewer, repo: Repo, held: dict[str, int], sha256: str, size: int
) -> dict[str, Any]:
    shape: dict[str, Any] = {"oid": sha256, "size": held.get(sha256, size)}
    if sha256 not in held:
        return {
            **shape,
            "error": {"code": 404, "message": "This repository holds no proven file of this oid."},
        }
    way = pulls.way_to(viewer, repo, sha256=sha256, filename=sha256)
    url = way.url or bytes_base(request) + reverse("bytes:download", kwargs={"ticket": way.ticket})
    return {**shape, "authenticated": True, "actions": {"download": {"href": url, "expires_in": 600}}}


def complete(request: HttpRequest, viewer: Viewer, *, ticket: str) -> HttpResponse:
    """`POST /lfs/complete/{ticket}`: every part has been sent."""
    claim = UploadTicket.parse(ticket)
    if claim.part != -1:
        raise BadRequest("This address takes the bytes of a part; it does not complete an upload.")
    body = checked(CompleteBody, json_body(request))
    parts = [(item["partNumber"], item["etag"]) for item in body["parts"]]
    pushes.complete(claim.viewer(), claim.find_repo(), UUID(claim.upload), parts=parts)
    return lfs_answer({})


def verify(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST /{repo}.git/info/lfs/verify`: the client has sent the file; say so only if that is true."""
    body = checked(ObjectBody, json_body(request))
    sha256 = check_sha256(body["oid"])
    state = pushes.confirm(viewer, _repo(viewer, kind, repo), sha256=sha256, size=body["size"])
    return lfs_answer({"oid": sha256, "size": body["size"], "state": state})


def locks(request: HttpRequest, viewer: Viewer, **captured: str) -> HttpResponse:
    """`POST .../locks/verify`: this hub has no file locks, which git-lfs takes 404 for."""
    return lfs_answer({"message": "File locking is not offered here."}, status=404)
