"""The shelf of licenses: the list, one license as cards, and the words of a text."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog.errors import EntryNotFound
from hub.pages.doors import page
from licenses import shelf
from licenses.cards import columns, threshold_sentence
from licenses.models import License
from licenses.terms import CATEGORIES, Confidence


@page
def shelf_list(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show every license, narrowed by words and category."""
    text = request.GET.get("q", "").strip()[:200]
    category = request.GET.get("category", "")
    chosen = category if category in CATEGORIES else ""
    context = {
        "section": "licenses",
        "licenses": shelf.on_shelf(text=text, category=chosen),
        "categories": shelf.categories(),
        "text": text,
        "chosen": chosen,
    }
    return render(request, "licenses/list.html", context)


@page
def one(request: HttpRequest, viewer: Viewer, license_id: str) -> HttpResponse:
    """Show a license: its terms as cards, its thresholds, duties and texts."""
    row = _found(license_id)
    reading = shelf.reading_of(row)
    context = {
        "section": "licenses",
        "license": row,
        "reading": reading,
        "columns": columns(reading),
        "thresholds": [threshold_sentence(one) for one in reading.thresholds],
        "documents": shelf.documents_of(row),
        "is_low": reading.confidence is Confidence.LOW,
    }
    return render(request, "licenses/one.html", context)


@page
def text(request: HttpRequest, viewer: Viewer, license_id: str, sha256: str) -> HttpResponse:
    """Show the words of one text, never as markup."""
    row = _found(license_id)
    found = shelf.find_text(row, sha256)
    if found is None:
        raise EntryNotFound(f"{row.name} has no text with this hash.")
    return render(request, "licenses/text.html", {"section": "licenses", "license": row, "document": found})


def _found(license_id: str) -> License:
    row = shelf.find_license(license_id)
    if row is None:
        raise EntryNotFound(f"No license of the catalogue is called {license_id}.")
    return row
