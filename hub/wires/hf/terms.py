"""A repo's terms for programs: what is known of them, the notice, the bill of materials.

Beside the Hub's protocol.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, noticefiles
from hub.catalog.lookups import locate
from hub.catalog.mlbom import mlbom
from hub.catalog.names import RepoName
from hub.catalog.panel import Panel, history_of, panel_of
from hub.web import public_base, repo_name
from hub.wires.base import json_answer
from hub.wires.hf.reading import get_repo
from hub.wires.hf.shapes import iso
from licenses.openness import Evidence, Openness, Presence
from licenses.records import findings_to_json

_NOTHING = Evidence(Presence.ABSENT)


def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET /api/{kind}/{id}/license`: declared, detected, concluded, duties, lineage, openness, verdict."""
    found = get_repo(viewer, kind, repo)
    panel = panel_of(viewer, found)
    rights = access.rights_of(viewer, found) if viewer.user is not None else None
    pull = access.may_pull(viewer, found, rights)
    base, case = public_base(request), panel.case
    return json_answer(
        {
            "id": found.full_name,
            "clearance": found.clearance,
            "review": str(clearing.mode()),
            "state": case.state if case else None,
            "commit": case.commit if case else None,
            "declared": case.declared if case else {"raw": [found.license] if found.license else []},
            "detected": list(case.detected) if case else [],
            "concluded": {
                "expression": panel.lineage.concluded, "effectiveUse": panel.lineage.effective_use,
                "licenses": list(panel.lineage.use_licenses),
                "terms": {key: str(value) for key, value in panel.lineage.values.items()},
                "uses": list(found.uses) if clearing.is_released(found) else [], "usersLimit": found.users_limit,
                "singlePerson": bool(case and case.single_person), "conditions": list(case.conditions) if case else [],
                "policies": list(case.policies) if case else [],
                "until": iso(found.cleared_until) if found.cleared_until else None,
            },
            "findings": findings_to_json(panel.findings),
            "duties": [_duty(one) for one in panel.duties],
            "lineage": panel.graph,
            "openness": _openness(panel, panel.openness) if panel.openness else None,
            "texts": [{"path": one.path, "sha256": one.sha256} for one in panel.texts],
            "decisions": [_decision(one) for one in history_of(case)] if case else [],
            "verdict": {"allowed": pull.allowed, "reason": pull.reason},
            "acceptance": f"{base}/api/{kind}s/{found.full_name}/acceptance" if found.consent else None,
        }
    )  # fmt: skip


def _duty(one: Any) -> dict[str, Any]:
    return {
        "kind": one.duty.kind, "says": one.says, "text": one.duty.text, "license": one.duty.license,
        "origin": one.duty.origin, "state": str(one.state), "term": one.term, "path": one.path, "line": one.line,
        "clear": one.clear,
    }  # fmt: skip


def _openness(panel: Panel, grade: Openness) -> dict[str, Any]:
    return {
        "step": int(grade.rung), "words": grade.words, "mofClass": grade.mof_class,
        "osaid": {key: str(value) for key, value in grade.osaid.items()},
        "missing": {str(number): list(names) for number, names in grade.missing.items()},
        "components": [
            {
                "id": one.component.id, "class": one.component.mof_class, "optional": one.component.optional,
                "presence": str(panel.evidence.get(one.component.id, _NOTHING).presence),
                "seen": list(panel.evidence.get(one.component.id, _NOTHING).seen),
                "counts": one.counts, "reason": one.reason,
            }
            for one in grade.components
        ],
    }  # fmt: skip


def _decision(one: Any) -> dict[str, Any]:
    return {
        "verb": one.verb, "by": one.by.username if one.by else None, "at": iso(one.at), "from": one.from_state,
        "to": one.to_state, "reasons": one.reasons, "cited": one.cited, "concluded": one.concluded,
        "conditions": one.conditions, "note": one.note_public, "own": one.own,
        "until": iso(one.expires_at) if one.expires_at else None,
    }  # fmt: skip


def notice(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/notice?model=a/b&dataset=c/d`: the NOTICE of these repos, as plain text."""
    names = [RepoName.parse("model", one) for one in request.GET.getlist("model")]
    names += [RepoName.parse("model", one) for one in request.GET.get("models", "").replace(",", " ").split()]
    names += [RepoName.parse("dataset", one) for one in request.GET.getlist("dataset")]
    text = noticefiles.notice_of(viewer, names, hub=public_base(request))
    return HttpResponse(
        text, content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'inline; filename="NOTICE.txt"', "X-Content-Type-Options": "nosniff"},
    )  # fmt: skip


def bill(request: HttpRequest, viewer: Viewer, *, repo: str) -> HttpResponse:
    """`GET /api/models/{id}/mlbom`: the model as a CycloneDX 1.6 bill of materials."""
    at = locate(viewer, repo_name("model", repo))
    answer = json_answer(mlbom(viewer, at, base=public_base(request)))
    answer["Content-Type"] = "application/vnd.cyclonedx+json; version=1.6"
    return answer
