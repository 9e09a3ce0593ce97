"""THE GATE.  Every answer to "may this person..." is given here, and asked again at every call.

A fine-grained token narrows its user to the repos and namespaces it names; public repos stay readable.  A repo that
a viewer may not read is answered exactly like one that does not exist.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Namespace, Role, User
from hub.catalog import clearing, refusals
from hub.catalog.errors import NotAllowed, RepoNotFound, SignInNeeded
from hub.catalog.models import AccessRequest, Repo, TokenScope
from licenses import acceptances
from licenses.models import Acceptance


@dataclass(frozen=True, slots=True)
class Rights:
    """What ties one viewer to one repo; read in one query."""

    role: str = ""
    scope: str = ""
    request: str = ""

    @property
    def is_member(self) -> bool:
        return self.role != ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """May it be done, and if not, why; ``reason`` is one of ``""``, ``disabled``, ``held``, ``gated``, ``terms``."""

    allowed: bool
    reason: str = ""


def rights_of(viewer: Viewer, repo: Repo) -> Rights:
    """Read the viewer's role in the repo's namespace, the token's scope and the state of an access request."""
    if viewer.user is None:
        return Rights()
    scopes = TokenScope.objects.filter(token=viewer.token).filter(
        Q(repo=repo) | Q(namespace=repo.namespace_id)
    )
    # Whoever was let into a repo is let into what was made from it; "accepted" sorts before the other states.
    followed = [repo.pk, *([repo.source_id] if repo.source_id else [])]
    requests = AccessRequest.objects.filter(repo__in=followed, user=viewer.user).order_by("state")
    roles = Membership.objects.filter(organization__namespace=repo.namespace_id, user=viewer.user)
    holder, role, scope, request = (
        Namespace.objects.filter(pk=repo.namespace_id)
        .values_list(
            "user_id",
            Subquery(roles.values("role")[:1]),
            # "write" sorts after "read", and includes it.
            Subquery(scopes.order_by("-permission").values("permission")[:1]),
            Subquery(requests.values("state")[:1]),
        )
        .get()
    )
    if holder == viewer.user.pk:
        role = Role.ADMIN
    return Rights(role or "", scope or "", request or "")


def _is_stranger_kept_out(viewer: Viewer) -> bool:
    return viewer.user is None and settings.HUB_ANONYMOUS == "none"


