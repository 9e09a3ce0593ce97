"""Recalls, for reviewers and staff.  Beside the Hub's protocol."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import recall, recalling
from hub.catalog.errors import BadRequest
from hub.catalog.models import PullRecord
from hub.web import whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.reading import checked, json_body, page_limit
from hub.wires.hf.tables import MAX_TEXT, csv_answer, wanted_format, word
from licenses.errors import ReviewError

PULL_COLUMNS = ("day", "firstAt", "user", "repo", "sha256", "path", "commit", "times", "acceptance")


class SuspendBody(serializers.Serializer[Any]):
    """`POST /api/recall/suspend`."""

    kind = serializers.ChoiceField(choices=recall.KINDS)
    key = serializers.CharField(max_length=MAX_TEXT)
    reason = serializers.CharField(max_length=2000)
    final = serializers.BooleanField(default=False)
    everything = serializers.BooleanField(default=False)


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


def suspend(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/recall/suspend`: hold what a recall names, with ``everything`` all that it reaches as well."""
    body = checked(SuspendBody, json_body(request))
    try:
        return json_answer({"suspended": recalling.suspend_all(viewer, **body)})
    except ReviewError as error:
        raise BadRequest(str(error)) from error
