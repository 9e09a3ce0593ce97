"""A text of the editor before it is committed: as the page that it will be, or as what it changes; nothing is kept."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hub.accounts.identity import Viewer
from hub.catalog import edits
from hub.catalog.cards import parse_card
from hub.catalog.differences import compare_draft
from hub.catalog.errors import BadRequest, TooManyAtOnce
from hub.catalog.lookups import Located
from hub.catalog.names import FilePath
from hub.catalog.turns import Seats
from hub.pages.diffview import Shown, shown
from hub.pages.doors import page
from hub.pages.drafts import TROUBLE, Draft, open_at, refused, require_member, show, text_in, was_in
from hub.pages.repos import README, rendered_text

PANEL = "look"
CHANGES = "changes"
# Each takes up to a second of a processor, and nothing of it is kept.
_SEATS = Seats(total=4, each=2)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a draft: cleaned HTML with what is wrong with its front matter, or the lines that differ."""

    path: str
    prose: str = ""
    written_in: str = ""
    warnings: tuple[str, ...] = ()
    changes: Shown | None = None


@require_POST
@page
def look(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """The panel alone where a script asks for it, else the whole page of the editor with it."""
    at, text = open_at(request, viewer, kind, repo, rest)
    is_new = "path" in request.POST
    path = request.POST["path"].strip()[:1000] if is_new else text
    content = request.POST.get("content", "")
    draft = Draft(path, content, was_in(request), is_new=is_new, folder=text if is_new else "")
    found = None
    try:
        require_member(viewer)
        found = _looked(request, viewer, at, draft)
    except TROUBLE as error:
        refused(draft, error)
    if request.headers.get("HX-Target") == PANEL:
        context = {"look": found, "draft": draft, "repo": at.repo}
        return render(request, "repo/look.html", context, status=400 if draft.error else 200)
    return show(request, viewer, at, draft, look=found)


def _looked(request: HttpRequest, viewer: Viewer, at: Located, draft: Draft) -> Look:
    path = FilePath.parse(draft.path)
    edits.as_bytes(draft.text)
    is_page = request.POST.get("look") != CHANGES
    if is_page and not draft.is_markdown:
        raise BadRequest(
            _("Only files that end in .md are shown as pages; this one is shown as it is written.")
        )
    who = viewer.user.pk if viewer.user else None
    if not _SEATS.take(who):
        raise TooManyAtOnce(_("Too many previews are being made at the moment; try again soon."))
    try:
        return _drawn(at, path, text_in(request, "")) if is_page else _compared(request, viewer, at, path)
    finally:
        _SEATS.leave(who)


def _drawn(at: Located, path: FilePath, text: str) -> Look:
    prose = rendered_text(at, text, "/".join(path.parts[:-1]))
    if str(path) != README:
        return Look(str(path), prose)
    claims = parse_card(text.encode("utf-8", "replace"))
    return Look(str(path), prose, claims.language, (*claims.errors, *claims.warnings))


def _compared(request: HttpRequest, viewer: Viewer, at: Located, path: FilePath) -> Look:
    entry, old = edits.text_at(viewer, at, path)
    compared = compare_draft(entry, old, text_in(request, old))
    return Look(str(path), changes=shown([compared], beside=False, alone=True)[0])
