"""Signed tickets in URLs that the hub hands out where the client sends no credentials of its own.

A ticket says who asked for what and until when.  It is no key by itself: whoever takes it asks the gate again for the
user it names.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.utils import timezone

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import Token, User
from hub.catalog.errors import NotAllowed
from hub.catalog.models import Repo


@dataclass(frozen=True, slots=True)
class Ticket:
    """What every ticket carries.  Subclasses add fields and a salt, so one kind cannot pass for another."""

    salt: ClassVar[str] = ""
    lifetime: ClassVar[int | None] = None

    repo: str
    user: int | None
    token: int | None

    def sign(self) -> str:
        """Return the ticket as URL-safe text."""
        return signing.dumps(list(asdict(self).values()), salt=self.salt, compress=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ticket behind ``text``; raises NotAllowed when forged or expired."""
        try:
            values = signing.loads(text, salt=cls.salt, max_age=cls.lifetime or settings.HUB_BYTE_URL_SECONDS)
        except signing.SignatureExpired:
            raise NotAllowed("This link has expired. Ask the hub for a new one.") from None
        except signing.BadSignature:
            raise NotAllowed("This link is not one that the hub has made.") from None
        return cls(*values)

    def viewer(self) -> Viewer:
        """Return the person the ticket was made for; raises NotAllowed when account or token are gone."""
        return viewer_again(self.user, self.token, what="this link was made for")

    def find_repo(self) -> Repo:
        """Return the repo; raises NotAllowed when it was deleted."""
        repo = Repo.objects.select_related("namespace").filter(pk=UUID(self.repo)).first()
        if repo is None:
            raise NotAllowed("The repository that this link was made for is gone.")
        return repo


@dataclass(frozen=True, slots=True)
class DownloadTicket(Ticket):
    """Permission to fetch one large file through the hub."""

    salt = "download"

    sha256: str
    filename: str


@dataclass(frozen=True, slots=True)
class UploadTicket(Ticket):
    """Permission to write one part (0: the whole file) of one upload, or to complete it (-1)."""

    salt = "upload"
    lifetime = 24 * 3600

    upload: str
    part: int


def identity_of(viewer: Viewer) -> tuple[int | None, int | None]:
    """Return the ids that a ticket keeps of a viewer."""
    return (viewer.user.pk if viewer.user else None, viewer.token.pk if viewer.token else None)


def viewer_again(user_id: int | None, token_id: int | None, *, what: str) -> Viewer:
    """Return the viewer with these ids as they are now; raises NotAllowed when account or token are gone."""
    if user_id is None:
        return ANONYMOUS
    user = User.objects.filter(pk=user_id, is_active=True).first()
    valid = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    token = Token.objects.filter(valid, pk=token_id, user_id=user_id).first() if token_id else None
    if user is None or (token_id and token is None):
        raise NotAllowed(f"The account or token that {what} is no longer valid.")
    return Viewer(user=user, token=token)
