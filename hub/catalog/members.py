"""Organizations and who belongs to them, profiles, and what a namespace holds."""

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Namespace, Organization, Role, User
from hub.accounts.names import BadName
from hub.accounts.people import NameTaken as NamespaceTaken
from hub.accounts.people import create_organization
from hub.catalog import access, notices
from hub.catalog.errors import BadRequest, EntryNotFound, NameTaken, NotAllowed
from hub.catalog.models import Repo


def may_found(viewer: Viewer) -> bool:
    """May the viewer make organizations?  Everybody may, unless the hub leaves it to its staff."""
    if viewer.user is None or viewer.is_narrowed or not viewer.can_write:
        return False
    return settings.HUB_ORGANIZATIONS == "anyone" or viewer.is_staff


def require_found(viewer: Viewer) -> User:
    """Return the user who may make an organization; raises SignInNeeded or NotAllowed."""
    user = access.require_person(viewer, "make an organization")
    if not may_found(viewer):
        raise NotAllowed("Organizations are made by the administrators of this hub; ask one of them.")
    return user


def found_organization(viewer: Viewer, *, name: str, fullname: str = "") -> Organization:
    """Make an organization whose first admin is the viewer; raises BadRequest, NameTaken and NotAllowed."""
    user = require_found(viewer)
    try:
        return create_organization(name=name, admin=user, fullname=fullname[:200])
    except BadName as error:
        raise BadRequest(str(error)) from None
    except NamespaceTaken as error:
        raise NameTaken(str(error)) from None


def find_organization(name: str) -> Organization:
    """Return an organization by its name in any case; raises EntryNotFound."""
    found = Organization.objects.filter(name__iexact=name).first()
    if found is None:
        raise EntryNotFound(f"There is no organization called {name[:100]!r}.")
    return found


def may_manage(viewer: Viewer, organization: Organization) -> bool:
    """May the viewer change the organization and its members?  Its admins and the hub's staff may, as themselves."""
    if viewer.user is None or viewer.is_narrowed or not viewer.can_write:
        return False
    admins = Membership.objects.filter(organization=organization, user=viewer.user, role=Role.ADMIN)
    return viewer.is_staff or admins.exists()


def require_manage(viewer: Viewer, organization: Organization) -> None:
    """Raise unless the viewer may change the organization."""
    access.require_person(viewer, "manage an organization")
    if not may_manage(viewer, organization):
        raise NotAllowed("Only admins of this organization may change it.")


def _locked(organization: Organization) -> Organization:
    # One change of members at a time, so that two admins cannot put out each other at once.
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _require_other_admin(organization: Organization, user: User) -> None:
    admins = organization.memberships.filter(role=Role.ADMIN, user__is_active=True)
    if not admins.exclude(user=user).exists():
        raise BadRequest(f"{user.username} is the only admin; make somebody else admin first.")


@transaction.atomic
def set_member(viewer: Viewer, organization: Organization, *, name: str, role: str) -> Membership:
    """Let somebody in, or change their role; raises BadRequest."""
    require_manage(viewer, organization)
    if role not in Role.values:
        raise BadRequest(f"role must be one of {', '.join(Role.values)}.")
    user = User.objects.filter(username__iexact=name, is_active=True).first()
    if user is None:
        raise BadRequest(f"There is no user called {name[:100]!r}.")
    organization = _locked(organization)
    known = organization.memberships.filter(user=user).first()
    if known is not None and known.role == role:
        return known
    if known is not None and known.role == Role.ADMIN:
        _require_other_admin(organization, user)
    member, _ = Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    if user != viewer.user:
        text = f"You may {_RIGHTS[Role(role)]} {organization.name} now."
        notices.notify(user, notices.MEMBERSHIP, None, text, f"/{organization.name}")
    return member


_RIGHTS = {Role.ADMIN: "manage", Role.WRITE: "write in", Role.READ: "read what belongs to"}


@transaction.atomic
def remove_member(viewer: Viewer, organization: Organization, *, name: str) -> None:
    """Put somebody out, or leave; raises BadRequest for the only admin and for who is no member."""
    organization = _locked(organization)
    member = organization.memberships.select_related("user").filter(user__username__iexact=name).first()
    if member is None:
        raise BadRequest(f"{name[:100]!r} is not a member.")
    if member.user == viewer.user:
        access.require_person(viewer, "leave an organization")
    else:
        require_manage(viewer, organization)
    if member.role == Role.ADMIN:
        _require_other_admin(organization, member.user)
    member.delete()
    if member.user != viewer.user:
        notices.notify(member.user, notices.MEMBERSHIP, None, f"You no longer belong to {organization.name}.")


def storage_of(viewer: Viewer, space: Namespace) -> list[dict[str, object]]:
    """Return bytes of large files and number of repos by type, of what the viewer may see."""
    repos = access.visible_repos(viewer).filter(namespace=space)
    rows = repos.values("type").annotate(bytes=Sum("used_storage"), count=Count("pk")).order_by("type")
    names = {Repo.Type.MODEL: "models", Repo.Type.DATASET: "data sets"}
    return [{**row, "name": names[Repo.Type(row["type"])]} for row in rows]
