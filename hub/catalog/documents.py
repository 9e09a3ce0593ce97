"""Which texts a person accepts before they may have a model: the license's, what came with it, what the card asks."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from hub.catalog.revision_sets import RevisionSet
from licenses.lineage import Lineage
from licenses.matches import Detection
from licenses.models import Document
from licenses.records import Json, clean
from licenses.terms import Reading, Value

# In a case's conditions: people have to accept, whatever is usual for the license.
CLICK = "click"
_KINDS = ("license", "use-policy")


def consent_documents(
    lineage: Lineage,
    *,
    readings: Mapping[str, Reading],
    files: Mapping[str, Detection],
    normalized: Mapping[str, str],
    revision: RevisionSet,
    hashes: Mapping[str, str],
    conditions: Sequence[str] = (),
) -> list[Json]:
    """Return the documents in the order in which they are shown; none where nothing asks for consent.

    ``normalized`` and ``hashes`` are the hashes of the words and of the bytes of each file that states terms.
    """
    everyone = CLICK in conditions
    asking = [
        readings[one]
        for one in lineage.use_licenses
        if one in readings and (everyone or readings[one].value("gating_usual") is Value.YES)
    ]
    if not asking and not everyone:
        return []
    found = [document for one in asking for document in _of_license(one, set(normalized.values()))]
    for path, detection in files.items():
        if path in hashes and (everyone or not detection.is_clean):
            found.append(_from_file(path, detection, hashes[path]))
    prompt = revision.fields.get("extra_gated_prompt")
    if isinstance(prompt, str) and prompt.strip():
        found.append(_document("", "prompt", "", _sha(prompt), "What the card asks", source="card"))
    return found


def _of_license(reading: Reading, here: Iterable[str]) -> list[Json]:
    """Return one text of each kind: the one that lies beside the model, else the newest."""
    rows = (
        Document.objects.filter(license__slug=reading.id, kind__in=_KINDS)
        .defer("text")
        .order_by("-version", "pk")
    )
    by_kind: dict[str, Document] = {}
    for row in sorted(rows, key=lambda row: row.normalized_sha256 not in here):
        by_kind.setdefault(row.kind, row)
    if not by_kind:
        return [_document(reading.id, "reference", "", _sha(reference(reading)), reading.name)]
    return [
        _document(reading.id, kind, by_kind[kind].version, by_kind[kind].sha256, reading.name)
        for kind in _KINDS
        if kind in by_kind
    ]


def reference(reading: Reading) -> str:
    """Return what is shown where this hub has no text of a license."""
    where = f", which {reading.steward or 'its steward'} keeps at {reading.url}" if reading.url else ""
    return f"The terms of {reading.name}{where}."


def _from_file(path: str, detection: Detection, sha256: str) -> Json:
    license_id = detection.matches[0].license if detection.matches else ""
    return _document(license_id, "license", "", sha256, clean(path), source="file", path=clean(path))


def _document(
    license_id: str, kind: str, version: str, sha256: str, title: str, *, source: str = "catalogue", path: str = ""
) -> Json:  # fmt: skip
    return {
        "license": license_id, "kind": kind, "version": version, "sha256": sha256, "title": title, "source": source,
        "path": path,
    }  # fmt: skip


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
