"""The license catalogue: a list, one license with its terms, and its texts.  Beside the Hub's protocol."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog.errors import EntryNotFound, SignInNeeded
from hub.wires.base import json_answer
from licenses import shelf
from licenses.models import Document, License
from licenses.terms import TERMS, Reading

MAX_TEXT = 200


def listing(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`GET /api/licenses`: every license, narrowed by ``search`` and ``category``."""
    _let_in(viewer)
    text, category = (request.GET.get(name, "")[:MAX_TEXT] for name in ("search", "category"))
    found = shelf.on_shelf(text=text, category=category)
    return json_answer([{**_brief(row), "texts": row.texts} for row in found])  # type: ignore[attr-defined]


def detail(request: HttpRequest, viewer: Viewer, *, license_id: str) -> HttpResponse:
    """`GET /api/licenses/{id}`: the license with all of its terms; what counts, and what is only stated."""
    _let_in(viewer)
    row = _found(license_id)
    reading = shelf.reading_of(row)
    return json_answer(
        {
            **_brief(row),
            "version": row.version,
            "url": row.url,
            "osaid": row.osaid,
            "contact": row.contact,
            "source": row.source,
            "expression": reading.symbol,
            "aliases": list(reading.aliases),
            "flags": list(reading.flags),
            "duties": {
                "display": list(reading.display),
                "displayOn": reading.display_on,
                "namePrefix": reading.name_prefix,
                "notice": reading.notice,
            },
            "terms": {key: _term(reading, key) for key in TERMS},
            "thresholds": [
                {
                    name: getattr(one, name)
                    for name in ("metric", "value", "currency", "window", "scope", "effect")
                }
                for one in reading.thresholds
            ],
            "documents": [_document(row, one) for one in shelf.documents_of(row)],
        }
    )


def text(request: HttpRequest, viewer: Viewer, *, license_id: str, sha256: str) -> HttpResponse:
    """`GET /api/licenses/{id}/texts/{sha256}`: the bytes that the hash names, as plain text."""
    _let_in(viewer)
    found = shelf.find_text(_found(license_id), sha256)
    if found is None:
        raise EntryNotFound(f"{license_id} has no text {sha256}.")
    return HttpResponse(
        found.text, content_type="text/plain; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"}
    )


def _let_in(viewer: Viewer) -> None:
    """Raise SignInNeeded for a stranger where strangers read nothing: the catalogue may hold what people here wrote."""
    if viewer.user is None and settings.HUB_ANONYMOUS == "none":
        raise SignInNeeded("The licences of this hub are for people who are signed in.")


def _found(license_id: str) -> License:
    row = shelf.find_license(license_id)
    if row is None:
        raise EntryNotFound(
            f"There is no licence {license_id!r} in the catalogue; GET /api/licenses lists them."
        )
    return row


def _brief(row: License) -> dict[str, Any]:
    return {
        "id": row.slug,
        "name": row.name,
        "spdx": row.spdx,
        "family": row.family,
        "category": row.category,
        "steward": row.steward,
        "confidence": row.confidence,
        "osiApproved": row.osi,
    }


def _term(reading: Reading, key: str) -> dict[str, Any]:
    """Return a term: ``value`` is what counts, ``stated`` what the reading says."""
    term = reading.terms.get(key)
    return {
        "value": str(reading.value(key)),
        "stated": str(term.value) if term else "unknown",
        "confirmed": bool(term and term.confirmed),
        "note": reading.note(key),
        "items": list(reading.items(key)),
        "passage": term.passage if term else "",
    }


def _document(row: License, found: Document) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "version": found.version,
        "sha256": found.sha256,
        "normalizedSha256": found.normalized_sha256,
        "source": found.source,
        "text": f"/api/licenses/{row.slug}/texts/{found.sha256}",
    }
