"""The files of a repo: folders, and each file with what is known of it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.accounts.identity import Viewer
from hub.catalog import access, pulls
from hub.catalog.cards import Claims
from hub.catalog.errors import BadPath, EntryNotFound
from hub.catalog.lookups import DEFAULT_REVISION, Located, last_commits
from hub.catalog.models import CommitRecord, Inspection, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.refs import RefList, list_refs, short_name
from hub.catalog.reviewed import may_pull_at
from hub.catalog.trees import Entry, entry_at, folder_tree, list_folder
from hub.pages.addresses import rev_url
from hub.pages.doors import page
from hub.pages.highlight import file_html
from hub.pages.languages import numeral
from hub.pages.repos import README, listed, rendered, shell
from hub.web import locate_rest, repo_name

PAGE = 300
MAX_SHOWN = 512 * 1024
# Every line is an element of its own.
MAX_LINES = 40_000
MAX_TEMPLATE = 20_000
_WEIGHTS = ("safetensors", "gguf", "bin", "pt", "pth", "ckpt", "onnx", "h5", "msgpack", "tflite", "npz")
_PICTURES = ("png", "jpg", "jpeg", "gif", "webp")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a folder."""

    entry: Entry
    commit: CommitRecord | None

    @property
    def icon(self) -> str:
        """Which drawing stands before the name."""
        if self.entry.is_folder:
            return "folder"
        return "layers" if self.entry.name.rpartition(".")[2].lower() in _WEIGHTS else "file-text"

    @property
    def proof(self) -> str:
        """The state of the bytes; small files carry their hash as their id."""
        return proof_of_entry(self.entry)


# What a summary holds, in the order and the words in which people read it.
_LABELS = {
    "name": gettext_noop("Name in the file"), "architecture": gettext_noop("Architecture"),
    "file_type": gettext_noop("Type"), "tensors": gettext_noop("Tensors"),
    "total": gettext_noop("Parameters"), "parameters": gettext_noop("Number types"),
    "context_length": gettext_noop("Context, tokens"),
    "license": gettext_noop("Licence in the file"),
}  # fmt: skip


def proof_of_entry(entry: Entry) -> str:
    """Return ``proven``, ``proving`` or ``rejected``."""
    return (entry.state or "rejected") if entry.is_large else "proven"


def crumbs(at: Located, path: str) -> list[tuple[str, str]]:
    """Return the folders above a path with their addresses, outermost first."""
    parts = path.split("/") if path else []
    return [
        (part, rev_url(at.repo, "tree", at.revision, "/".join(parts[: depth + 1])))
        for depth, part in enumerate(parts)
    ]


def _path(text: str, at: Located) -> FilePath | None:
    try:
        return FilePath.parse(text.rstrip("/")) if text.rstrip("/") else None
    except BadPath:
        raise EntryNotFound(f"{text} is not in this revision.", at.commit) from None


@page
def tree(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = DEFAULT_REVISION
) -> HttpResponse:
    """A folder at a revision."""
    at, text = locate_rest(viewer, repo_name(kind, repo), rest)
    path = _path(text, at)
    if path is not None and (entry := entry_at(at.repo, at.tree, path)) and not entry.is_folder:
        return HttpResponseRedirect(rev_url(at.repo, "blob", at.revision, entry.path))
    prefix = str(path or "")
    entries = list_folder(
        at.repo,
        folder_tree(at.repo, at.tree, path),
        prefix,
        after=request.GET.get("after", ""),
        limit=PAGE + 1,
    )
    shown = entries[:PAGE]
    commits = last_commits(at.repo, at.commit, [entry.path for entry in shown])
    lines = [Line(entry, commits.get(entry.path)) for entry in shown]
    lines.sort(key=lambda line: not line.entry.is_folder)
    context = shell(viewer, at, tab="files")
    context |= {
        "lines": lines, "path": prefix, "crumbs": crumbs(at, prefix), "refs": refs_of(at, "tree"),
        "after": shown[-1].path if len(entries) > PAGE else "",
        "target": viewer.user is not None and access.may_propose(viewer, at.repo),
        "newest": max((line.commit for line in lines if line.commit), key=lambda commit: commit.depth, default=None),
    }  # fmt: skip
    return render(request, "repo/tree.html", context)


