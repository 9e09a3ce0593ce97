"""Who is asking: turns an Authorization header or a session into a Viewer."""

import base64
from dataclasses import dataclass

from hub.accounts.models import Token, User
from hub.accounts.tokens import find_token


class BadCredentials(Exception):
    """An Authorization header was sent, but it names no valid token."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request, and the token that narrows what they may do; both absent for a stranger."""

    user: User | None = None
    token: Token | None = None

    @property
    def is_staff(self) -> bool:
        """Hub administrators see everything, unless they use a token that narrows them."""
        return self.user is not None and self.user.is_staff and not self.is_narrowed

    @property
    def is_narrowed(self) -> bool:
        """True where a fine-grained token limits the viewer to the repos it names."""
        return self.token is not None and self.token.kind == Token.Kind.FINE_GRAINED

    @property
    def can_write(self) -> bool:
        """False for strangers and read-only tokens."""
        return self.user is not None and (self.token is None or self.token.kind != Token.Kind.READ)


ANONYMOUS = Viewer()


def secret_in(authorization: str) -> str:
    """Return the token in a ``Bearer`` or ``Basic`` header (git sends it as the password); raises BadCredentials."""
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return value
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            raise BadCredentials from None
        return password or name
    raise BadCredentials


def identify(authorization: str | None) -> Viewer:
    """Return the viewer of an Authorization header; raises BadCredentials for a token that is not valid."""
    if not authorization:
        return ANONYMOUS
    token = find_token(secret_in(authorization))
    if token is None:
        raise BadCredentials
    return Viewer(user=token.user, token=token)
