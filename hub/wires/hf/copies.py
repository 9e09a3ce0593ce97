"""`POST /api/{kind}/{source}/lfs-files/duplicate`: large files of one repo, given to another before a commit."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import pushes
from hub.catalog.names import check_sha256
from hub.wires.base import json_answer
from hub.wires.hf.reading import checked, get_repo, json_body

MAX_FILES = 1000


class TargetBody(serializers.Serializer[Any]):
    """The repo that is to get the files."""

    type = serializers.ChoiceField(choices=["model", "dataset"])
    name = serializers.CharField(max_length=200)


class FileBody(serializers.Serializer[Any]):
    """One file; it is known by its sha256, whatever else is said of it."""

    sha256 = serializers.CharField(max_length=64)


class CopyBody(serializers.Serializer[Any]):
    """The whole request."""

    target = TargetBody()
    files = serializers.ListField(child=FileBody(), max_length=MAX_FILES)


def duplicate(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Answer with the files that could not be given."""
    body = checked(CopyBody, json_body(request))
    digests = [check_sha256(item["sha256"], "files.sha256") for item in body["files"]]
    target = get_repo(viewer, body["target"]["type"], body["target"]["name"])
    missing = pushes.copy_files(viewer, get_repo(viewer, kind, repo), target, digests)
    error = "This repository holds no proven file of this sha256."
    return json_answer({"failed": [{"sha256": sha256, "error": error} for sha256 in missing]})
