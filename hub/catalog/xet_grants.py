"""Xorbs that clients write to the store themselves, each by a grant.

A grant is an address for one staging key, which is never served, and a ticket that says whose it is and for what.  When
the client says that it has written, the bytes are copied to a key that no client can write, and that copy is verified
like a xorb that came through the hub.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

from django.conf import settings

from hub.catalog import holdings
from hub.catalog.delivery import REDIRECT, mode, trouble_of
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed
from hub.catalog.tickets import Ticket, identity_of
from hub.catalog.waiting import release_connection
from hub.catalog.xet_tokens import Caller
from storage import keys, signing, xorbs
from storage.errors import ObjectMissing, StorageError
from storage.xet.errors import XetError

GRANT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class GrantTicket(Ticket):
    """Permission to have one xorb taken from one staging key."""

    salt = "xet-grant"
    lifetime: ClassVar[int | None] = GRANT_SECONDS

    domain: str
    xorb: str
    staged: str
    length: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Where a xorb may be written, with which headers, and what to name when it is."""

    ticket: str
    url: str
    headers: dict[str, str]


def are_given() -> bool:
    """True where clients may write to the store: it is switched on, and they can reach it."""
    return bool(settings.HUB_XET_GRANTS) and mode() == REDIRECT


def grant(caller: Caller, name: str, *, length: int, crc64nvme: int) -> Grant | None:
    """Return where the caller may write a xorb of ``length`` bytes; None for one that its domain has."""
    if xorbs.named_in(caller.domain, [name]):
        return None
    staged = keys.staging_key(uuid4())
    who = identity_of(caller.viewer)
    ticket = GrantTicket(str(caller.repo.pk), *who, caller.domain, name, staged, length)
    try:
        url, headers = signing.presign_checked_put(
            staged, length=length, crc64nvme=crc64nvme, expires=GRANT_SECONDS
        )
    except StorageError as error:
        raise trouble_of(error) from error
    return Grant(ticket.sign(), url, headers)


def redeem(caller: Caller, name: str, ticket: str) -> bool:
    """Verify and keep what was written by a grant; returns whether the caller's domain gained it.

    Repeating it is harmless.  Raises EntryNotFound where the client is to ask for another grant: this one has expired,
    is not the caller's or not for this xorb, or nothing was written.  Raises BadRequest where the bytes are not the
    xorb, and StoreTrouble.
    """
    claim = _claim(caller, name, ticket)
    if xorbs.named_in(caller.domain, [name]):
        return False
    release_connection()
    try:
        kept = xorbs.keep_staged(name, claim.staged, claim.length, domain=caller.domain)
    except XetError as error:
        raise BadRequest(str(error)) from error
    except ObjectMissing as error:
        raise EntryNotFound(str(error)) from error
    except StorageError as error:
        raise trouble_of(error) from error
    if kept.healed:
        holdings.reconcile([blob.pk for blob in kept.healed])
    return kept.gained


def _claim(caller: Caller, name: str, ticket: str) -> GrantTicket:
    try:
        claim = GrantTicket.parse(ticket)
    except NotAllowed:
        raise EntryNotFound("There is no such grant, or it has expired.") from None
    mine = (str(caller.repo.pk), *identity_of(caller.viewer), caller.domain, name)
    if (claim.repo, claim.user, claim.token, claim.domain, claim.xorb) != mine:
        raise EntryNotFound("There is no such grant.")
    return claim
