"""What of a commit bears on its terms: card fields, the card's section on its license, license texts.

Their digest is the commit's *revision set*.  It is written with every commit, so that any revision can be held against
what was reviewed; a commit that touches none of it has its parent's.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.catalog import objects
from hub.catalog.cards import body_of, parse_card
from hub.catalog.errors import CatalogError
from hub.catalog.models import CommitRecord, Repo, TreeRow
from hub.catalog.objects import FOLDER_MODE

README = "README.md"
MAX_README = 4 * 2**20
MAX_FILES = 60
MAX_FOLDERS = 200
# Fields of a card that say under which terms, from whom and for whom.
FIELDS = (
    "license", "license_name", "license_link", "base_model", "base_model_relation", "datasets", "new_version",
    "extra_gated_heading", "extra_gated_prompt", "extra_gated_fields", "extra_gated_description",
)  # fmt: skip
_TERMS = re.compile(
    r"^(licen[cs]e|copying|notice|use[_-]?policy|acceptable[_-]?use|.*(agreement|terms).*)", re.IGNORECASE
)
# Texts called after a license elsewhere in their name: MODEL_LICENSE, Gemma-License.txt, open_rail_m.md.
_TERMS_INSIDE = re.compile(
    r"^.*(licen[cs]e|(?<![a-z])(eula|rail|legal)(?![a-z]))[^.]*(\.(txt|md|rst|pdf|docx?|html?|rtf))?$",
    re.IGNORECASE,
)
_TERMS_FOLDER = re.compile(r"^licen[cs]es?$", re.IGNORECASE)
# Names that speak of terms and hold weights, code or tables.
_NO_TEXT = re.compile(
    r"\.(safetensors|gguf|bin|pt|pth|onnx|h5|msgpack|ckpt|npz|npy|pkl|parquet|arrow|zip|gz|tar|py|ipynb|js|ts|c|cpp|h"
    r"|cu|sh|json|jsonl|csv|tsv|ya?ml|toml|css|so)$",
    re.IGNORECASE,
)
_WEIGHTS = re.compile(
    r"\.(safetensors|gguf|ggml|bin|pt|pth|onnx|h5|msgpack|ckpt|npz|tflite|nemo|keras)$", re.IGNORECASE
)
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.{1,200})$", re.MULTILINE)
_ABOUT_LICENSE = re.compile(r"\blicen[cs]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TermsFile:
    """A file that may state terms.  ``sha256`` is set where its bytes lie in the store and git has a pointer."""

    path: str
    oid: str
    size: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RevisionSet:
    """Everything of a commit that bears on its terms."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    readme: str = ""
    files: Sequence[TermsFile] = ()
    left_out: int = 0

    @property
    def section(self) -> str:
        """The card's words under a heading that speaks of its license."""
        return license_section(self.readme)

    @property
    def digest(self) -> str:
        told = [self.fields, self.section, [[one.path, one.oid] for one in self.files], self.left_out]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def digest_for(terms: str, name: str) -> str:
    """Return the digest of a revision set in a repo of this name: some licenses say how a model is called."""
    return hashlib.sha256(f"{terms}\n{name}".encode()).hexdigest()


def read(repo: Repo, tree: str) -> RevisionSet:
    """Return the revision set of a tree."""
    readme = _readme(repo, tree)
    data = parse_card(readme.encode("utf-8", "replace")).data if readme else {}
    files = _terms_files(repo, tree)
    return RevisionSet(
        {name: data[name] for name in FIELDS if name in data}, readme, files[:MAX_FILES], max(0, len(files) - MAX_FILES)
    )  # fmt: skip


def terms_of(repo: Repo, tree: str, *, changed: Iterable[str], parents: Sequence[CommitRecord]) -> str:
    """Return the digest of a new commit's revision set; the parent's where nothing of it changed."""
    if parents and parents[0].terms and not any(map(bears_on_terms, changed)):
        return parents[0].terms
    return read(repo, tree).digest


def bears_on_terms(path: str) -> bool:
    """True for the card, and for files in the root and one folder down that may state terms, by their names."""
    folder, _, name = path.rpartition("/")
    if path == README:
        return True
    if "/" in folder or _NO_TEXT.search(name):
        return False
    return bool(_TERMS.match(name) or _TERMS_INSIDE.match(name) or _TERMS_FOLDER.match(folder))


def is_weights(path: str) -> bool:
    """True for files that hold weights, by their names."""
    return bool(_WEIGHTS.search(path))


def license_section(readme: str) -> str:
    """Return what a card says under its headings about the license, up to the next heading as high."""
    text = body_of(readme)
    headings = [(found.start(), len(found[1]), found[2]) for found in _HEADING.finditer(text)]
    parts = []
    # Read backwards, with the nearest heading of each level behind: a card may have a hundred thousand of them.
    behind: dict[int, int] = {}
    for start, level, title in reversed(headings):
        if _ABOUT_LICENSE.search(title):
            end = min((at for other, at in behind.items() if other <= level), default=len(text))
            parts.append(text[start:end])
        behind[level] = start
    return "\n".join(reversed(parts))


def _readme(repo: Repo, tree: str) -> str:
    row = TreeRow.objects.filter(network=repo.network_id, tree=tree, name=README).first()
    if row is None or row.sha256 or row.mode == FOLDER_MODE or row.size > MAX_README:
        return ""
    return content_of(repo, row.oid).decode("utf-8", "replace").replace("\0", "\ufffd")


def content_of(repo: Repo, oid: str) -> bytes:
    """Return a small file; nothing where the store has lost it, which upkeep tells of."""
    try:
        return objects.read(repo.network_id, oid)
    except CatalogError:
        return b""


def _terms_files(repo: Repo, tree: str) -> list[TermsFile]:
    rows = TreeRow.objects.filter(network=repo.network_id)
    root = list(rows.filter(tree=tree).order_by("name"))
    folders = {row.oid: row.name for row in [row for row in root if row.mode == FOLDER_MODE][:MAX_FOLDERS]}
    found = [(row.name, row) for row in root if row.mode != FOLDER_MODE]
    below = rows.filter(tree__in=folders).exclude(mode=FOLDER_MODE).order_by("tree", "name")
    found += [(f"{folders[row.tree]}/{row.name}", row) for row in below]
    return [
        TermsFile(path, row.oid, row.size, row.sha256)
        for path, row in sorted(found, key=lambda pair: pair[0])
        if path != README and bears_on_terms(path)
    ]
