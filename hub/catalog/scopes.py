"""Fine-grained tokens: which repos and namespaces a token may be used for."""

from datetime import datetime

from django.db import transaction

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, Token
from hub.accounts.people import find_namespace
from hub.accounts.tokens import create_token
from hub.catalog import access
from hub.catalog.errors import BadRequest, SignInNeeded
from hub.catalog.models import Repo, TokenScope

MAX_SCOPES = 100


def _target(viewer: Viewer, text: str) -> dict[str, Repo | Namespace]:
    """Return what one line names: ``namespace``, ``namespace/name`` or ``datasets/namespace/name``."""
    type_ = Repo.Type.DATASET if text.startswith("datasets/") else Repo.Type.MODEL
    name = text.removeprefix("datasets/")
    if "/" not in name:
        namespace = find_namespace(name)
        if namespace is not None:
            return {"namespace": namespace}
    else:
        repo = access.visible_repos(viewer, type_).filter(key=name.lower()).first()
        if repo is not None:
            return {"repo": repo}
    raise BadRequest(
        f"{text!r} is no repository or namespace that you can see. Write 'name' or 'name/model'."
    )


@transaction.atomic
def create_scoped_token(
    viewer: Viewer, *, name: str, permission: str, targets: list[str], expires_at: datetime | None = None
) -> tuple[Token, str]:
    """Make a token that is good for these repos and namespaces only; returns it with its secret.

    A scope never gives more than its user has: every call asks for the user's own role as well.
    """
    if viewer.user is None:
        raise SignInNeeded("Sign in to make a token.")
    if not 0 < len(targets) <= MAX_SCOPES:
        raise BadRequest(f"Name 1 to {MAX_SCOPES} repositories or namespaces, one per line.")
    token, secret = create_token(
        user=viewer.user, name=name, kind=Token.Kind.FINE_GRAINED, expires_at=expires_at
    )
    TokenScope.objects.bulk_create(
        TokenScope(token=token, permission=permission, **_target(viewer, text)) for text in targets
    )
    return token, secret
