"""Accepting the terms of a model.  Beside the Hub's protocol, which knows gates and no texts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import access, consents
from hub.catalog.consents import Word
from hub.catalog.errors import EntryNotFound
from hub.wires.base import json_answer
from hub.wires.hf import shapes
from hub.wires.hf.reading import checked, get_repo, json_body, page_limit
from licenses.models import Acceptance

MAX_AGENT = 300


class AcceptBody(serializers.Serializer[Any]):
    """`POST .../acceptance`: what was shown, by `key` and `shown`, and what was filled in."""

    key = serializers.RegexField(r"^[0-9a-f]{64}\Z")
    shown = serializers.RegexField(r"^[0-9a-f]{64}\Z")
    fields = serializers.DictField(required=False)  # type: ignore[assignment]
    organization = serializers.CharField(required=False, allow_blank=True, max_length=200)
    officer = serializers.CharField(required=False, allow_blank=True, max_length=200)


def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET .../acceptance`: what has to be accepted, and whether the caller has."""
    found = get_repo(viewer, kind, repo)
    asked = consents.required(viewer, found)
    verdict = access.may_pull(viewer, found)
    texts = f"/api/{kind}s/{found.full_name}/acceptance/texts"
    return json_answer(
        {
            "required": bool(asked.documents),
            "accepted": asked.covers is not None,
            "mayPull": verdict.allowed,
            "reason": verdict.reason,
            "key": asked.key,
            "shown": asked.shown,
            "documents": [
                {**one, "text": f"{texts}/{one['sha256']}"} for one in asked.documents
            ],
            "fields": list(asked.asked),
            "organizations": list(asked.organizations),
            "acceptance": _given(asked.covers) if asked.covers else None,
        }
    )  # fmt: skip


def text(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, sha256: str) -> HttpResponse:
    """`GET .../acceptance/texts/{sha256}`: one of these texts, as plain text."""
    words = consents.text_of(viewer, get_repo(viewer, kind, repo), sha256)
    return HttpResponse(
        words, content_type="text/plain; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"}
    )


def accept(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../acceptance`: the caller accepts exactly what they were shown; 409 where it is other by now."""
    body = checked(AcceptBody, json_body(request))
    return json_answer(
        _given(consents.accept(viewer, get_repo(viewer, kind, repo), word_in(request, body))), status=201
    )


def word_in(request: HttpRequest, body: dict[str, Any]) -> Word:
    """Return what somebody says in a checked body, and from where."""
    return Word(
        key=body["key"], shown=body["shown"], fields=body.get("fields", {}),
        organization=body.get("organization", ""), officer=body.get("officer", ""), method="api",
        address=request.META.get("REMOTE_ADDR") or None,
        user_agent=request.headers.get("User-Agent", "")[:MAX_AGENT],
    )  # fmt: skip


def withdraw(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`DELETE .../acceptance`: the caller takes back the acceptance that counts now."""
    given = access.acceptance_for(viewer, get_repo(viewer, kind, repo))
    if given is None:
        raise EntryNotFound("You have accepted nothing here that counts now.")
    return json_answer(_given(consents.withdraw(viewer, given.pk)))


def listing(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/acceptances`: what the caller accepted, and their organizations, newest first."""
    access.require_person(viewer, "see what you accepted")
    return json_answer([_given(one) for one in consents.mine(viewer)[: page_limit(request, 100)]])


def take_back(request: HttpRequest, viewer: Viewer, *, acceptance: str) -> HttpResponse:
    """`DELETE /api/acceptances/{number}`."""
    try:
        number = UUID(acceptance)
    except ValueError:
        raise EntryNotFound("There is no such acceptance of yours.") from None
    return json_answer(_given(consents.withdraw(viewer, number)))


def _given(one: Acceptance) -> dict[str, Any]:
    return {
        "id": str(one.pk), "repo": one.label, "commit": one.commit, "key": one.key, "organization": one.organization,
        "documents": one.documents, "fields": one.fields, "country": one.country, "method": one.method,
        "at": shapes.iso(one.at), "expiresAt": shapes.iso(one.expires_at) if one.expires_at else None,
        "withdrawnAt": shapes.iso(one.withdrawn_at) if one.withdrawn_at else None,
        "supersededBy": str(one.superseded_by_id) if one.superseded_by_id else None,
    }  # fmt: skip
