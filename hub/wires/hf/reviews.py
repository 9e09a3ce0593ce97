"""Reviews for programs: the queue, a case, and every act that the desk has.  Beside the Hub's protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import deskqueue, lineage_edits, reviewing, suspending
from hub.catalog.desk import desk_of
from hub.catalog.deskcases import find_case
from hub.catalog.deskqueue import Line
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.catalog.models import Repo
from hub.wires.base import json_answer
from hub.wires.hf import shapes
from hub.wires.hf.reading import checked, json_body
from licenses.models import Case, Decision, Suspension
from licenses.reviews import Answer, decisions_for, fingerprint

MAX_WORDS = 20_000


class ActBody(serializers.Serializer[Any]):
    """`POST /api/reviews/{case}/{verb}`."""

    expected = serializers.ChoiceField(choices=Case.State.values, required=False, allow_blank=True)
    seen = serializers.CharField(required=False, allow_blank=True, max_length=64)
    reasons = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=50)
    cited = serializers.ListField(child=serializers.DictField(), required=False, max_length=50)
    checklist = serializers.DictField(required=False)
    conditions = serializers.ListField(
        child=serializers.CharField(max_length=1000), required=False, max_length=50
    )
    concluded = serializers.CharField(required=False, allow_blank=True, max_length=1000)
    note = serializers.CharField(required=False, allow_blank=True, max_length=MAX_WORDS)
    privateNote = serializers.CharField(required=False, allow_blank=True, max_length=MAX_WORDS)
    days = serializers.IntegerField(required=False, min_value=0, max_value=3650)


class AssignBody(serializers.Serializer[Any]):
    """`POST /api/reviews/{case}/assign`."""

    mine = serializers.BooleanField(default=True)
    days = serializers.IntegerField(default=0, min_value=0, max_value=reviewing.MAX_SNOOZE_DAYS)


class SuspendBody(serializers.Serializer[Any]):
    """`POST /api/suspensions`: ``key`` is a repo's id, a license's id or a sha256."""

    kind = serializers.ChoiceField(choices=["repo", *Suspension.Kind.values])
    key = serializers.CharField(max_length=300)
    reason = serializers.CharField(max_length=MAX_WORDS)
    final = serializers.BooleanField(default=False)


class ParentBody(serializers.Serializer[Any]):
    """`POST /api/reviews/{case}/parents`; a DELETE names the parent alone."""

    parent = serializers.CharField(max_length=200)  # type: ignore[assignment]
    relation = serializers.CharField(required=False, max_length=16)


class ReasonBody(serializers.Serializer[Any]):
    """`DELETE /api/suspensions/{number}`."""

    reason = serializers.CharField(max_length=MAX_WORDS)


def queue(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/reviews?show=&sort=&search=&code=`: what waits for a person."""
    user = reviewing.require_look(viewer)
    get = request.GET
    lines = deskqueue.queue_of(
        user, show=get.get("show", ""), sort=get.get("sort", "age"), text=get.get("search", "")[:200],
        code=get.get("code", "")[:40], now=timezone.now(),
    )  # fmt: skip
    return json_answer([_line(line) for line in lines])


def show(request: HttpRequest, viewer: Viewer, *, case: str) -> HttpResponse:
    """`GET /api/reviews/{case}`: everything that a decision needs; `seen` goes back with it."""
    reviewing.require_look(viewer)
    return json_answer(_case(viewer, *find_case(case)))


def act(request: HttpRequest, viewer: Viewer, *, case: str, verb: str) -> HttpResponse:
    """`POST /api/reviews/{case}/{verb}`: approve, reject, request-changes, answer, appeal, suspend and so on."""
    body = checked(ActBody, json_body(request))
    row, repo = find_case(case)
    answer = Answer(
        reasons=body.get("reasons", []),
        cited=[{str(key): str(value)[:300] for key, value in one.items()} for one in body.get("cited", [])],
        checklist=body.get("checklist", {}), conditions=body.get("conditions", []),
        concluded=body.get("concluded", ""), note_public=body.get("note", ""),
        note_private=body.get("privateNote", ""),
    )  # fmt: skip
    done = reviewing.act(
        viewer, row, verb=verb, answer=answer, expected=body.get("expected", ""), seen=body.get("seen", ""),
        days=body.get("days", 0),
    )  # fmt: skip
    return json_answer(_brief(done, repo))


def assign(request: HttpRequest, viewer: Viewer, *, case: str) -> HttpResponse:
    """`POST /api/reviews/{case}/assign`: take a case, give it back, or set it aside for some days."""
    body = checked(AssignBody, json_body(request))
    row, repo = find_case(case)
    return json_answer(_brief(reviewing.assign(viewer, row, mine=body["mine"], days=body["days"]), repo))


