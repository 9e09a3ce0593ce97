"""Large files from a browser: in smaller parts than programs send, and begun again where they were left.

A browser may be closed at any moment.  What it had sent lies in the store; the same person who offers the same bytes to
the same repo gets the same upload again, with the parts that are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from hub.accounts.identity import Viewer
from hub.catalog import pushes
from hub.catalog.delivery import REDIRECT, mode, trouble_of
from hub.catalog.errors import BadRequest, BytesMissing
from hub.catalog.models import Repo
from hub.catalog.tickets import UploadTicket, identity_of
from storage import parts, signing, uploads
from storage.errors import StorageError, UploadNotFound
from storage.models import Upload

# What a reload loses is at most this for each part under way; also the most that is sent in one piece.
PART_SIZE = 16 * 2**20
# Each may be two thousand parts, whose addresses are half a kilobyte each.
MAX_FILES = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is still to be sent: its number, where it begins and ends, and where it goes.

    ``url`` is an address of the store; without one, ``ticket`` opens the hub's own door.
    """

    number: int
    start: int
    end: int
    url: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is left to do for a file; nothing where ``upload`` is None."""

    sha256: str
    size: int
    upload: UUID | None = None
    left: list[Part] = field(default_factory=list)


def begin(viewer: Viewer, repo: Repo, wanted: Sequence[tuple[str, int]]) -> list[Sending]:
    """Return what is left to be sent of each (sha256, size in bytes); raises what `pushes.offer` does."""
    if len(wanted) > MAX_FILES:
        raise BadRequest(f"files: begin at most {MAX_FILES} at a time.")
    return [
        _sending(viewer, repo, offer)
        for offer in pushes.offer(viewer, repo, wanted, part_size=PART_SIZE)
    ]  # fmt: skip


def _sending(viewer: Viewer, repo: Repo, offer: pushes.Offer) -> Sending:
    upload = offer.upload
    if upload is None:
        return Sending(offer.sha256, offer.size)
    try:
        there = uploads.arrived(upload)
    except UploadNotFound as error:
        # The store gave it up: the next try begins a new one.
        uploads.abort(upload)
        raise BytesMissing(f"{error} Begin it again.") from error
    except StorageError as error:
        raise trouble_of(error) from error
    return Sending(offer.sha256, offer.size, upload.pk, _left(viewer, repo, upload, there))


def _left(viewer: Viewer, repo: Repo, upload: Upload, there: set[int]) -> list[Part]:
    step = upload.part_size or max(upload.size, 1)
    spans = {
        number: ((number - 1) * step, (number - 1) * step + length)
        for number, length in (
            parts.plan(upload.size, step) if upload.part_size else {1: upload.size}
        ).items()
        if number not in there
    }
    if mode() == REDIRECT:
        urls = pushes.way_for(upload).urls
        return [Part(number, *span, url=urls[number - 1]) for number, span in spans.items()]
    user, token = identity_of(viewer)
    # A whole file in one piece is part 0 of its upload.
    return [
        Part(number, *span, ticket=UploadTicket(
            str(repo.pk), user, token, str(upload.pk), number if upload.part_size else 0
        ).sign())
        for number, span in spans.items()
    ]  # fmt: skip


def store_origin() -> str:
    """Return the origin that a browser must be allowed to send to, beside the hub's own; '' where there is none."""
    if mode() != REDIRECT:
        return ""
    try:
        place = urlsplit(signing.place(public=True).endpoint)
    except StorageError:
        return ""
    return f"{place.scheme}://{place.netloc}"
