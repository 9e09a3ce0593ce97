"""The shelf of licenses: the list, one license as cards, and the words of a text."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog.desktexts import known_text
from hub.catalog.errors import EntryNotFound
from hub.catalog.panel import binding_here, under
from hub.pages import families
from hub.pages.doors import page
from hub.pages.review import groups
from licenses import shelf
from licenses.alignment import align
from licenses.cards import columns, threshold_sentence
from licenses.models import License
from licenses.readings import readings_of
from licenses.shown import shown
from licenses.terms import CATEGORIES, Confidence, Reading
from licenses.versions import changes, is_version_of

MAX_MODELS = 8


@page
def shelf_list(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show every license, narrowed by words and category."""
    text = request.GET.get("q", "").strip()[:200]
    category = request.GET.get("category", "")
    chosen = category if category in CATEGORIES else ""
    found = list(shelf.on_shelf(text=text, category=chosen))
    context = {
        "section": "licenses",
        "families": families.by_family(found, readings_of(found), binding_here(viewer)),
        "count": len(found),
        # What was asked for is not folded away.
        "is_narrowed": bool(text or chosen),
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
        "versions": [other for other in _family(row) if is_version_of(reading, other)],
        "models": under(viewer, row.slug, MAX_MODELS),
    }
    return render(request, "licenses/one.html", context)


def _family(row: License) -> Sequence[Reading]:
    return list(readings_of(License.objects.filter(family=row.family).order_by("slug")).values())


@page
def compare(request: HttpRequest, viewer: Viewer, license_id: str, other: str) -> HttpResponse:
    """What one license says otherwise than another: term by term, then word by word."""
    old, new = _found(license_id), _found(other)
    first, second = shelf.reading_of(old), shelf.reading_of(new)
    texts = [known_text(row.slug) for row in (old, new)]
    alignment = align(shown(texts[0].text), shown(texts[1].text)) if texts[0] and texts[1] else None
    context = {
        "section": "licenses", "old": old, "new": new, "changes": changes(first, second), "texts": texts,
        "alignment": alignment, "groups": groups(alignment) if alignment else [],
        "low": [one.name for one in (first, second) if one.confidence is Confidence.LOW],
    }  # fmt: skip
    return render(request, "licenses/compare.html", context)


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
        raise EntryNotFound(f"No licence of the catalogue is called {license_id}.")
    return row
