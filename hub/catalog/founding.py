"""A new repo with its first card, as one step."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, Role
from hub.catalog import cardforms
from hub.catalog.commits import Message, commit
from hub.catalog.models import Repo
from hub.catalog.names import FilePath, RepoName
from hub.catalog.operations import AddFile
from hub.catalog.repos import create_repo

README = FilePath(("README.md",))


def namespaces_of(viewer: Viewer) -> list[Namespace]:
    """Return where a person may make repos: their own namespace first, then organizations by name."""
    if viewer.user is None:
        return []
    member = Q(
        organization__memberships__user=viewer.user,
        organization__memberships__role__in=[Role.ADMIN, Role.WRITE],
    )
    found = Namespace.objects.filter(Q(user=viewer.user) | member).select_related("organization").distinct()
    return sorted(found, key=lambda space: (space.user_id is None, space.key))


@transaction.atomic
def found_repo(
    viewer: Viewer, *, name: RepoName, private: bool, claims: Mapping[str, Sequence[str]], about: str = ""
) -> Repo:
    """Make a repo whose first card says what is claimed; raises what `create_repo` does and BadRequest."""
    repo = create_repo(viewer, name=name, private=private)
    text = cardforms.write(first_card(name.name, about), claims)
    commit(
        viewer, repo, revision="main", operations=[AddFile(README, text.encode())], message=Message("Begin the card")
    )  # fmt: skip
    repo.refresh_from_db()
    return repo


def first_card(name: str, about: str) -> str:
    """Return the text of a card with a heading and what was said, if anything."""
    said = about.replace("\r\n", "\n").strip()
    return f"# {name}\n" + (f"\n{said}\n" if said else "")