def may_read(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> bool:
    """May the viewer know of the repo, and read its metadata and file names?"""
    if _is_stranger_kept_out(viewer):
        return False
    if not repo.private or viewer.is_staff:
        return True
    if viewer.user is None:
        return False
    rights = rights or rights_of(viewer, repo)
    return rights.is_member and (not viewer.is_narrowed or rights.scope != "")


def may_write(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> bool:
    """May the viewer commit to the repo's branches?"""
    return _has_role(viewer, repo, (Role.ADMIN, Role.WRITE), rights)


def may_administer(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> bool:
    """May the viewer change settings, rename and delete the repo, and decide who pulls it?

    Admins of the namespace may; whoever made the repo may too, while they can still write there.
    """
    is_maker = viewer.user is not None and repo.created_by_id == viewer.user.pk
    return _has_role(viewer, repo, (Role.ADMIN, Role.WRITE) if is_maker else (Role.ADMIN,), rights)


def _has_role(viewer: Viewer, repo: Repo, roles: tuple[str, ...], rights: Rights | None) -> bool:
    if not viewer.can_write:
        return False
    if viewer.is_staff:
        return True
    rights = rights or rights_of(viewer, repo)
    return rights.role in roles and (not viewer.is_narrowed or rights.scope == TokenScope.Permission.WRITE)


def may_pull(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> Verdict:
    """May the viewer have the bytes?  Asked by everything that hands out content, whatever token came before.

    Who belongs to the namespace always may.  Everyone else needs, in this order: cleared terms, where the owner asks
    for it their yes, and where the terms ask for it an acceptance of exactly the texts that apply now.
    """
    if repo.disabled and not viewer.is_staff:
        return Verdict(False, "disabled")
    held, asks = clearing.is_held(repo), clearing.asks_consent(repo)
    if not (held or repo.gated or asks) or may_review(viewer):
        return Verdict(True)
    if viewer.user is None:
        return Verdict(False, "held" if held else "gated" if repo.gated else "terms")
    rights = rights or rights_of(viewer, repo)
    in_scope = not viewer.is_narrowed or rights.scope != ""
    if in_scope and rights.is_member:
        return Verdict(True)
    if held:
        return Verdict(False, "held")
    if repo.gated and not (in_scope and rights.request == AccessRequest.State.ACCEPTED):
        return Verdict(False, "gated")
    if asks and not (in_scope and acceptance_for(viewer, repo)):
        return Verdict(False, "terms")
    return Verdict(True)


def is_at_home(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> bool:
    """Say whether the viewer belongs to the repo's namespace, or reviews: nothing of it is held back from them."""
    if viewer.user is None or may_review(viewer):
        return viewer.user is not None
    rights = rights or rights_of(viewer, repo)
    return rights.is_member and (not viewer.is_narrowed or rights.scope != "")


def asks_who(repo: Repo) -> bool:
    """Say whether it depends on the viewer who may have the bytes."""
    return bool(repo.private or repo.gated or clearing.is_held(repo) or clearing.asks_consent(repo))


def acceptance_for(viewer: Viewer, repo: Repo, key: str = "") -> Acceptance | None:
    """Return the acceptance on which a viewer may pull a repo whose terms ask for one, or None.

    What was accepted of a repo holds for what was made from it.  ``key`` names earlier terms.
    """
    key = key or repo.consent
    if viewer.user is None or not key:
        return None
    subjects = [str(pk) for pk in (repo.pk, repo.source_id) if pk]
    mine = Membership.objects.filter(user=viewer.user).values("organization__name")
    return acceptances.valid(
        user_id=viewer.user.pk, subjects=subjects, key=key, organizations=mine, now=timezone.now()
    )


def may_review(viewer: Viewer) -> bool:
    """May the viewer see what waits for a review?  Administrators and reviewers may, with their whole rights."""
    return viewer.user is not None and not viewer.is_narrowed and (viewer.is_staff or viewer.user.is_reviewer)


def may_convert(viewer: Viewer, repo: Repo) -> Verdict:
    """May the viewer have a converted copy made?  Whoever converts must be allowed to pull, and to write."""
    verdict = may_pull(viewer, repo)
    if verdict.allowed and not may_write(viewer, repo):
        return Verdict(False, "role")
    return verdict


def may_create_in(viewer: Viewer, namespace: Namespace) -> bool:
    """May the viewer make repos in this namespace?"""
    if viewer.user is None or not viewer.can_write:
        return False
    if viewer.is_staff:
        return True
    if (
        viewer.is_narrowed
        and not TokenScope.objects.filter(
            token=viewer.token, namespace=namespace, permission=TokenScope.Permission.WRITE
        ).exists()
    ):
        return False
    if namespace.user_id == viewer.user.pk:
        return True
    return Membership.objects.filter(
        organization=namespace.organization_id, user=viewer.user, role__in=[Role.ADMIN, Role.WRITE]
    ).exists()


def visible_repos(viewer: Viewer, type_: str | None = None) -> QuerySet[Repo]:
    """Return the repos the viewer may know of, already narrowed, so that no caller can forget."""
    repos = Repo.objects.all() if type_ is None else Repo.objects.filter(type=type_)
    if _is_stranger_kept_out(viewer):
        return repos.none()
    if viewer.is_staff:
        return repos
    if viewer.user is None:
        return repos.filter(private=False)
    mine = Q(namespace__user=viewer.user) | Q(
        Exists(Membership.objects.filter(user=viewer.user, organization__namespace=OuterRef("namespace")))
    )
    if viewer.is_narrowed:
        scopes = TokenScope.objects.filter(token=viewer.token)
        named = Q(Exists(scopes.filter(repo=OuterRef("pk"))))
        mine &= named | Q(Exists(scopes.filter(namespace=OuterRef("namespace"))))
    return repos.filter(Q(private=False) | mine)


def require_read(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> None:
    """Raise RepoNotFound unless the viewer may know of the repo."""
    if not may_read(viewer, repo, rights):
        raise RepoNotFound("Repository not found")


def require_write(viewer: Viewer, repo: Repo) -> None:
    """Raise what a viewer who may not write should learn: nothing of a hidden repo, else that they may not."""
    rights = rights_of(viewer, repo)
    require_read(viewer, repo, rights)
    if may_write(viewer, repo, rights):
        return
    if viewer.user is None:
        raise SignInNeeded("Sign in to change this repository.")
    raise NotAllowed("You don't have the rights to write to this repository with this token.")


def may_propose(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> bool:
    """May the viewer open a pull request, and upload what belongs to it?  Whoever may read and is somebody may.

    A fine-grained token must name the repo, also where its user could do so without being a member.
    """
    if not viewer.can_write or not may_read(viewer, repo, rights):
        return False
    if not viewer.is_narrowed:
        return True
    return (rights or rights_of(viewer, repo)).scope == TokenScope.Permission.WRITE


def require_person(viewer: Viewer, what: str) -> User:
    """Return the user who acts in their own name (to like, to ask); read-only and narrowed tokens do not reach that."""
    if viewer.user is None:
        raise SignInNeeded(f"Sign in to {what}.")
    if not viewer.can_write or viewer.is_narrowed:
        raise NotAllowed(
            f"This token may not {what}: it needs the write role for all of its user's repositories."
        )
    return viewer.user


def require_welcome(viewer: Viewer) -> None:
    """Raise SignInNeeded for a stranger on a hub that shows strangers nothing."""
    if _is_stranger_kept_out(viewer):
        raise SignInNeeded("Sign in: this hub shows nothing to strangers.")


def require_propose(viewer: Viewer, repo: Repo) -> None:
    """Raise unless the viewer may open a pull request."""
    require_read(viewer, repo)
    if viewer.user is None:
        raise SignInNeeded("Sign in to open a pull request.")
    if not may_propose(viewer, repo):
        raise NotAllowed(
            "This token may not write here. Use one with the write role that covers this repository."
        )


def require_administer(viewer: Viewer, repo: Repo) -> None:
    """Raise unless the viewer may change the repo's settings."""
    rights = rights_of(viewer, repo)
    require_read(viewer, repo, rights)
    if not may_administer(viewer, repo, rights):
        raise NotAllowed("You don't have the rights to manage this repository.")


def require_convert(viewer: Viewer, repo: Repo) -> None:
    """Raise unless the viewer may have a converted copy made."""
    require_write(viewer, repo)
    require_pull(viewer, repo)
    if not may_convert(viewer, repo).allowed:
        raise NotAllowed("You don't have the rights to convert this repository.")


def require_pull(viewer: Viewer, repo: Repo, rights: Rights | None = None) -> None:
    """Raise unless the viewer may have the bytes."""
    if rights is None and viewer.user is not None and asks_who(repo):
        rights = rights_of(viewer, repo)
    require_read(viewer, repo, rights)
    verdict = may_pull(viewer, repo, rights)
    if not verdict.allowed:
        if verdict.reason == "held":
            refusals.note(viewer, repo)
        raise clearing.refusal(repo, verdict.reason)
