"""Verbs on users, organizations and namespaces."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from hub.accounts.models import Invite, Membership, Namespace, Organization, RetiredNamespace, Role, User
from hub.accounts.names import RESERVED_NAMESPACES, BadName, check_namespace, check_part


class NameTaken(Exception):
    """A namespace of that name exists, or existed and is kept for its former holder."""


class BadInvite(Exception):
    """An invitation code is unknown, used or expired."""


def find_namespace(name: str) -> Namespace | None:
    """Return the namespace of this name in any case, with its holder."""
    return Namespace.objects.select_related("user", "organization").filter(key=name.lower()).first()


def _claim(name: str, *, by_admin: bool, **holder: object) -> Namespace:
    """Make the namespace row; the unique key settles races."""
    if not by_admin and RetiredNamespace.objects.filter(key=name.lower()).exists():
        raise NameTaken(
            f"The name {name!r} was in use before and can only be given again by an administrator."
        )
    try:
        with transaction.atomic():
            return Namespace.objects.create(name=name, key=name.lower(), **holder)
    except IntegrityError:
        raise NameTaken(f"The name {name!r} is taken.") from None


@transaction.atomic
def create_user(
    *, name: str, email: str = "", password: str | None = None, fullname: str = "", staff: bool = False,
    by_admin: bool = False,
) -> User:  # fmt: skip
    """Make a user with a namespace; raises BadName or NameTaken.

    An administrator (``by_admin``) may give automation accounts names that the sign-up form refuses at the edges.
    """
    if not by_admin:
        check_namespace(name)
    elif check_part(name, "The user name").lower() in RESERVED_NAMESPACES:
        raise BadName(f"The name {name!r} is reserved: a page of the hub lives at that address.")
    if User.objects.filter(username__iexact=name).exists():
        raise NameTaken(f"The name {name!r} is taken.")
    user = User(username=name, email=email, fullname=fullname, is_staff=staff, is_superuser=staff)
    user.set_password(password) if password else user.set_unusable_password()
    user.save()
    _claim(name, by_admin=by_admin, user=user)
    return user


@transaction.atomic
def create_organization(
    *, name: str, admin: User | None, fullname: str = "", by_admin: bool = False
) -> Organization:
    """Make an organization with a namespace and its first admin; raises BadName or NameTaken."""
    check_namespace(name)
    if find_namespace(name) is not None:
        raise NameTaken(f"The name {name!r} is taken.")
    organization = Organization.objects.create(name=name, fullname=fullname)
    _claim(name, by_admin=by_admin, organization=organization)
    if admin is not None:
        set_role(organization=organization, user=admin, role=Role.ADMIN)
    return organization


def set_role(*, organization: Organization, user: User, role: str) -> Membership:
    """Make ``user`` a member with ``role``, or change the role."""
    membership, _ = Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    return membership


@transaction.atomic
def rename_namespace(*, namespace: Namespace, name: str, by_admin: bool = False) -> Namespace:
    """Rename a namespace and keep its old name for it.  Repo ids follow by `hub.catalog.repos.follow_namespace`."""
    check_namespace(name)
    namespace = Namespace.objects.select_for_update().get(pk=namespace.pk)
    key = name.lower()
    former = RetiredNamespace.objects.filter(key=key).first()
    if former is not None and former.namespace_id != namespace.pk and not by_admin:
        raise NameTaken(
            f"The name {name!r} was in use before and can only be given again by an administrator."
        )
    if Namespace.objects.filter(key=key).exclude(pk=namespace.pk).exists():
        raise NameTaken(f"The name {name!r} is taken.")
    RetiredNamespace.objects.filter(key=key).delete()
    if key != namespace.key:
        RetiredNamespace.objects.update_or_create(key=namespace.key, defaults={"namespace": namespace})
    namespace.name, namespace.key = name, key
    namespace.save(update_fields=["name", "key"])
    if namespace.user_id:
        User.objects.filter(pk=namespace.user_id).update(username=name)
    if namespace.organization_id:
        Organization.objects.filter(pk=namespace.organization_id).update(name=name)
    return namespace


@transaction.atomic
def delete_namespace(namespace: Namespace) -> None:
    """Delete a user or an organization; the name stays retired.  Raises ProtectedError while it still holds repos."""
    RetiredNamespace.objects.update_or_create(key=namespace.key, defaults={"namespace": None})
    holder = namespace.user or namespace.organization
    assert holder is not None  # The table's check constraint says that one of them is set.
    holder.delete()


def make_invite(*, by: User | None, days: int = 14) -> str:
    """Return a new single-use invitation code."""
    code = secrets.token_urlsafe(24)
    Invite.objects.create(
        digest=hashlib.sha256(code.encode()).hexdigest(),
        created_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return code


@transaction.atomic
def use_invite(*, code: str, user: User) -> None:
    """Spend an invitation for ``user``; raises BadInvite."""
    digest = hashlib.sha256(code.strip().encode()).hexdigest()
    invite = (
        Invite.objects.select_for_update()
        .filter(digest=digest, used_by=None, expires_at__gt=timezone.now())
        .first()
    )
    if invite is None:
        raise BadInvite("This invitation is unknown, already used or expired. Ask for a new one.")
    invite.used_by = user
    invite.save(update_fields=["used_by"])


def reset_parts(user: User) -> dict[str, str]:
    """Return the two parts of a link by which somebody sets a new password; it works once, for three days."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return {"uidb64": uid, "token": default_token_generator.make_token(user)}
