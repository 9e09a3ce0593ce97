"""Changing one small text file: read it, write it or delete it, unless somebody else was faster."""

from collections.abc import Callable

from hub.accounts.identity import Viewer
from hub.catalog import objects, reviewed
from hub.catalog.commits import Committed, Message, commit, find_target
from hub.catalog.errors import BadRequest, EntryNotFound, StaleParent, TooLarge
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddFile, Delete, Operation
from hub.catalog.trees import Entry, entry_at

MAX_TEXT = 2**20
_TRIES = 4


def text_at(viewer: Viewer, at: Located, path: FilePath) -> tuple[Entry, str]:
    """Return a file that can be edited as text; raises EntryNotFound, BadRequest, and what the gate says."""
    reviewed.require_pull_at(viewer, at)
    entry = entry_at(at.repo, at.tree, path)
    if entry is None or entry.is_folder:
        raise EntryNotFound(f"{path} is not a file in this revision.", at.commit)
    if entry.is_large or entry.size > MAX_TEXT:
        raise BadRequest(f"{path} is too large to be edited here; upload it anew.")
    content = objects.read(at.repo.network_id, entry.oid)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text:
        raise BadRequest(f"{path} is not a text, so it cannot be edited here; upload it anew.")
    return entry, text


def save_text(
    viewer: Viewer, repo: Repo, *, revision: str, path: FilePath, text: str, was: str, message: Message,
    proposal: bool = False,
) -> Committed:  # fmt: skip
    """Put a text at a path where the git id of what stood there is still ``was`` ('' for a new file).

    Raises StaleParent when it is not; a text that stands there already is fine.  Commits of other files in between do
    no harm.
    """
    content = as_bytes(text)
    oid = objects.oid_of(objects.make_blob(content))

    def put(entry: Entry | None) -> Operation | None:
        return None if entry is not None and entry.oid == oid else AddFile(path, content)

    return _change(viewer, repo, revision, path, was, put, message, proposal)


def as_bytes(text: str) -> bytes:
    """Return a text as it is committed; raises TooLarge."""
    content = text.encode("utf-8", "replace")
    if len(content) > MAX_TEXT:
        raise TooLarge(f"The text has {len(content)} bytes; {MAX_TEXT} can be edited here.")
    return content


def delete_file(
    viewer: Viewer, repo: Repo, *, revision: str, path: FilePath, was: str, message: Message,
    proposal: bool = False,
) -> Committed:  # fmt: skip
    """Delete a file where its git id is still ``was``; one that is gone already is fine.  Raises StaleParent."""

    def take(entry: Entry | None) -> Operation | None:
        return None if entry is None else Delete(path)

    return _change(viewer, repo, revision, path, was, take, message, proposal)


def _change(
    viewer: Viewer, repo: Repo, revision: str, path: FilePath, was: str,
    plan: Callable[[Entry | None], Operation | None], message: Message, proposal: bool,
) -> Committed:  # fmt: skip
    target = find_target(viewer, repo, revision, create_pr=proposal)
    for _ in range(_TRIES):
        at = locate_in(repo, target.name)
        entry = entry_at(repo, at.tree, path)
        if entry is not None and entry.is_folder:
            raise BadRequest(f"{path} is a folder.")
        operation = plan(entry)
        if operation is None:
            return Committed(at.commit, target.name)
        if (entry.oid if entry else "") != was:
            raise StaleParent(_said(path, entry, was))
        try:
            return commit(
                viewer, repo, revision=revision, operations=[operation], message=message, parent=at.commit,
                create_pr=proposal,
            )  # fmt: skip
        except StaleParent:
            # Somebody committed in between; if it was another file, the change still fits.
            continue
    raise StaleParent("Others are committing to this branch all the time. Try again.")


def _said(path: FilePath, entry: Entry | None, was: str) -> str:
    if entry is None:
        return f"{path} was deleted since you opened it."
    return f"{path} was changed since you opened it." if was else f"{path} is there already."
