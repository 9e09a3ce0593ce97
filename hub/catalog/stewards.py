"""Looking after accounts: who is here, and what the hub's staff may change of them.

Every act asks the gate and is written down.  Nobody changes their own standing, so somebody of staff always remains.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, Namespace, Role, Token, User
from hub.accounts.people import create_user, find_namespace, reset_parts
from hub.audit import acts, chain
from hub.catalog import access
from hub.catalog.errors import BadRequest, EntryNotFound, NotAllowed
from hub.catalog.models import Quota, Repo

PEOPLE, ORGANIZATIONS = "people", "organizations"
# A bound above this is no bound in practice, and a slip of the keyboard.
MOST_BOUND = 10**18


def require_staff(viewer: Viewer) -> User:
    """Return the user of a viewer who looks after the hub; raises SignInNeeded or NotAllowed."""
    user = access.require_person(viewer, "look after accounts")
    if not viewer.is_staff:
        raise NotAllowed("Only administrators of this hub may do this.")
    return user


# --- reads --------------------------------------------------------------------------------------------------


def spaces(viewer: Viewer, *, kind: str = PEOPLE, text: str = "", state: str = "") -> QuerySet[Namespace]:
    """Return namespaces by name, with ``used`` and ``bound`` as last counted: of people or of organizations."""
    require_staff(viewer)
    own = Quota.objects.filter(namespace=OuterRef("pk"))
    found = Namespace.objects.filter(user__isnull=kind != PEOPLE).select_related("user", "organization")
    found = found.annotate(used=Subquery(own.values("used")[:1]), bound=Subquery(own.values("bound")[:1]))
    if text:
        words = Q(name__icontains=text) | Q(user__fullname__icontains=text) | Q(user__email__icontains=text)
        found = found.filter(words | Q(organization__fullname__icontains=text))
    match state if kind == PEOPLE else "":
        case "closed":
            found = found.filter(user__is_active=False)
        case "staff":
            found = found.filter(user__is_staff=True)
        case "reviewers":
            found = found.filter(user__is_reviewer=True)
    return found.order_by("key")


@dataclass(frozen=True, slots=True)
class Account:
    """One namespace as staff sees it."""

    space: Namespace
    user: User | None
    memberships: list[Membership]
    repos: int
    stored: int
    tokens: list[Token]

    @property
    def alone_in(self) -> list[str]:
        """The organizations that nobody else manages."""
        mine = [one for one in self.memberships if one.role == Role.ADMIN] if self.user else []
        return [one.organization.name for one in mine if not _other_admins(one)]


def _other_admins(one: Membership) -> bool:
    admins = Membership.objects.filter(organization=one.organization, role=Role.ADMIN, user__is_active=True)
    return admins.exclude(pk=one.pk).exists()


def account(viewer: Viewer, name: str) -> Account:
    """Return one account; raises EntryNotFound."""
    require_staff(viewer)
    space = find_namespace(name)
    if space is None:
        raise EntryNotFound(f"There is no user or organization called {name[:100]!r}.")
    whose = {"user": space.user_id} if space.user_id else {"organization": space.organization_id}
    members = Membership.objects.filter(**whose).select_related("user", "organization")
    held = Repo.objects.filter(namespace=space).aggregate(n=Count("pk"), bytes=Sum("used_storage"))
    tokens = Token.objects.filter(user__namespace=space).order_by(F("last_used_at").desc(nulls_last=True))
    return Account(
        space, space.user, list(members.order_by("organization__name", "user__username")), held["n"],
        held["bytes"] or 0, list(tokens),
    )  # fmt: skip


def find_user(viewer: Viewer, name: str) -> User:
    """Return the user that an act is about; raises EntryNotFound."""
    found = account(viewer, name).user
    if found is None:
        raise EntryNotFound(f"There is no user called {name[:100]!r}.")
    return found


# --- acts ---------------------------------------------------------------------------------------------------


def set_active(viewer: Viewer, user: User, *, active: bool) -> None:
    """Close an account, whose sessions and tokens end with that, or open it again; nothing of it is deleted."""
    _change(viewer, user, is_active=active)


def set_staff(viewer: Viewer, user: User, *, staff: bool) -> None:
    """Make somebody an administrator of the hub, or take that back."""
    _change(viewer, user, is_staff=staff, is_superuser=staff)


def set_reviewer(viewer: Viewer, user: User, *, reviewer: bool) -> None:
    """Let somebody decide on the terms of models, or no longer."""
    _change(viewer, user, is_reviewer=reviewer)


@transaction.atomic
def _change(viewer: Viewer, user: User, **fields: bool) -> None:
    by = require_staff(viewer)
    # Two who would put out each other come one after the other, and the second is of staff no more.
    staff = (
        User.objects.select_for_update()
        .filter(Q(is_staff=True, is_active=True) | Q(pk=user.pk))
        .order_by("pk")
    )
    rows = {one.pk: one for one in staff}
    actor, row = rows.get(by.pk), rows.get(user.pk)
    if actor is None or not actor.is_staff or not actor.is_active:
        raise NotAllowed("Only administrators of this hub may do this.")
    if row is None:
        raise EntryNotFound("This account is gone.")
    if by.pk == user.pk and "is_reviewer" not in fields:
        raise BadRequest("Nobody changes their own standing; ask another administrator.")
    if all(getattr(row, key) == value for key, value in fields.items()):
        return
    User.objects.filter(pk=user.pk).update(**fields)
    row.refresh_from_db()
    if "is_active" in fields:
        _note(by, acts.ACCOUNT_CHANGED, row, {"active": row.is_active})
    else:
        _note(by, acts.REVIEWER_CHANGED, row, {"reviewer": row.is_reviewer, "staff": row.is_staff})


def _note(by: User | None, act: str, user: User, data: dict[str, Any]) -> None:
    """Write down an act of staff, or of whoever gives commands on the hub's own machine."""
    actor, role = (chain.person(by), "staff") if by else (chain.system("console"), "")
    about = {user.pk: {"name": user.username}}
    chain.append(act=act, actor=actor, role=role, subject=f"user:{user.pk}", data=data, about=about)


