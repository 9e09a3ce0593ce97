"""The catalogue in reviewers' hands: a license's terms, thresholds and names, texts from uploads, models elsewhere."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.catalog import shelfkeeping
from hub.catalog.deskcases import find_case
from hub.catalog.desktexts import known_text, texts_of
from hub.catalog.errors import EntryNotFound
from hub.pages.reviewdoor import reviewer_page
from hub.pages.saying import said
from licenses import shelf
from licenses.edits import BadEdit
from licenses.models import License, UpstreamModel
from licenses.terms import CATEGORIES, DOCUMENT_KINDS, EFFECTS, METRICS, TERMS, Confidence, Threshold, Value

MAX_TEXT, MAX_NAME, MAX_THRESHOLDS, MAX_ALIASES = 20_000, 200, 20, 100
SHOWN = 300
_PLAIN = ("slug", "name", "category", "steward", "version", "url")
_MODALITIES = ("", "text", "multimodal", "image", "audio", "video")


def _license(slug: str) -> License:
    row = shelf.find_license(slug)
    if row is None:
        raise EntryNotFound(f"No licence of the catalogue is called {slug[:100]}.")
    return row


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def add(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Take a license into the catalogue."""
    error = ""
    if request.method == "POST":
        told = {name: request.POST.get(name, "").strip()[:MAX_NAME] for name in _PLAIN}
        try:
            row = shelfkeeping.add_license(viewer, **told)
            messages.success(
                request, _("%(name)s is in the catalogue. Answer its terms now.") % {"name": row.name}
            )
            return HttpResponseRedirect(reverse("pages:license-edit", args=[row.slug]))
        except BadEdit as trouble:
            error = said(trouble)
    context = {"section": "review", "error": error, "categories": CATEGORIES, "posted": request.POST}
    return render(request, "review/new_license.html", context, status=400 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def edit(request: HttpRequest, viewer: Viewer, license_id: str) -> HttpResponse:
    """A license's reading: each term with the passage it rests on, thresholds, other names."""
    row = _license(license_id)
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _EDITS[request.POST.get("do", "")](request, viewer, row))
            return HttpResponseRedirect(f"{reverse('pages:license-edit', args=[row.slug])}")
        except KeyError:
            error = _("Choose what to change: a term, the thresholds or the other names.")
        except BadEdit as trouble:
            error = said(trouble)
    asked = request.POST if request.method == "POST" else request.GET
    return render(
        request, "review/license.html", _reading(row, asked.get("term", ""), error) | {"posted": asked},
        status=400 if error else 200,
    )  # fmt: skip


def _reading(row: License, term: str, error: str) -> dict[str, Any]:
    reading = shelf.reading_of(row)
    rows = {one.key: one for one in row.terms.select_related("verified_by")}
    chosen = term if term in TERMS else ""
    return {
        "section": "licenses", "license": row, "reading": reading, "error": error, "chosen": chosen,
        "terms": [(key, words, reading.value(key), rows.get(key)) for key, words in TERMS.items()],
        "term": rows.get(chosen), "term_words": TERMS.get(chosen, ""), "values": list(Value),
        "thresholds": reading.thresholds, "metrics": METRICS, "effects": EFFECTS, "text": known_text(row.slug),
        "blank": range(2), "touched": len(shelfkeeping.touched_by(row.slug)),
    }  # fmt: skip


def _edit_term(request: HttpRequest, viewer: Viewer, row: License) -> str:
    key, value = request.POST.get("term", ""), request.POST.get("value", "")
    if value not in [*Value]:
        raise BadEdit(f"value: choose one of {', '.join(Value)}.")
    passage = request.POST.get("passage", "").strip()[:MAX_TEXT]
    if value != Value.UNKNOWN and not passage:
        raise BadEdit("passage: quote the words of the text that support the answer.")
    shelfkeeping.edit_term(
        viewer, of=row, key=key, value=Value(value), note=request.POST.get("note", "").strip()[:MAX_TEXT],
        passage=passage,
    )  # fmt: skip
    return _("“%(term)s” is answered. Models under %(name)s are read again.") % {
        "term": said(TERMS[key]), "name": row.name,
    }  # fmt: skip


def _take_back(request: HttpRequest, viewer: Viewer, row: License) -> str:
    key = request.POST.get("term", "")
    if key not in TERMS:
        raise BadEdit("term: this is no term.")
    shelfkeeping.take_back_term(viewer, of=row, key=key)
    return _("“%(term)s” is as it ships.") % {"term": said(TERMS[key])}


def _set_thresholds(request: HttpRequest, viewer: Viewer, row: License) -> str:
    lists = {
        name: request.POST.getlist(name)
        for name in ("metric", "amount", "currency", "window", "scope", "effect")
    }
    if len({len(values) for values in lists.values()}) != 1:
        raise BadEdit("thresholds: a row of the form is not whole.")
    found = [
        _threshold(number, dict(zip(lists, values, strict=True)))
        for number, values in enumerate(zip(*lists.values(), strict=True), start=1)
        if values[1].strip()
    ]
    shelfkeeping.set_thresholds(viewer, of=row, thresholds=found[:MAX_THRESHOLDS])
    text = ngettext("%(number)s threshold is kept.", "%(number)s thresholds are kept.", len(found))
    return text % {"number": len(found)}


