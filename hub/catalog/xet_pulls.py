"""Bytes out, chunk by chunk: how a file is put together, and addresses that open exactly what it needs.

Beside `pushes` and `pulls`, one of the files that move bytes for a user.  The gate is asked at every call.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.crypto import salted_hmac

from hub.catalog import access, pullrecords, reviewed, upkeep
from hub.catalog.delivery import REDIRECT, mode, trouble_of
from hub.catalog.errors import BadRequest, CatalogError, EntryNotFound, NotAllowed
from hub.catalog.models import RepoBlob
from hub.catalog.tickets import Ticket, identity_of
from hub.catalog.waiting import release_connection
from hub.catalog.xet_tokens import Caller
from storage import recipes, signing, xorbs
from storage.errors import ObjectMissing, StorageError
from storage.models import Recipe
from storage.stretches import stretches

PROVEN = RepoBlob.State.PROVEN
# An answer of so many terms has some 10 MB; the client asks for a large file range by range.
MOST_TERMS = 50_000


class PastTheEnd(CatalogError):
    """The range begins behind the end of the file; ``size`` is its length in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.")
        self.size = size


@dataclass(frozen=True, slots=True)
class SpanTicket(Ticket):
    """Permission to fetch one span of the stored bytes of a xorb, for one file, through the hub."""

    salt = "xet-span"

    sha256: str
    xorb: int
    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """Chunks ``start`` up to ``end`` of a xorb, with the sum of their raw lengths."""

    xorb: str
    start: int
    end: int
    raw: int


@dataclass(slots=True)
class Piece:
    """Stored bytes of a xorb that are fetched in one request, and the way to them."""

    xorb: str
    row: int
    key: str
    start: int
    end: int
    first_byte: int
    end_byte: int
    url: str = ""
    ticket: str = ""


@dataclass(slots=True)
class Plan:
    """How a range of a file is put together: terms in order, then what has to be fetched for them."""

    skip: int = 0
    terms: list[Term] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)


def plan(caller: Caller, file_hash: str, wanted: tuple[int, int | None] | None) -> Plan:
    """Return how bytes ``wanted`` (first and last, the last may be open) of a file are put together.

    Raises EntryNotFound for a file that this repo does not hold, whoever else does, and PastTheEnd.
    """
    access.require_pull(caller.viewer, caller.repo)
    near = str(caller.repo.namespace_id)
    recipe = recipes.find(file_hash, near=near)
    if recipe is None or not _is_held(caller, recipe):
        raise EntryNotFound("This repository holds no such file.")
    reviewed.require_not_withheld(caller.viewer, caller.repo, recipe.sha256)
    start, length = _bounds(recipe.size, wanted)
    found = Plan()
    spans: list[Piece] = []
    names = functools.cache(_pseudonym)
    try:
        for number, stretch in enumerate(stretches(recipe, start, length)):
            if number == MOST_TERMS:
                raise BadRequest(f"This range lies in more than {MOST_TERMS} terms; ask for a smaller one.")
            found.skip = found.skip if number else stretch.skip
            xorb = stretch.xorb
            name = xorb.hash if recipe.domain == near else names(xorb.key)
            found.terms.append(Term(name, stretch.start, stretch.end, stretch.raw))
            spans.append(Piece(name, xorb.pk, xorb.key, stretch.start, stretch.end, *stretch.stored))
        found.pieces = _merged(spans)
        for piece in found.pieces:
            _open(caller, recipe, piece)
    except StorageError as error:
        raise trouble_of(error) from error
    pullrecords.note(caller.viewer, caller.repo, sha256=recipe.sha256)
    return found


def _pseudonym(key: str) -> str:
    """Return what a xorb of another domain is called: its hash is made from all its chunks, also from others' ones."""
    return str(salted_hmac("xet-xorb", key, algorithm="sha256").hexdigest())


def _is_held(caller: Caller, recipe: Recipe) -> bool:
    claims = RepoBlob.objects.filter(repo=caller.repo, state=PROVEN, blob=recipe.form.blob)
    return claims.exists()


def _bounds(size: int, wanted: tuple[int, int | None] | None) -> tuple[int, int]:
    start, last = wanted or (0, None)
    if start >= size:
        raise PastTheEnd(size)
    end = size if last is None else min(last + 1, size)
    return start, end - start


def _merged(spans: list[Piece]) -> list[Piece]:
    """Join spans of one xorb that touch or overlap, so that each term lies within one piece."""
    pieces: list[Piece] = []
    for span in sorted(spans, key=lambda span: (span.row, span.start)):
        last = pieces[-1] if pieces else None
        if last is not None and last.row == span.row and span.start <= last.end:
            last.end, last.end_byte = max(last.end, span.end), max(last.end_byte, span.end_byte)
        else:
            pieces.append(span)
    return pieces


def _open(caller: Caller, recipe: Recipe, piece: Piece) -> None:
    if mode() == REDIRECT:
        piece.url = signing.presign_span(
            piece.key, piece.first_byte, piece.end_byte, expires=settings.HUB_BYTE_URL_SECONDS
        )
        return
    who = identity_of(caller.viewer)
    ticket = SpanTicket(
        str(caller.repo.pk), *who, recipe.sha256, piece.row, piece.key, piece.first_byte, piece.end_byte
    )
    piece.ticket = ticket.sign()


def redeem(ticket: SpanTicket) -> Iterator[bytes]:
    """Ask the gate again for the ticket's user and return the stored bytes; raises what the gate says."""
    repo, viewer = ticket.find_repo(), ticket.viewer()
    access.require_pull(viewer, repo)
    if not RepoBlob.objects.filter(repo=repo, sha256=ticket.sha256, state=PROVEN).exists():
        raise EntryNotFound("The file is no longer held by this repository.")
    reviewed.require_not_withheld(viewer, repo, ticket.sha256)
    try:
        stream = xorbs.open_span(ticket.xorb, ticket.key, ticket.start, ticket.end)
    except ObjectMissing as error:
        upkeep.suspect(ticket.xorb, key=ticket.key)
        # The client takes this refusal for a link that has expired, and asks anew how the file is put together.
        raise NotAllowed(str(error)) from error
    except StorageError as error:
        raise trouble_of(error) from error
    release_connection()
    return stream
