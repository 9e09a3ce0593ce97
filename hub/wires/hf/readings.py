"""The catalogue in reviewers' hands, for programs: terms, thresholds, names, texts, models elsewhere."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.accounts.identity import Viewer
from hub.catalog import reviewing, shelfkeeping
from hub.catalog.deskcases import find_case
from hub.catalog.desktexts import texts_of
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.wires.base import json_answer
from hub.wires.hf.reading import checked, json_body
from licenses.edits import BadEdit
from licenses.models import License, UpstreamModel
from licenses.shelf import find_license
from licenses.terms import CATEGORIES, DOCUMENT_KINDS, EFFECTS, METRICS, Confidence, Threshold, Value

MAX_WORDS, MAX_ROWS = 20_000, 1000


class LicenseBody(serializers.Serializer[Any]):
    """`POST /api/licenses`."""

    id = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=200)
    category = serializers.ChoiceField(choices=CATEGORIES)
    steward = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    version = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    url = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class TermBody(serializers.Serializer[Any]):
    """`PUT /api/licenses/{id}/terms/{term}`."""

    value = serializers.ChoiceField(choices=[*Value])
    passage = serializers.CharField(max_length=MAX_WORDS, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=MAX_WORDS, required=False, allow_blank=True, default="")


class ThresholdBody(serializers.Serializer[Any]):
    """One of `PUT /api/licenses/{id}/thresholds`."""

    metric = serializers.ChoiceField(choices=METRICS)
    value = serializers.IntegerField(min_value=0, max_value=10**17)
    effect = serializers.ChoiceField(choices=EFFECTS)
    currency = serializers.RegexField(r"\A([A-Z]{3})?\Z", required=False, allow_blank=True, default="")
    window = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    scope = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class ThresholdsBody(serializers.Serializer[Any]):
    """`PUT /api/licenses/{id}/thresholds`."""

    thresholds = serializers.ListField(child=ThresholdBody(), max_length=20)


class NamesBody(serializers.Serializer[Any]):
    """`PUT /api/licenses/{id}/names`."""

    names = serializers.ListField(child=serializers.CharField(max_length=200), max_length=100)


class TextBody(serializers.Serializer[Any]):
    """`POST /api/licenses/{id}/texts`: a file of a case becomes a canonical text."""

    case = serializers.UUIDField()
    file = serializers.CharField(max_length=1000)
    kind = serializers.ChoiceField(choices=DOCUMENT_KINDS)
    version = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class UpstreamBody(serializers.Serializer[Any]):
    """`POST /api/upstream-models`."""

    pattern = serializers.CharField(max_length=200)
    license = serializers.CharField(max_length=100)
    evidence = serializers.CharField(max_length=MAX_WORDS)
    confidence = serializers.ChoiceField(choices=[*Confidence])
    modality = serializers.ChoiceField(
        choices=["", "text", "multimodal", "image", "audio", "video"], required=False, default=""
    )


View = Callable[..., HttpResponse]


def _edit(view: View) -> View:
    """Let reviewers in, and say what cannot be kept."""

    @wraps(view)
    def inner(request: HttpRequest, viewer: Viewer, **captured: Any) -> HttpResponse:
        reviewing.require_review(viewer)
        try:
            return view(request, viewer, **captured)
        except BadEdit as error:
            raise BadRequest(str(error)) from error

    return inner


def _license(slug: str) -> License:
    row = find_license(slug)
    if row is None:
        raise EntryNotFound(f"No licence of the catalogue is called {slug[:100]}.")
    return row


@_edit
def add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/licenses`: take a license into the catalogue."""
    body = checked(LicenseBody, json_body(request))
    row = shelfkeeping.add_license(viewer, slug=body.pop("id"), **body)
    return json_answer({"id": row.slug, "name": row.name, "category": row.category}, status=201)


@_edit
def answer_term(request: HttpRequest, viewer: Viewer, *, license_id: str, term: str) -> HttpResponse:
    """`PUT /api/licenses/{id}/terms/{term}`: answer a term with the passage it rests on."""
    body = checked(TermBody, json_body(request))
    if body["value"] != Value.UNKNOWN and not body["passage"].strip():
        raise BadRequest("passage: quote the words of the text that support the answer.")
    row = shelfkeeping.edit_term(
        viewer, of=_license(license_id), key=term, value=Value(body["value"]), note=body["note"],
        passage=body["passage"],
    )  # fmt: skip
    return json_answer({"term": row.key, "value": row.value, "passage": row.passage, "note": row.note})


@_edit
def take_back_term(request: HttpRequest, viewer: Viewer, *, license_id: str, term: str) -> HttpResponse:
    """`DELETE /api/licenses/{id}/terms/{term}`: return it to what the shipped reading states."""
    shelfkeeping.take_back_term(viewer, of=_license(license_id), key=term)
    return json_answer({"term": term})


@_edit
def thresholds(request: HttpRequest, viewer: Viewer, *, license_id: str) -> HttpResponse:
    """`PUT /api/licenses/{id}/thresholds`: replace them."""
    found = checked(ThresholdsBody, json_body(request))["thresholds"]
    shelfkeeping.set_thresholds(
        viewer, of=_license(license_id), thresholds=[Threshold(**one) for one in found]
    )
    return json_answer({"thresholds": found})


@_edit
def names(request: HttpRequest, viewer: Viewer, *, license_id: str) -> HttpResponse:
    """`PUT /api/licenses/{id}/names`: replace its other names."""
    wanted = list(dict.fromkeys(checked(NamesBody, json_body(request))["names"]))
    shelfkeeping.set_aliases(viewer, of=_license(license_id), names=wanted)
    return json_answer({"names": wanted})


@_edit
def confirm_text(request: HttpRequest, viewer: Viewer, *, license_id: str) -> HttpResponse:
    """`POST /api/licenses/{id}/texts`: keep a text that came with an upload as canonical."""
    body = checked(TextBody, json_body(request))
    case, repo = find_case(str(body["case"]))
    text = next((one for one in texts_of(repo, case) if one.path == body["file"]), None)
    if text is None or not text.words:
        raise EntryNotFound("There is no such text at the commit of this case.")
    row = shelfkeeping.confirm_text(
        viewer, of=_license(license_id), kind=body["kind"], version=body["version"], text=text.words,
        source=f"{repo.full_name}: {text.path}"[:300], case=case,
    )  # fmt: skip
    return json_answer(
        {"license": license_id, "kind": row.kind, "version": row.version, "sha256": row.sha256}, status=201
    )


def upstream(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/upstream-models`: models elsewhere whose terms are known; ``search`` narrows."""
    reviewing.require_look(viewer)
    rows = UpstreamModel.objects.select_related("license").order_by("pattern")
    text = request.GET.get("search", "")[:200]
    rows = rows.filter(pattern__icontains=text) if text else rows
    return json_answer([_upstream(row) for row in rows[:MAX_ROWS]])


@_edit
def record_upstream(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/upstream-models`: note once what terms a model elsewhere is under."""
    body = checked(UpstreamBody, json_body(request))
    row = shelfkeeping.record_upstream(
        viewer, pattern=body["pattern"], of=_license(body["license"]), evidence=body["evidence"],
        confidence=Confidence(body["confidence"]), modality=body["modality"],
    )  # fmt: skip
    return json_answer(_upstream(row), status=201)


def _upstream(row: UpstreamModel) -> dict[str, Any]:
    return {
        "pattern": row.pattern, "license": row.license.slug, "confidence": row.confidence, "evidence": row.evidence,
        "modality": row.modality, "edited": row.edited,
    }  # fmt: skip