def set_parent(request: HttpRequest, viewer: Viewer, *, case: str) -> HttpResponse:
    """`POST /api/reviews/{case}/parents`: say from what a model comes, or with `unrelated` from what it does not."""
    body = checked(ParentBody, json_body(request))
    row, repo = find_case(case)
    lineage_edits.set_parent(viewer, repo, parent=body["parent"], relation=body.get("relation", ""))
    return json_answer(_brief(row, repo))


def drop_parent(request: HttpRequest, viewer: Viewer, *, case: str) -> HttpResponse:
    """`DELETE /api/reviews/{case}/parents`: take that back."""
    body = checked(ParentBody, json_body(request))
    row, repo = find_case(case)
    lineage_edits.drop_parent(viewer, repo, parent=body["parent"])
    return json_answer(_brief(row, repo))


def suspensions(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/suspensions`: what is stopped now."""
    reviewing.require_look(viewer)
    return json_answer(
        [_suspension(one) for one in Suspension.objects.filter(lifted_at=None).order_by("-at")[:1000]]
    )


def suspend(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/suspensions`: stop a repo, everything under a license, or whoever holds a file."""
    reviewing.require_review(viewer)
    body = checked(SuspendBody, json_body(request))
    kind, key = body["kind"], body["key"]
    if kind == "repo":
        kind, key = Suspension.Kind.SUBJECT, _repo_number(key)
    row = suspending.suspend(viewer, kind=kind, key=key, reason=body["reason"], final=body["final"])
    return json_answer(_suspension(row), status=201)


def lift(request: HttpRequest, viewer: Viewer, *, number: str) -> HttpResponse:
    """`DELETE /api/suspensions/{number}` with a reason."""
    body = checked(ReasonBody, json_body(request))
    row = Suspension.objects.filter(pk=int(number)).first() if number.isdigit() and len(number) < 19 else None
    if row is None:
        raise EntryNotFound("There is no such suspension.")
    suspending.lift(viewer, row, reason=body["reason"])
    row.refresh_from_db()
    return json_answer(_suspension(row))


def _repo_number(key: str) -> str:
    type_ = Repo.Type.DATASET if key.startswith("datasets/") else Repo.Type.MODEL
    found = Repo.objects.filter(type=type_, key=key.removeprefix("datasets/").lower()).first()
    if found is None:
        raise BadRequest(f"key: there is no repository {key[:200]}.")
    return str(found.pk)


def _suspension(row: Suspension) -> dict[str, Any]:
    return {
        "id": row.pk, "kind": row.kind, "key": row.key, "final": row.final, "reason": row.reason,
        "by": row.by.username if row.by else None, "at": shapes.iso(row.at),
        "liftedAt": shapes.iso(row.lifted_at) if row.lifted_at else None,
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    return {
        **_brief(line.case, line.repo), "waiting": line.waiting, "descendants": line.descendants, "late": line.is_late,
        "flags": [{"rule": one.rule, "severity": one.severity, "why": one.why} for one in line.flags],
    }  # fmt: skip


def _brief(case: Case, repo: Repo) -> dict[str, Any]:
    return {
        "id": str(case.pk), "repo": repo.full_name, "type": repo.type, "state": case.state, "commit": case.commit,
        "digest": case.digest, "openedAt": shapes.iso(case.opened_at), "firstSeen": case.first_seen,
        "singlePerson": case.single_person, "concluded": case.concluded, "licenses": case.licenses,
        "assignedTo": case.assigned_to.username if case.assigned_to else None, "current": case.current,
        "expiresAt": shapes.iso(case.expires_at) if case.expires_at else None,
    }  # fmt: skip


def _case(viewer: Viewer, case: Case, repo: Repo) -> dict[str, Any]:
    place = reviewing.standing(viewer, case)
    return {
        **_brief(case, repo), "declared": case.declared, "detected": case.detected, "effectiveUse": case.effective_use,
        "findings": case.findings, "evidence": case.evidence, "texts": case.texts, "lineage": case.lineage,
        "policies": case.policies, "consent": case.consent, "conditions": case.conditions, "seen": fingerprint(case),
        "standing": {
            "own": place.own, "alone": place.alone, "needed": place.needed, "mayReview": place.may_review,
        },
        "open": [
            {"kind": one.kind, "key": one.key, "what": one.what}
            for one in desk_of(case, repo, ()).still_open({}, explained=True)
        ],
        "decisions": [_decision(one) for one in decisions_for(case, viewer.user.pk if viewer.user else None)],
    }  # fmt: skip


def _decision(one: Decision) -> dict[str, Any]:
    return {
        "id": one.pk, "verb": one.verb, "by": one.by.username if one.by else None, "at": shapes.iso(one.at),
        "from": one.from_state, "to": one.to_state, "reasons": one.reasons, "cited": one.cited,
        "checklist": one.checklist, "conditions": one.conditions, "concluded": one.concluded, "note": one.note_public,
        "privateNote": one.note_private, "own": one.own,
        "precedent": one.precedent_id, "expiresAt": shapes.iso(one.expires_at) if one.expires_at else None,
    }  # fmt: skip
