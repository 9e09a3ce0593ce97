"""The texts in front of a reviewer: license files, notices and the card of a case, each beside a known text."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.catalog import objects
from hub.catalog.errors import CatalogError
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Repo
from hub.catalog.names import FilePath
from hub.catalog.trees import entries_at
from licenses.aligned import Alignment
from licenses.alignment import align, alone
from licenses.matches import Detection
from licenses.models import Case, Document
from licenses.records import detection_from_json
from licenses.shown import Shown, read_shown, shown
from licenses.terms import Reading
from licenses.words import MAX_BYTES, Unreadable, decoded

MAX_FILES = 40
CARD = "README.md"


@dataclass(frozen=True, slots=True)
class Text:
    """One file of the repo that bears on its terms; ``detection`` is None for the card and for notices."""

    path: str
    sha256: str
    content: bytes
    detection: Detection | None = None

    @property
    def words(self) -> str:
        """Its text; empty where it is none."""
        try:
            return decoded(self.content)
        except Unreadable:
            return ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One file beside one known text; ``problem`` says why it cannot be shown."""

    text: Text
    document: Document | None
    alignment: Alignment | None
    problem: str = ""


def texts_of(repo: Repo, case: Case) -> Sequence[Text]:
    """Return the files that a case rests on as they are at its commit, those with a finding to read first."""
    detections = {str(one["path"]): detection_from_json(one) for one in case.detected}
    paths = dict.fromkeys([*detections, *_evidence_paths(case), CARD])
    try:
        at = locate_in(repo, case.commit)
    except CatalogError:
        return []
    found = [
        Text(path, hashlib.sha256(content).hexdigest(), content, detections.get(path))
        for path, content in _contents(at, list(paths)[:MAX_FILES])
    ]
    return sorted(
        found, key=lambda one: (one.detection is None, one.detection is not None and one.detection.is_clean)
    )


def _evidence_paths(case: Case) -> Iterator[str]:
    for one in case.evidence:
        if isinstance(one.get("path"), str):
            yield one["path"]


def _contents(at: Located, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the small files among these paths; a large one is no text."""
    parsed = [name for name in map(_file_path, paths) if name is not None]
    for name, entry in entries_at(at.repo, at.tree, parsed).items():
        if not entry.is_folder and not entry.is_large and entry.size <= MAX_BYTES:
            yield str(name), objects.read(at.repo.network_id, entry.oid)


def _file_path(text: str) -> FilePath | None:
    try:
        return FilePath.parse(text)
    except CatalogError:
        return None


def compare(text: Text, reading: Reading | None, document: Document | None) -> Comparison:
    """Lay a file beside a known text, or by itself where there is none; passages of the reading's terms are lit."""
    passages = {term.key: term.passage for term in reading.terms.values() if term.passage} if reading else {}
    try:
        given: Shown = read_shown(text.content)
        if document is None:
            return Comparison(text, None, alone(given, passages))
        return Comparison(text, document, align(shown(document.text), given, passages))
    except Unreadable as error:
        return Comparison(text, document, None, str(error))


def known_text(license_id: str, kind: str = "license", version: str = "") -> Document | None:
    """Return the canonical text of a license: of this version where there is one, else the newest."""
    rows = Document.objects.select_related("license").filter(license__slug=license_id)
    rows = rows.filter(kind=kind).order_by("-version", "pk")
    return rows.filter(version=version).first() or rows.first()


def nearest(text: Text, declared: Sequence[str]) -> Document | None:
    """Return the known text to hold a file against: what it matches, else what the card declares."""
    found = text.detection
    for match in found.matches if found else ():
        if (document := known_text(match.license, match.kind, match.version)) is not None:
            return document
    if found is not None and found.runner_up is not None:
        return known_text(found.runner_up.license, found.runner_up.kind, found.runner_up.version)
    return next((one for one in map(known_text, declared) if one is not None), None)


def readable(texts: Sequence[Text]) -> Mapping[str, str]:
    """Return the words of every file by its path."""
    return {one.path: one.words for one in texts}
