"""Policies and waivers for programs, with a trial before they count.  Beside the Hub's protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import reviewing, shelfkeeping
from hub.catalog.deskcases import find_case
from hub.catalog.errors import EntryNotFound
from hub.wires.base import json_answer
from hub.wires.hf import shapes
from hub.wires.hf.reading import checked, json_body
from licenses.models import PolicyRow, WaiverRow
from licenses.policies import open_waivers
from licenses.policy import Action, Change

MAX_WORDS = 2000


class PolicyBody(serializers.Serializer[Any]):
    """`PUT /api/policies/{slug}` and its trial."""

    title = serializers.CharField(max_length=200)
    when = serializers.DictField()
    scope = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=200)
    action = serializers.ChoiceField(choices=[*Action])
    enabled = serializers.BooleanField(default=True)


class WaiveBody(serializers.Serializer[Any]):
    """`POST /api/waivers`."""

    case = serializers.UUIDField()
    policy = serializers.CharField(max_length=60)
    justification = serializers.CharField(max_length=MAX_WORDS)
    days = serializers.IntegerField(min_value=1, max_value=shelfkeeping.MAX_WAIVER_DAYS)


def listing(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/policies`: what decides here, in order."""
    reviewing.require_look(viewer)
    return json_answer([_policy(row) for row in PolicyRow.objects.all()])


def write(request: HttpRequest, viewer: Viewer, *, slug: str) -> HttpResponse:
    """`PUT /api/policies/{slug}`: make or change a policy."""
    body = checked(PolicyBody, json_body(request))
    enabled = body.pop("enabled")
    return json_answer(_policy(shelfkeeping.write_policy(viewer, slug=slug, fields=body, enabled=enabled)))


def trial(request: HttpRequest, viewer: Viewer, *, slug: str) -> HttpResponse:
    """`POST /api/policies/{slug}/dry-run`: which models it would decide otherwise; nothing is changed."""
    body = checked(PolicyBody, json_body(request))
    enabled = body.pop("enabled")
    changes = shelfkeeping.dry_run(viewer, slug=slug, fields=body, enabled=enabled)
    return json_answer(
        {"changes": [_change(one) for one in changes], "wouldStop": sum(one.would_stop for one in changes)}
    )


def waivers(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/waivers`: those that count now."""
    reviewing.require_look(viewer)
    return json_answer([_waiver(row) for row in open_waivers(timezone.now()).select_related("by")[:1000]])


def waive(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/waivers`: set one policy aside for one model until a moment."""
    reviewing.require_review(viewer)
    body = checked(WaiveBody, json_body(request))
    case, _ = find_case(str(body["case"]))
    row = shelfkeeping.waive(
        viewer, policy=body["policy"], case=case, justification=body["justification"], days=body["days"]
    )
    return json_answer(_waiver(row), status=201)


def revoke(request: HttpRequest, viewer: Viewer, *, number: str) -> HttpResponse:
    """`DELETE /api/waivers/{number}`: take a waiver back."""
    row = WaiverRow.objects.filter(pk=int(number)).first() if number.isdigit() and len(number) < 19 else None
    if row is None:
        raise EntryNotFound("There is no such waiver.")
    return json_answer(_waiver(shelfkeeping.revoke(viewer, waiver=row)))


def _policy(row: PolicyRow) -> dict[str, Any]:
    return {
        "id": row.slug, "title": row.title, "when": row.when, "scope": row.scope, "action": row.action,
        "enabled": row.enabled, "shipped": row.shipped, "edited": row.edited,
    }  # fmt: skip


def _change(one: Change) -> dict[str, Any]:
    return {
        "repo": one.subject, "before": str(one.before.state), "after": str(one.after.state),
        "policies": list(one.after.policies), "wouldStop": one.would_stop,
    }  # fmt: skip


def _waiver(row: WaiverRow) -> dict[str, Any]:
    return {
        "id": row.pk, "policy": row.policy, "repo": row.label, "justification": row.justification,
        "by": row.by.username if row.by else None, "createdAt": shapes.iso(row.created_at),
        "expiresAt": shapes.iso(row.expires_at), "revokedAt": shapes.iso(row.revoked_at) if row.revoked_at else None,
    }  # fmt: skip
