"""Recalls, for reviewers and staff.  Beside the Hub's protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from hub.accounts.identity import Viewer
from hub.catalog import recall
from hub.catalog.models import PullRecord
from hub.web import whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.reading import page_limit
from hub.wires.hf.tables import csv_answer, wanted_format, word

PULL_COLUMNS = ("day", "firstAt", "user", "repo", "sha256", "path", "commit", "times", "acceptance")


def recalled(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """`GET /api/recall?kind=&key=`: affected repos and who pulled them; ``format=csv`` for every pull."""
    found = recall.find(viewer, word(request, "kind"), word(request, "key"))
    if wanted_format(request) == "csv":
        return csv_answer(
            PULL_COLUMNS, (_pull_row(one) for one in found.pulls.iterator(chunk_size=1000)), "recall.csv"
        )
    limit, start = page_limit(request, 100), whole_number(request.GET.get("skip", "")) or 0
    page = list(found.pulls[start : start + limit + 1])
    totals = found.totals()
    body = {
        "kind": found.kind, "key": found.key, "complete": not found.is_cut,
        "repos": [
            {"id": one.repo.full_name, "type": one.repo.type, "clearance": one.repo.clearance,
             "whys": [{"why": why, "about": about} for why, about in one.whys]}
            for one in found.affected
        ],
        "people": totals["people"], "pulledByStrangers": totals["strangers"], "pulls": totals["times"],
        "records": [dict(zip(PULL_COLUMNS, _pull_row(one), strict=True)) for one in page[:limit]],
    }  # fmt: skip
    answer = json_answer(body)
    if len(page) > limit:
        answer["Link"] = next_link(request, skip=str(start + limit))
    return answer


def _pull_row(one: PullRecord) -> list[Any]:
    return [
        one.day.isoformat(), shapes.iso(one.first_at), one.user.username if one.user else None,
        one.repo.full_name if one.repo else one.label, one.sha256 or None, one.path or None, one.commit or None,
        one.times, str(one.acceptance) if one.acceptance else None,
    ]  # fmt: skip
