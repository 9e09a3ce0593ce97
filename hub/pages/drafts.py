"""What is on the page of the editor: a draft, the form that it came in, and what went wrong with it.

Whatever goes wrong, the answer shows what was written, so that nothing is lost.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.errors import (
    BadRequest,
    CatalogError,
    EntryNotFound,
    NotAllowed,
    SignInNeeded,
    StaleParent,
    TooManyAtOnce,
)
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at
from hub.pages.doors import wait_of
from hub.pages.files import crumbs
from hub.pages.saying import said
from hub.pages.targets import target_of
from hub.web import locate_rest, repo_name

TROUBLE = (BadRequest, StaleParent, NotAllowed, SignInNeeded, EntryNotFound, TooManyAtOnce)


@dataclass
class Draft:
    """What is on the page: the file, its text, the id it had when it was opened, and how the page looks."""

    path: str
    text: str
    was: str
    template: str = "repo/edit.html"
    is_new: bool = False
    folder: str = ""
    error: str = ""
    conflict: bool = False
    wait: int = 0

    @property
    def is_markdown(self) -> bool:
        """True for a file that is shown as a page."""
        return self.path.rpartition(".")[2].lower() == "md"


def open_at(request: HttpRequest, viewer: Viewer, kind: str, repo: str, rest: str) -> tuple[Located, str]:
    """Find the revision and path; a stranger who sends a form is answered with what they wrote, see `show`."""
    at, path = locate_rest(viewer, repo_name(kind, repo), rest)
    if viewer.user is None and request.method != "POST":
        raise SignInNeeded("Sign in to change this.")
    if viewer.user is not None:
        access.require_propose(viewer, at.repo)
    return at, path.rstrip("/")


def show(request: HttpRequest, viewer: Viewer, at: Located, draft: Draft, **extra: object) -> HttpResponse:
    """Return the page with a draft on it, and what is wrong with it."""
    current = entry_at(at.repo, at.tree, FilePath.parse(draft.path)) if draft.conflict else None
    context: dict[str, Any] = {
        "repo": at.repo, "rev": at.revision, "draft": draft, "posted": request.POST, "current": current,
        "target": target_of(viewer, at), "crumbs": crumbs(at, draft.path or draft.folder), **extra,
    }  # fmt: skip
    status = 429 if draft.wait else 409 if draft.conflict else 400 if draft.error else 200
    answer = render(request, draft.template, context, status=status)
    if draft.wait:
        answer.headers["Retry-After"] = str(draft.wait)
    return answer


def was_in(request: HttpRequest) -> str:
    """Return the id of what was opened, or of the other version that the writer was told of and writes over."""
    return request.POST.get("over") or request.POST.get("was", "")


def text_in(request: HttpRequest, old: str) -> str:
    """Return the text of a form with the line ends that the file had; forms send those of Windows."""
    text = request.POST.get("content", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n") if "\r\n" in old else text


def require_member(viewer: Viewer) -> None:
    """Raise SignInNeeded for a stranger, whose session may have ended while they wrote."""
    if viewer.user is None:
        raise SignInNeeded("Sign in.")


def refused(draft: Draft, error: CatalogError) -> None:
    """Write into a draft why it was not taken."""
    draft.error, draft.conflict, draft.wait = said(error), isinstance(error, StaleParent), wait_of(error)
    if isinstance(error, SignInNeeded):
        draft.error = _(
            "You were logged out. Your text is still here: log in in another tab, then send it again."
        )
