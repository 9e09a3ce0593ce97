"""A folder of a revision as one ZIP file, sent while it is read: the gate is asked again and again on the way."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub.accounts.identity import Viewer
from hub.catalog import access, pullrecords, pulls, reviewed, zips
from hub.catalog.errors import BadRequest, BeingProven, EntryNotFound
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.tickets import Ticket, identity_of
from hub.catalog.trees import Entry, folder_tree, walk
from hub.catalog.waiting import release_connection
from hub.catalog.zips import Member

MAX_FILES = 50_000
# Between two files; one that is under way is sent whole, as by any other door.
ASK_AGAIN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ZipTicket(Ticket):
    """Permission to fetch one folder of one commit; ``path`` is empty for all of it."""

    salt = "zip"

    commit: str
    path: str


@dataclass(slots=True)
class Archive:
    """A folder that may be sent now: what it is called, and its files."""

    viewer: Viewer
    at: Located
    name: str
    members: dict[Member, Entry]
    asked_at: float = field(default_factory=time.monotonic)

    @property
    def length(self) -> int:
        """Bytes of the archive."""
        return zips.length(list(self.members))

    def stream(self) -> Iterator[bytes]:
        """Return the archive's bytes; a right that ends meanwhile ends it before the next file."""
        release_connection()
        return zips.stream(self.members, self._content, when=self.at.created_at)

    def _content(self, member: Member) -> Iterable[bytes]:
        entry, repo = self.members[member], self.at.repo
        if entry.is_large or time.monotonic() - self.asked_at > ASK_AGAIN_SECONDS:
            self._ask_again(entry)
        if entry.is_large:
            pullrecords.note(self.viewer, repo, sha256=entry.sha256)
            return pulls.stream(entry.sha256, 0, entry.size) if entry.size else ()
        content = pulls.hand_out(self.viewer, self.at, entry)
        release_connection()
        return (content,)

    def _ask_again(self, entry: Entry) -> None:
        repo = Repo.objects.select_related("namespace").get(pk=self.at.repo.pk)
        access.require_pull(self.viewer, repo)
        if entry.is_large and entry.sha256 not in pulls.held(self.viewer, repo, [entry.sha256]):
            raise EntryNotFound(f"{entry.path} is no longer held by this repository.", self.at.commit)
        self.asked_at = time.monotonic()


def ticket(viewer: Viewer, archive: Archive, path: str) -> str:
    """Return a ticket with which the viewer fetches the archive from the bytes door."""
    user, token = identity_of(viewer)
    return ZipTicket(str(archive.at.repo.pk), user, token, archive.at.commit, path).sign()


def redeem(text: str) -> Archive:
    """Return the archive behind a ticket; raises NotAllowed and what `open_folder` raises."""
    claim = ZipTicket.parse(text)
    return open_folder(claim.viewer(), locate_in(claim.find_repo(), claim.commit), claim.path)


def open_folder(viewer: Viewer, at: Located, path: str) -> Archive:
    """Return a folder (the whole revision for "") that the viewer may have now.

    Raises what the gate says, EntryNotFound, BeingProven, and BadRequest for more than `MAX_FILES` files.
    """
    reviewed.require_pull_at(viewer, at)
    where = FilePath.parse(path) if path else None
    found = walk(at.repo, folder_tree(at.repo, at.tree, where), path, limit=2 * MAX_FILES)
    entries = [entry for entry in found if not entry.is_folder]
    if len(entries) > MAX_FILES or len(found) == 2 * MAX_FILES:
        raise BadRequest(f"A folder of more than {MAX_FILES} files is not sent as one. Use `hf download`.")
    for entry in entries:
        _require_proven(entry, at.commit)
    for sha256 in reviewed.withheld(viewer, at.repo, [entry.sha256 for entry in entries if entry.is_large]):
        reviewed.require_not_withheld(viewer, at.repo, sha256)
    root = path.rpartition("/")[2] or at.repo.name
    inside = len(path) + 1 if path else 0
    members = {
        Member(f"{root}/{_safe(entry.path[inside:])}", entry.size, entry.mode): entry for entry in entries
    }
    return Archive(viewer, at, f"{root}.zip", members)


def _safe(path: str) -> str:
    """Return a path that no program unpacks elsewhere; raises BadPath."""
    return str(FilePath.parse(path))


def _require_proven(entry: Entry, commit: str) -> None:
    if not entry.is_large or entry.state == RepoBlob.State.PROVEN:
        return
    if entry.state == RepoBlob.State.PROVING:
        raise BeingProven(f"{entry.path} is being proven. Try again soon.", commit)
    raise EntryNotFound(
        f"{entry.path} was rejected: {entry.problem or 'its bytes were never received.'}", commit
    )
