"""What can go wrong in the domain, in small words.  Each wire chooses its own numbers and codes."""

from collections.abc import Sequence


class CatalogError(Exception):
    """Base of all; the message is one line that may be shown to the person who asked."""


class RepoNotFound(CatalogError):
    """The repo does not exist, or the viewer may not know that it does: both read the same."""


class RevisionNotFound(CatalogError):
    """The revision names no commit of the repo."""


class EntryNotFound(CatalogError):
    """The path names no file at that commit, or only one whose bytes were rejected."""

    def __init__(self, message: str, commit: str = "") -> None:
        super().__init__(message)
        self.commit = commit


class BeingProven(CatalogError):
    """The file's bytes have arrived, but their hash is not proven yet; ask again after ``retry_after`` seconds."""

    def __init__(self, message: str, commit: str = "", retry_after: int = 5) -> None:
        super().__init__(message)
        self.commit = commit
        self.retry_after = retry_after


class AccessRestricted(CatalogError):
    """The repo is gated and the viewer is not among those who may pull."""


class TermsHeld(AccessRestricted):
    """The terms of the repo, or of this revision of it, are not cleared; the message says why and where to look."""


class TermsNotAccepted(AccessRestricted):
    """The viewer has not accepted the terms that this repo asks to accept; the message says where one can."""


class RepoDisabled(CatalogError):
    """An administrator has disabled the repo."""


class NotAllowed(CatalogError):
    """The viewer is known and may see the thing, but not do this to it."""


class SignInNeeded(CatalogError):
    """The viewer is a stranger and this needs a user."""


class BadRequest(CatalogError):
    """Something in the request is not acceptable; the message names the field and the fault."""


class BadPath(BadRequest):
    """A file path is not acceptable."""


class BadRefName(BadRequest):
    """A branch or tag name is not acceptable."""


class UnfitName(BadRequest):
    """A name that no new repo may have; the message says why."""


class NameTaken(CatalogError):
    """A repo or ref of that name exists, or the name is kept for its former holder."""

    def __init__(self, message: str, full_name: str = "") -> None:
        super().__init__(message)
        self.full_name = full_name


class StaleParent(CatalogError):
    """The branch has moved since the commit was prepared."""


class MergeConflict(CatalogError):
    """A proposal and its branch have both changed the same files; ``paths`` are these."""

    def __init__(self, message: str, paths: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.paths = tuple(paths)


class BytesMissing(CatalogError):
    """A commit names a large file whose bytes this repo has not received."""


class TooLarge(BadRequest):
    """Something is larger than the hub takes; the message names the limit."""


class OverQuota(TooLarge):
    """A namespace would hold more than it may; the message says how much it holds and may hold, and what to do."""


class StoreTrouble(CatalogError):
    """The byte store does not answer; nothing was changed and the call may be repeated."""


class TooManyAtOnce(CatalogError):
    """The user has as much work open as one may have; the call may be repeated when some of it is done."""


class TooOften(TooManyAtOnce):
    """Somebody did a thing too often in a short time; it may be done again after ``retry_after`` seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoRoom(CatalogError):
    """The disk of the hub has no room for what is asked; nothing was begun."""
