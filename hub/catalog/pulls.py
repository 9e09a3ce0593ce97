"""Bytes out.  One of the two files that move bytes for a user: the gate is asked here, at every call."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.conf import settings

from hub.accounts.identity import Viewer
from hub.catalog import access, forms, objects, pullrecords, reviewed, upkeep
from hub.catalog.delivery import REDIRECT, mode, trouble_of
from hub.catalog.errors import BadPath, BeingProven, EntryNotFound
from hub.catalog.lookups import Located
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.tickets import DownloadTicket, identity_of
from hub.catalog.trees import Entry, entry_at
from hub.catalog.waiting import release_connection
from storage import downloads
from storage.errors import ChunksDamaged, StorageError

State = RepoBlob.State
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """Where a large file is to be fetched: an address of the store, or a ticket for the hub's own bytes door."""

    url: str = ""
    ticket: str = ""


def open_file(viewer: Viewer, at: Located, path: str) -> Entry:
    """Return a file that the viewer may have now; raises what the gate says, EntryNotFound or BeingProven."""
    reviewed.require_pull_at(viewer, at)
    try:
        entry = entry_at(at.repo, at.tree, FilePath.parse(path))
    except BadPath:
        entry = None
    if entry is None or entry.is_folder:
        raise EntryNotFound(f"Entry not found: {path}", at.commit)
    if entry.is_large:
        _require_proven(entry, at.commit)
        reviewed.require_not_withheld(viewer, at.repo, entry.sha256)
    return entry


def _require_proven(entry: Entry, commit: str) -> None:
    if entry.state == State.PROVEN:
        if not entry.xet_hash and forms.is_being_cut(entry.sha256, entry.size):
            raise BeingProven(f"{entry.path} is being cut into chunks for its size. Try again soon.", commit)
        return
    if entry.state == State.PROVING:
        raise BeingProven(
            f"{entry.path} is being proven: its sha256 is being computed. Try again soon.", commit
        )
    raise EntryNotFound(
        f"{entry.path} was rejected: {entry.problem or 'its bytes were never received.'}", commit
    )


def content_of(repo: Repo, entry: Entry) -> bytes:
    """Return a small file (or the pointer of a large one), as git has it.  The caller has asked the gate."""
    return objects.read(repo.network_id, entry.oid)


def contents_of(repo: Repo, entries: Sequence[Entry]) -> dict[str, bytes]:
    """Return several small files by their git ids, in one query.  The caller has asked the gate."""
    return objects.read_all(repo.network_id, [entry.oid for entry in entries])


def hand_out(viewer: Viewer, at: Located, entry: Entry) -> bytes:
    """Return the same for somebody who takes it along, which is recorded; `open_file` has admitted them."""
    pullrecords.note(viewer, at.repo, commit=at.commit, path=entry.path)
    return content_of(at.repo, entry)


def way_to(viewer: Viewer, repo: Repo, *, sha256: str, filename: str) -> Way:
    """Return how the client gets a proven large file that `open_file` has admitted.

    Bytes that lie in chunks only have no address in the store: the hub puts them together.
    """
    if mode() == REDIRECT:
        try:
            url = downloads.link(sha256, filename=filename, expires=settings.HUB_BYTE_URL_SECONDS)
        except StorageError as error:
            raise trouble_of(error) from error
        if url:
            forms.note_link(sha256)
            pullrecords.note(viewer, repo, sha256=sha256)
            return Way(url=url)
    user, token = identity_of(viewer)
    return Way(ticket=DownloadTicket(str(repo.pk), user, token, sha256, filename).sign())


def redeem(ticket: DownloadTicket) -> RepoBlob:
    """Ask the gate again for the ticket's user; returns the proven claim whose bytes may be streamed."""
    repo, viewer = ticket.find_repo(), ticket.viewer()
    access.require_pull(viewer, repo)
    claim = RepoBlob.objects.filter(repo=repo, sha256=ticket.sha256, state=State.PROVEN).first()
    if claim is None:
        raise EntryNotFound(f"{ticket.filename} is no longer held by this repository.")
    reviewed.require_not_withheld(viewer, repo, claim.sha256)
    pullrecords.note(viewer, repo, sha256=claim.sha256)
    return claim


def stream(sha256: str, start: int, length: int) -> Iterator[bytes]:
    """Return the bytes of a proven file in chunks; gives the database connection back before the first one."""
    try:
        chunks = downloads.open_range(sha256, start, length)
    except StorageError as error:
        raise trouble_of(error) from error
    release_connection()
    return _watched(sha256, chunks)


def _watched(sha256: str, stream: downloads.Bytes) -> Iterator[bytes]:
    """Pass bytes on and count them; where stored chunks turn out damaged the stream breaks off, and a worker looks."""
    from_chunks, passed = downloads.is_from_chunks(stream), 0
    with closing(stream):
        try:
            for piece in stream:
                passed += len(piece)
                yield piece
        except ChunksDamaged as error:
            upkeep.suspect(error.xorb)
            release_connection()
            raise
        finally:
            forms.note_stream(sha256, passed, from_chunks=from_chunks)


def held(viewer: Viewer, repo: Repo, digests: list[str]) -> dict[str, int]:
    """Return which of these large files the repo can serve to the viewer now, with their sizes in bytes."""
    access.require_pull(viewer, repo)
    claims = RepoBlob.objects.filter(repo=repo, sha256__in=digests, state=State.PROVEN)
    stopped = reviewed.withheld(viewer, repo, digests)
    return {sha: size for sha, size in claims.values_list("sha256", "size") if sha not in stopped}