@transaction.atomic
def invite(viewer: Viewer, *, name: str, fullname: str = "", email: str = "") -> dict[str, str]:
    """Make an account for somebody and return the two parts of the link by which they set its password.

    Raises BadName or NameTaken.  It works however the hub lets people sign up, and without mail.
    """
    by = require_staff(viewer)
    user = create_user(name=name, fullname=fullname, email=email)
    _note(by, acts.ACCOUNT_MADE, user, {})
    return _reset_link(by, user)


@transaction.atomic
def make_reset_link(viewer: Viewer, user: User) -> dict[str, str]:
    """Return the two parts of a link by which somebody sets a new password; it works once, for three days."""
    by = require_staff(viewer)
    if not user.is_active:
        raise BadRequest("This account is closed; open it first.")
    return _reset_link(by, user)


def _reset_link(by: User | None, user: User) -> dict[str, str]:
    _note(by, acts.ACCOUNT_LINK, user, {})
    return reset_parts(user)


# --- from the console of the hub's own machine --------------------------------------------------------------


@transaction.atomic
def appoint(user: User) -> None:
    """Make somebody an administrator, by a command that is given where the hub runs."""
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    _note(None, acts.REVIEWER_CHANGED, user, {"reviewer": user.is_reviewer, "staff": True})


@transaction.atomic
def reset_link_by_command(user: User) -> dict[str, str]:
    """Return what `make_reset_link` does, for a command that is given where the hub runs."""
    return _reset_link(None, user)


# --- bounds -------------------------------------------------------------------------------------------------


@transaction.atomic
def set_bound(viewer: Viewer, space: Namespace, *, bound: int | None) -> None:
    """Set how many bytes a namespace may hold; 0 is any amount, None what all have.  Deletes nothing."""
    by = require_staff(viewer)
    if bound is not None and not 0 <= bound <= MOST_BOUND:
        raise BadRequest("The bound must be between 0 and 1,000,000,000 GB.")
    row, _ = Quota.objects.select_for_update().get_or_create(namespace=space)
    before = row.bound
    if before == bound:
        return
    Quota.objects.filter(pk=row.pk).update(bound=bound, told=0)
    about = {space.user_id: {"name": space.name}} if space.user_id else None
    chain.append(
        act=acts.QUOTA, actor=chain.person(by), role="staff", subject=f"namespace:{space.pk}",
        label="" if space.user_id else space.name, data={"bound": bound, "before": before}, about=about,
    )  # fmt: skip
