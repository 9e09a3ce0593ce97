"""The audit log, for reviewers and staff.  Beside the Hub's protocol."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from hub.accounts.identity import Viewer
from hub.audit.lines import Wanted, dump, line_of
from hub.audit.models import Entry
from hub.catalog import auditing
from hub.catalog.auditing import Permitted, moment
from hub.web import whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.reading import page_limit
from hub.wires.hf.tables import csv_answer, streamed, wanted_format, word

PERMITTED_COLUMNS = (
    "id", "clearance", "concluded", "decidedBy", "decidedByKind", "role", "decidedAt", "entry", "hash", "citing"
)  # fmt: skip


def permitted(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """`GET /api/audit/permitted?at=`: what was released then, on whose word; ``format=csv`` or ``jsonl`` for all."""
    at = moment(word(request, "at"), field="at", end_of_day=True)
    found = auditing.permitted(viewer, at, text=word(request, "search"), license_id=word(request, "license"))
    match wanted_format(request):
        case "csv":
            rows = (_flat(one) for one in auditing.in_batches(found))
            return csv_answer(PERMITTED_COLUMNS, rows, "permitted.csv")
        case "jsonl":
            lines = (json.dumps(_permitted(one)) + "\n" for one in auditing.in_batches(found))
            return streamed(lines, "application/x-ndjson", "permitted.jsonl")
    limit, start = page_limit(request, 100), whole_number(request.GET.get("skip", "")) or 0
    page = list(found[start : start + limit + 1])
    body = {
        "at": shapes.iso(at) if at else None,
        "review": auditing.review_mode(at) or None,
        "repos": [_permitted(one) for one in auditing.explained(page[:limit])],
    }
    answer = json_answer(body)
    if len(page) > limit:
        answer["Link"] = next_link(request, skip=str(start + limit))
    return answer


def _permitted(one: Permitted) -> dict[str, Any]:
    entry, data = one.entry, one.entry.data
    return {
        "id": entry.label, "repo": entry.subject, "present": one.repo is not None,
        "clearance": data.get("clearance"), "consent": data.get("consent") or None,
        "concluded": data.get("concluded"), "licenses": data.get("licenses", []), "commit": data.get("commit"),
        "decidedBy": {"kind": entry.actor_kind, "name": one.who, "role": entry.role},
        "decidedAt": shapes.iso(entry.at), "entry": _place(entry),
        "citing": [
            {**_place(act), "act": act.act, "by": who, "at": shapes.iso(act.at), "reasons": act.data.get("reasons", [])}
            for act, who in one.citing
        ],
    }  # fmt: skip


def _place(entry: Entry) -> dict[str, Any]:
    return {"seq": entry.seq, "hash": entry.hash}


def _flat(one: Permitted) -> list[Any]:
    entry, data = one.entry, one.entry.data
    return [
        entry.label, data.get("clearance"), data.get("concluded"), one.who, entry.actor_kind, entry.role,
        shapes.iso(entry.at), entry.seq, entry.hash, " ".join(str(act.seq) for act, _ in one.citing),
    ]  # fmt: skip


def entries(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """`GET /api/audit/entries`: the log, newest first; ``format=jsonl`` streams what `audit export` writes."""
    wanted = wanted_of(request)
    if wanted_format(request) == "jsonl":
        auditing.require_audit(viewer)
        found = wanted.entries().iterator(chunk_size=1000)
        return streamed((dump(line_of(one)) + "\n" for one in found), "application/x-ndjson", "audit.jsonl")
    limit, before = page_limit(request, 100), whole_number(request.GET.get("before", ""))
    page = auditing.named(auditing.entries(viewer, wanted, before=before)[: limit + 1])
    answer = json_answer([{**line_of(entry), "by": who} for entry, who in page[:limit]])
    if len(page) > limit:
        answer["Link"] = next_link(request, before=str(page[limit - 1][0].seq))
    return answer


def wanted_of(request: HttpRequest) -> Wanted:
    """Return which entries a query asks for."""
    return Wanted(
        since=moment(word(request, "since"), field="since"),
        until=moment(word(request, "until"), field="until"),
        act=word(request, "act"), subject=word(request, "subject"), actor=word(request, "actor"),
    )  # fmt: skip
