"""The JSON bodies that the Hub protocol sends, as DRF serializers: what must be there and within which bounds."""

from typing import Any

from rest_framework import serializers

MAX_FILES = 256


class Visibility(serializers.Serializer[Any]):
    """Newer clients send ``visibility``, older ones ``private``."""

    visibility = serializers.ChoiceField(choices=["public", "private"], required=False)
    private = serializers.BooleanField(required=False, allow_null=True)

    def is_private(self) -> bool | None:
        """Return what was asked for, or None."""
        return private_in(self.validated_data)


def private_in(data: dict[str, Any]) -> bool | None:
    """Return the visibility of a checked body as a flag, or None where it says nothing."""
    if "visibility" in data:
        return bool(data["visibility"] == "private")
    return data.get("private")


class RepoBody(serializers.Serializer[Any]):
    """Names a repo in a body: ``organization`` null means the caller's own namespace."""

    name = serializers.CharField(max_length=200)
    organization = serializers.CharField(max_length=200, required=False, allow_null=True)
    type = serializers.CharField(default="model", allow_null=True)


class CreateBody(Visibility, RepoBody):
    """`POST /api/repos/create`."""


class MoveBody(serializers.Serializer[Any]):
    """`POST /api/repos/move`."""

    fromRepo = serializers.CharField(max_length=200)
    toRepo = serializers.CharField(max_length=200)
    type = serializers.CharField(default="model", allow_null=True)


class DuplicateBody(Visibility):
    """`POST /api/{kind}/{id}/duplicate`."""

    repository = serializers.CharField(max_length=200)


class SettingsBody(Visibility):
    """`PUT /api/{kind}/{id}/settings`; ``gated`` is "auto", "manual" or false."""

    gated = serializers.JSONField(required=False)


class SampleBody(serializers.Serializer[Any]):
    """One file that the client is about to commit."""

    path = serializers.CharField(max_length=2000, trim_whitespace=False)
    size = serializers.IntegerField(min_value=0, max_value=2**62)
    sample = serializers.CharField(max_length=2000, allow_blank=True, default="")


class PreuploadBody(serializers.Serializer[Any]):
    """`POST .../preupload/{revision}`."""

    files = serializers.ListField(child=SampleBody(), max_length=MAX_FILES)
    gitIgnore = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100_000)


class BranchBody(serializers.Serializer[Any]):
    """`POST .../branch/{branch}`."""

    startingPoint = serializers.CharField(required=False, allow_null=True, max_length=300)


class TagBody(serializers.Serializer[Any]):
    """`POST .../tag/{revision}`."""

    tag = serializers.CharField(max_length=300, trim_whitespace=False)
    message = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=10_000)


class SquashBody(serializers.Serializer[Any]):
    """`POST .../super-squash/{branch}`."""

    message = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=10_000)


class PathsBody(serializers.Serializer[Any]):
    """`POST .../paths-info/{revision}`, sent as JSON."""

    paths = serializers.ListField(
        child=serializers.CharField(max_length=2000, trim_whitespace=False), max_length=5000
    )
    expand = serializers.BooleanField(default=False)


class CardBody(serializers.Serializer[Any]):
    """`POST /api/validate-yaml`."""

    content = serializers.CharField(allow_blank=True, trim_whitespace=False)
    repoType = serializers.CharField(required=False, allow_null=True)


class HandleBody(serializers.Serializer[Any]):
    """`POST .../user-access-request/handle`."""

    user = serializers.CharField(required=False)
    requestId = serializers.RegexField(r"^[0-9]{1,18}\Z", required=False)
    status = serializers.ChoiceField(choices=["pending", "accepted", "rejected"])
    rejectionReason = serializers.CharField(required=False, allow_null=True, max_length=2000)


class AskBody(serializers.Serializer[Any]):
    """`POST .../ask-access`: what the card asks to be filled in, and the terms that are accepted with it."""

    fields = serializers.DictField(required=False)  # type: ignore[assignment]
    key = serializers.RegexField(r"^[0-9a-f]{64}\Z", required=False)
    shown = serializers.RegexField(r"^[0-9a-f]{64}\Z", required=False, default="")
    organization = serializers.CharField(required=False, allow_blank=True, max_length=200)
    officer = serializers.CharField(required=False, allow_blank=True, max_length=200)


class GrantBody(serializers.Serializer[Any]):
    """`POST .../user-access-request/grant`."""

    user = serializers.CharField(max_length=200)