def refs_of(at: Located, verb: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return the revisions to choose from by kind: name, address, and whether it is the one at hand."""
    found: RefList = list_refs(at.repo)
    kinds = ((_("Branches"), found.branches), (_("Tags"), found.tags), (_("Pull requests"), found.pulls))
    return [
        (
            title,
            [(name, rev_url(at.repo, verb, name), name == at.revision) for name in map(short_name, refs)],
        )
        for title, refs in kinds
        if refs
    ]


@page
def blob(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """One file: its text where it is short text, and what is known of it otherwise."""
    at, text = locate_rest(viewer, repo_name(kind, repo), rest)
    path = _path(text, at)
    entry = entry_at(at.repo, at.tree, path) if path else None
    if entry is None:
        raise EntryNotFound(f"{text or 'This'} is not a file in this revision.", at.commit)
    if entry.is_folder:
        return HttpResponseRedirect(rev_url(at.repo, "tree", at.revision, entry.path))
    context = shell(viewer, at, tab="files")
    last = last_commits(at.repo, at.commit, [entry.path]).get(entry.path)
    context |= {
        "entry": entry, "crumbs": crumbs(at, entry.path)[:-1], "last": last, "state": proof_of_entry(entry),
        "refs": refs_of(at, "tree"), "is_plain": "plain" in request.GET,
        "target": viewer.user is not None and access.may_propose(viewer, at.repo),
    }  # fmt: skip
    context |= (
        _about_large(entry) if entry.is_large else _about_small(request, at, entry, may_pull_at(viewer, at))
    )
    return render(request, "repo/blob.html", context)


def _about_large(entry: Entry) -> dict[str, Any]:
    found = None
    if entry.state == RepoBlob.State.PROVEN:
        # Only who holds the bytes may learn what was read in them; naming their hash is not holding them.
        found = Inspection.objects.filter(sha256=entry.sha256).defer("data").first()
    if found is None:
        return {"inspection": None}
    template = found.summary.get("chat_template") if isinstance(found.summary, dict) else None
    return {
        "inspection": found, "facts": _facts(found), "findings": listed(found.findings),
        "chat_template": template[:MAX_TEMPLATE] if isinstance(template, str) else "",
    }  # fmt: skip


def _facts(found: Inspection) -> list[tuple[str, str]]:
    """Return an inspection's summary as names and values that fit on a line each, what matters most first."""
    summary: dict[str, Any] = found.summary if isinstance(found.summary, dict) else {}
    known = [key for key in _LABELS if key in summary]
    others = sorted(summary.keys() - _LABELS.keys() - {"chat_template"})
    facts = [(_("Format"), found.format)]
    for key in [*known, *others]:
        value = summary[key]
        if isinstance(value, dict):
            value = ", ".join(f"{inner} {_value(item)}" for inner, item in value.items())
        if not isinstance(value, list) and value != "":
            label = _(_LABELS[key]) if key in _LABELS else key.replace("_", " ").capitalize()
            facts.append((label, _value(value)))
    return facts


def _value(value: object) -> str:
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return numeral(f"{value:,}") if is_count else str(value)[:500]


def _about_small(request: HttpRequest, at: Located, entry: Entry, may_pull: bool) -> dict[str, Any]:
    if not may_pull or entry.size > MAX_SHOWN:
        return {"reason": "long" if may_pull else "gated"}
    suffix = entry.name.rpartition(".")[2].lower()
    if suffix in _PICTURES:
        return {"picture": rev_url(at.repo, "resolve", at.revision, entry.path)}
    if suffix == "md" and "plain" not in request.GET:
        written_in = Claims(data=at.card).language if entry.path == README else ""
        return {"prose": rendered(at, entry), "written_in": written_in}
    content = pulls.content_of(at.repo, entry)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {"reason": "binary"}
    if "\x00" in text:
        return {"reason": "binary"}
    if text.count("\n") > MAX_LINES:
        return {"reason": "long"}
    code, lines = file_html(text, entry.name)
    return {"code": code, "lines": lines}
