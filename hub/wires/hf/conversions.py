"""`/api/models/{id}/convert`: quantizations made in the hub.  Beside the protocol: no stock client calls it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import conversions
from hub.catalog.lookups import DEFAULT_REVISION, locate
from hub.catalog.models import Job, Repo
from hub.web import public_base, repo_name
from hub.wires.base import json_answer
from hub.wires.hf.reading import checked, get_repo, json_body
from hub.wires.hf.shapes import iso

MAX_TYPES = 30


class ConvertBody(serializers.Serializer[Any]):
    """What is wanted: types, of which file at which revision, with which importance matrix, into which repo."""

    types = serializers.ListField(
        child=serializers.CharField(max_length=20), min_length=1, max_length=MAX_TYPES
    )
    source = serializers.CharField(  # type: ignore[assignment]  # fields leave the class again
        max_length=1024, required=False, trim_whitespace=False
    )
    revision = serializers.CharField(max_length=255, default=DEFAULT_REVISION)
    target = serializers.CharField(max_length=200, required=False)
    imatrix = serializers.CharField(max_length=1024, required=False, trim_whitespace=False)
    evaluate = serializers.CharField(max_length=50, required=False)


def ask(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../convert`: 202 with the address that tells how far it is."""
    body = checked(ConvertBody, json_body(request))
    at = locate(viewer, repo_name(kind, repo), body["revision"])
    job = conversions.ask(
        viewer, at, types=body["types"], source=body.get("source", ""), target=body.get("target", ""),
        imatrix=body.get("imatrix", ""), evaluate=body.get("evaluate", ""),
    )  # fmt: skip
    shape = _shape(request, at.repo, job)
    return json_answer(shape, status=202, headers={"Location": shape["url"]})


def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, job: str) -> HttpResponse:
    """`GET .../convert/{job}`."""
    found = get_repo(viewer, kind, repo)
    return json_answer(_shape(request, found, conversions.find(viewer, found, job)))


def cancel(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, job: str) -> HttpResponse:
    """`DELETE .../convert/{job}`: end it; one that has ended stays as it is."""
    found = get_repo(viewer, kind, repo)
    ended = conversions.cancel(viewer, conversions.find(viewer, found, job))
    return json_answer(_shape(request, found, ended))


def _shape(request: HttpRequest, repo: Repo, job: Job) -> dict[str, Any]:
    wish = conversions.Wish.of(job)
    return {
        "job": str(job.pk), "url": f"{public_base(request)}/api/models/{repo.full_name}/convert/{job.pk}",
        "state": conversions.state_of(job), "types": wish.types, "source": wish.path, "commit": wish.commit,
        "imatrix": wish.imatrix or None, "evaluate": wish.evaluate or None,
        "target": f"{repo.namespace.name}/{wish.target}", "share": round(job.progress, 4), "step": job.step,
        "progress": conversions.progress_of(job), "error": job.error,
        "result": job.result if job.state == Job.State.DONE else {}, "createdAt": iso(job.created_at),
        "finishedAt": iso(job.finished_at) if job.finished_at else None,
    }  # fmt: skip