def _threshold(number: int, told: dict[str, str]) -> Threshold:
    amount = told["amount"].strip().replace(",", "").replace("_", "").replace(" ", "")
    if not (amount.isascii() and amount.isdecimal() and len(amount) < 18):
        raise BadEdit(f"threshold {number}: value is {told['amount'][:40]!r}, but must be a whole number.")
    if told["metric"] not in METRICS or told["effect"] not in EFFECTS:
        raise BadEdit(f"threshold {number}: choose a metric and an effect from the lists.")
    currency = told["currency"].strip().upper()
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise BadEdit(
            f"threshold {number}: currency is {currency[:10]!r}, but must be three letters such as EUR."
        )
    return Threshold(
        told["metric"],
        int(amount),
        told["effect"],
        currency,
        told["window"].strip()[:32],
        told["scope"].strip()[:1000],
    )


def _set_aliases(request: HttpRequest, viewer: Viewer, row: License) -> str:
    names = dict.fromkeys(
        line.strip()[:MAX_NAME]
        for line in request.POST.get("names", "")[:MAX_TEXT].splitlines()
        if line.strip()
    )
    shelfkeeping.set_aliases(viewer, of=row, names=list(names)[:MAX_ALIASES])
    return _("The other names are kept.")


_EDITS = {
    "term": _edit_term, "take-back": _take_back, "thresholds": _set_thresholds, "aliases": _set_aliases,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def upstream(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Models that lie elsewhere and their terms; a POST records one for all that descends from it."""
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _record(request, viewer))
            return HttpResponseRedirect(reverse("pages:review-upstream"))
        except (BadEdit, EntryNotFound) as trouble:
            error = said(trouble)
    text = request.GET.get("q", "").strip()[:MAX_NAME]
    rows = UpstreamModel.objects.select_related("license").order_by("-edited", "pattern")
    rows = rows.filter(pattern__icontains=text) if text else rows
    context = {
        "section": "review", "rows": rows[:SHOWN], "number": rows.count(), "text": text, "error": error,
        "posted": request.POST if request.method == "POST" else request.GET, "modalities": _MODALITIES,
        "confidences": list(Confidence), "slugs": License.objects.order_by("slug").values_list("slug", flat=True),
    }  # fmt: skip
    return render(request, "review/upstream.html", context, status=400 if error else 200)


def _record(request: HttpRequest, viewer: Viewer) -> str:
    post = request.POST
    confidence, modality = post.get("confidence", ""), post.get("modality", "")
    if confidence not in [*Confidence] or modality not in _MODALITIES:
        raise BadEdit("confidence, modality: choose one from each list.")
    row = shelfkeeping.record_upstream(
        viewer, pattern=post.get("pattern", "").strip()[:MAX_NAME], of=_license(post.get("license", "").strip()),
        evidence=post.get("evidence", "").strip()[:MAX_TEXT], confidence=Confidence(confidence), modality=modality,
    )  # fmt: skip
    return _("%(name)s is under %(license)s. What descends from it is read again.") % {
        "name": row.pattern, "license": row.license.name,
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def confirm_text(request: HttpRequest, viewer: Viewer, *, case: UUID) -> HttpResponse:
    """Keep a text that came with an upload as the canonical text of a license, once somebody has read it."""
    row, repo = find_case(str(case))
    asked = request.POST if request.method == "POST" else request.GET
    text = next((one for one in texts_of(repo, row) if one.path == asked.get("file", "")), None)
    if text is None or not text.words:
        raise EntryNotFound("There is no such text at the commit of this case.")
    error = ""
    if request.method == "POST":
        try:
            messages.success(
                request, _confirm(request, viewer, row.pk, text.words, f"{repo.full_name}: {text.path}")
            )
            return HttpResponseRedirect(reverse("pages:review-case", args=[row.pk]))
        except (BadEdit, EntryNotFound) as trouble:
            error = said(trouble)
    context = {
        "section": "review", "case": row, "repo": repo, "text": text, "error": error, "posted": asked,
        "kinds": DOCUMENT_KINDS, "slugs": License.objects.order_by("slug").values_list("slug", flat=True),
    }  # fmt: skip
    return render(request, "review/confirm.html", context, status=400 if error else 200)


def _confirm(request: HttpRequest, viewer: Viewer, case: object, text: str, source: str) -> str:
    if not request.POST.get("read"):
        raise BadEdit("read: tick that you have read the whole text.")
    license_row = _license(request.POST.get("license", "").strip())
    shelfkeeping.confirm_text(
        viewer, of=license_row, kind=request.POST.get("kind", ""), version=request.POST.get("version", "").strip()[:60],
        text=text, source=source[:300], case=find_case(str(case))[0],
    )  # fmt: skip
    return _("The text is a canonical text of %(name)s now.") % {"name": license_row.name}
