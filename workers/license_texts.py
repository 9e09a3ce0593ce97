"""What a model's files say about its terms: every text that may state them, read and compared."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.catalog import revision_sets
from hub.catalog.cards import Claims, body_of, parse_card
from hub.catalog.models import CommitRecord, Inspection, Repo
from hub.catalog.revision_sets import RevisionSet, TermsFile
from hub.catalog.trees import Entry, files
from licenses.detect import Corpus
from licenses.duties import Proof
from licenses.findings import Code, Finding, Severity
from licenses.identify import Catalogue, Declared
from licenses.matches import Detection, Status
from licenses.models import Document
from licenses.readings import corpus
from licenses.records import Json, clean
from licenses.words import MAX_BYTES, Unreadable, read_words

SECTION, PROMPT = "README.md, section on its license", "README.md, extra_gated_prompt"
MAX_ENTRIES = 50_000
_NOTICE = re.compile(r"(?:^|/)notices?(?:\.\w+)?$", re.IGNORECASE)
_CHANGED = re.compile(
    r"\b(?:changed|changes|modified|modifications?|fine.?tun\w+|adapted|quantiz\w+|converted|merged?|pruned|distilled"
    r"|based on|derived from)\b",
    re.IGNORECASE,
)
_INSIDE = ("general.license", "general.license.name", "license")
_kept: dict[tuple[int, int], Corpus] = {}


@dataclass(slots=True)
class Gathered:
    """What lies in a commit that bears on its terms.  ``normalized`` and ``hashes`` are by path, of words and bytes."""

    record: CommitRecord
    revision: RevisionSet
    claims: Claims
    entries: Sequence[Entry]
    detections: dict[str, Detection] = field(default_factory=dict)
    normalized: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    evidence: list[Json] = field(default_factory=list)
    notices: str = ""

    @property
    def texts(self) -> list[str]:
        """The hashes of the words of every text, sorted: what a decision rests on."""
        return sorted(set(self.normalized.values()))

    def proof(self, name: str) -> Proof:
        """Return what shows that inherited duties are met."""
        clean_ones = [found for found in self.detections.values() if found.is_clean]
        words = f"{body_of(self.revision.readme)}\n{self.notices}"
        return Proof(
            name=name,
            texts=frozenset(one for found in clean_ones for one in found.licenses),
            notices=self.notices,
            card=self.revision.readme,
            changes_marked=bool(_CHANGED.search(words)),
        )


def known_texts() -> Corpus:
    """Return the index of known texts, built again when a text was added."""
    rows = Document.objects.order_by("-pk").values_list("pk", flat=True)
    key = (rows.count(), rows.first() or 0)
    if key not in _kept:
        _kept.clear()
        _kept[key] = corpus()
    return _kept[key]


def gather(repo: Repo, record: CommitRecord) -> Gathered:
    """Read everything in a commit that may state terms."""
    revision = revision_sets.read(repo, record.tree)
    claims = parse_card(revision.readme.encode("utf-8", "replace")) if revision.readme else Claims()
    entries = [entry for _, entry in zip(range(MAX_ENTRIES), files(repo, record.tree), strict=False)]
    found = Gathered(record, revision, claims, entries)
    index = known_texts()
    for file in revision.files:
        _read_file(repo, file, found, index)
    prompt = revision.fields.get("extra_gated_prompt")
    for path, text in ((SECTION, revision.section), (PROMPT, prompt if isinstance(prompt, str) else "")):
        _read_passage(path, text, found, index)
    return found


def _read_file(repo: Repo, file: TermsFile, found: Gathered, index: Corpus) -> None:
    if file.sha256 or file.size > MAX_BYTES:
        why = (
            "It is stored as a large file" if file.sha256 else f"It has {file.size} bytes"
        ) + f"; licence texts are read as plain text of up to {MAX_BYTES} bytes."
        found.detections[file.path] = Detection(Status.UNREADABLE, note=why)
        found.evidence.append(_told(file.path, "file", file.sha256, file.size, note=why))
        return
    content = revision_sets.content_of(repo, file.oid)
    sha256 = hashlib.sha256(content).hexdigest()
    detection = index.detect(content)
    found.hashes[file.path] = sha256
    # What cannot be read as words still counts as a text that was there.
    found.normalized[file.path] = _words_hash(content) or sha256
    is_notice = bool(_NOTICE.search(file.path))
    if is_notice:
        found.notices += content.decode("utf-8", "replace") + "\n"
    if not (is_notice and detection.status in (Status.UNKNOWN, Status.AMBIGUOUS)):
        found.detections[file.path] = detection
    note = detection.note or (
        "" if _is_utf8(content) else "It is not UTF-8; it was read as Windows-1252 or UTF-16."
    )
    found.evidence.append(
        _told(file.path, "notice" if is_notice else "file", sha256, file.size, oid=file.oid, note=note)
    )


def _read_passage(path: str, text: str, found: Gathered, index: Corpus) -> None:
    """A passage of the card counts where it holds a known text; prose about a license is shown, and is none."""
    if not text.strip():
        return
    content = text.encode("utf-8", "replace")
    detection = index.detect(content)
    if detection.status not in (Status.UNKNOWN, Status.UNREADABLE):
        found.detections[path] = detection
        found.normalized[path] = _words_hash(content)
    found.evidence.append(_told(path, "card", hashlib.sha256(content).hexdigest(), len(content)))


def _told(path: str, kind: str, sha256: str, size: int, *, oid: str = "", note: str = "") -> Json:
    return {"path": clean(path), "kind": kind, "sha256": sha256, "size": size, "oid": oid, "note": note}


def _words_hash(content: bytes) -> str:
    try:
        return read_words(content).sha256
    except Unreadable:
        return ""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def declared_in(gathered: Gathered, catalogue: Catalogue) -> Declared:
    """Return what the card's own fields claim."""
    fields = gathered.revision.fields
    return catalogue.declared(
        fields.get("license"), name=fields.get("license_name"), link=fields.get("license_link")
    )


def inside_findings(gathered: Gathered, declared: Declared, catalogue: Catalogue) -> list[Finding]:
    """Return where the header of a weight file names another license than the card does."""
    weights = {
        one.sha256: one.path
        for one in gathered.entries
        if one.is_large and revision_sets.is_weights(one.path)
    }
    found = []
    for sha256, data in Inspection.objects.filter(sha256__in=weights).values_list("sha256", "data"):
        metadata = data.get("metadata") or {}
        for key in _INSIDE:
            named = metadata.get(key)
            if not isinstance(named, str) or not named.strip():
                continue
            ids = catalogue.candidates(named)
            if ids and declared.ids and not set(ids) & set(declared.ids):
                path = weights[sha256]
                found.append(
                    Finding(
                        Code.LIC_MISMATCH,
                        Severity.FIX,
                        f"The header of {path} says {named[:100]!r}, the card says {', '.join(declared.ids)}.",
                        "Correct whichever is wrong.",
                        license=", ".join(ids),
                        subject=path,
                    )
                )  # fmt: skip
    return found
