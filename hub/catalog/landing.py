"""Putting what a conversion made into a repo: one transaction, or nothing.

The repo lies beside the source and follows it.  It is made when there is something to put into it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.accounts.identity import Viewer
from hub.catalog import access, derived, holdings, objects, quantcards, quotas, repos
from hub.catalog.commits import Committed, Message, commit
from hub.catalog.errors import BadRequest, NameTaken, NotAllowed
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Ref, Repo
from hub.catalog.names import FilePath, RepoName
from hub.catalog.operations import AddFile, AddLarge, Operation
from hub.catalog.refs import MAIN
from hub.catalog.trees import Entry, entries_at, entry_at, list_folder
from storage.models import Upload

ENDING = "-GGUF"
PROVENANCE = FilePath(("provenance.json",))
README = FilePath(("README.md",))
MAX_NOTICES = 20
Statement = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What a conversion made: the uploads of its files, hashed in the store, and a statement for each type."""

    uploads: dict[str, Upload]
    statements: list[Statement]


@dataclass(frozen=True, slots=True)
class Landed:
    """Where it lies now."""

    repo: Repo
    commit: Committed


@dataclass(frozen=True, slots=True)
class Quality:
    """How far files are from what they were made of: a relative error, and what running them showed."""

    error: float | None
    perplexity: float | None = None
    divergence: float | None = None


def qualities(at: Located) -> dict[str, Quality]:
    """Return what the record of a repo says of its files, by sha256."""
    return {
        item["digest"]["sha256"]: Quality(*quantcards.quality(one))
        for one in _kept(at.repo, at.tree)
        for item in one["subject"]
    }


def target_name(source: Repo, wanted: str = "") -> RepoName:
    """Return the id of the repo that quantizations of a model go to; raises BadRequest."""
    if source.type != Repo.Type.MODEL:
        raise BadRequest("Only models can be quantized.")
    namespace, slash, name = wanted.rpartition("/")
    if slash and namespace.lower() != source.namespace.name.lower():
        raise BadRequest(f"target: must lie beside its source, in {source.namespace.name}.")
    try:
        return RepoName.for_new(source.type, source.namespace.name, name or source.name + ENDING)
    except BadRequest as error:
        advice = "" if name else f" Name the new repository with target, such as {source.name[:80]}-Q."
        raise BadRequest(f"target: {error}{advice}") from error


def find_target(viewer: Viewer, source: Repo, name: RepoName) -> Repo | None:
    """Return the repo that is to be added to, None where it is to be made; raises NameTaken and NotAllowed."""
    standing = Repo.objects.select_related("namespace").filter(type=name.type, key=name.key).first()
    if standing is None:
        if not access.may_create_in(viewer, source.namespace):
            raise NotAllowed(f"You don't have the rights to create a repository in {source.namespace.name}.")
        repos.check_free(viewer, name, source.namespace)
        return None
    if standing.source_id != derived.root_of(source).pk:
        raise NameTaken(
            f"{name.full} is there already and was not made from {source.full_name}; name another with target."
        )
    access.require_write(viewer, standing)
    return standing


def land(viewer: Viewer, at: Located, *, target: str, made: Made, message: Message) -> Landed:
    """Commit what was made of a commit, inside the job's last transaction; rights are asked again.

    The source's row is locked first, so that the target begins with the settings that the source has then.
    """
    root = Repo.objects.select_for_update(no_key=True).get(pk=at.repo.source_id or at.repo.pk)
    source = Repo.objects.select_related("namespace").get(pk=at.repo.pk)
    access.require_convert(viewer, source)
    name = target_name(source, target)
    repo = find_target(viewer, source, name)
    if repo is None:
        repo = repos.create_repo(viewer, name=name, private=root.private)
        derived.bind(repo, root)
    quotas.lock(repo.namespace)
    Ref.objects.select_for_update().get(repo=repo, name=MAIN)
    holdings.settle_made(list(made.uploads.values()), repo=repo, by=viewer.user)
    operations = _operations(source, at, repo, made)
    done = commit(viewer, repo, revision="main", operations=operations, message=message)
    quotas.require_kept(repo.namespace)
    return Landed(repo, done)


def _operations(source: Repo, at: Located, repo: Repo, made: Made) -> list[Operation]:
    here = locate_in(repo, "main")
    statements = merged(_kept(repo, here.tree), made.statements)
    large: list[Operation] = [
        AddLarge(FilePath.parse(path), upload.sha256, upload.size) for path, upload in made.uploads.items()
    ]
    return [
        *large, *_notices(source, at.tree), *_readme(source, at, repo, here.tree, statements),
        AddFile(PROVENANCE, json.dumps(statements, indent=2).encode() + b"\n"),
    ]  # fmt: skip


def _readme(
    source: Repo, at: Located, repo: Repo, tree: str, statements: Sequence[Statement]
) -> list[Operation]:
    known, before = entry_at(repo, tree, README), None
    if known is not None:
        if known.is_large or known.is_folder:
            return []
        before = objects.read(repo.network_id, known.oid).decode("utf-8", "replace")
    text = quantcards.card(source=source.full_name, claims=at.card, statements=statements, before=before)
    return [AddFile(README, text.encode())]


def _notices(source: Repo, tree: str) -> list[Operation]:
    """Return the licence and notice files at the root of the source, which go with every copy."""
    entries = [entry for entry in list_folder(source, tree) if quantcards.is_notice(entry.path)]
    return [_copied(source, entry) for entry in entries if not entry.is_folder][:MAX_NOTICES]


def _copied(source: Repo, entry: Entry) -> Operation:
    path = FilePath.parse(entry.path)
    if entry.is_large:
        return AddLarge(path, entry.sha256, entry.size)
    return AddFile(path, objects.read(source.network_id, entry.oid))


def _kept(repo: Repo, tree: str) -> list[Statement]:
    """Return what the repo's record says of files that are still there, as they were made."""
    entry = entry_at(repo, tree, PROVENANCE)
    if entry is None or entry.is_large or entry.is_folder:
        return []
    try:
        told = json.loads(objects.read(repo.network_id, entry.oid))
        names = {subject["name"]: subject["digest"]["sha256"] for one in told for subject in one["subject"]}
        here = entries_at(repo, tree, [FilePath.parse(name) for name in names])
        held = {str(path): found.sha256 for path, found in here.items()}
        kept = [
            one
            for one in told
            if all(held.get(item["name"]) == names[item["name"]] for item in one["subject"])
        ]
        # Raises for what no table can be made of.
        quantcards.table(kept)
        return kept
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, BadRequest):
        # Somebody has written the file by hand; what is made now is recorded anew.
        return []


def merged(old: Sequence[Statement], new: Sequence[Statement]) -> list[Statement]:
    """Return all statements, without old ones about files that new ones are about."""
    names = {item["name"] for one in new for item in one["subject"]}
    return [*(one for one in old if not any(item["name"] in names for item in one["subject"])), *new]
