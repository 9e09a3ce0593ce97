"""Organizations and their members, and a person's own profile."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.accounts.models import Organization, Role, User
from hub.catalog import members, notices
from hub.catalog.errors import BadRequest, NameTaken, SignInNeeded
from hub.pages.doors import member_page, page
from hub.pages.saying import said

_TROUBLE = (BadRequest, NameTaken)
MAX_ABOUT, MAX_FULLNAME, MAX_HOMEPAGE = 1000, 200, 300
_is_address = URLValidator(schemes=["http", "https"])


def _described(request: HttpRequest) -> dict[str, str]:
    """Return the fields that people and organizations describe themselves by; raises BadRequest."""
    asked = request.POST
    homepage = asked.get("homepage", "").strip()
    values = {
        "fullname": " ".join(asked.get("fullname", "").split())[:MAX_FULLNAME],
        "about": asked.get("about", "").replace("\r\n", "\n").strip(), "homepage": homepage,
    }  # fmt: skip
    if len(values["about"]) > MAX_ABOUT:
        raise BadRequest(_("About: at most %(most)s characters.") % {"most": MAX_ABOUT})
    if homepage:
        try:
            _is_address(homepage[: MAX_HOMEPAGE + 1])
        except ValidationError:
            raise BadRequest(_("Home page: an address that begins with https:// or http://.")) from None
        if len(homepage) > MAX_HOMEPAGE:
            raise BadRequest(_("Home page: at most %(most)s characters.") % {"most": MAX_HOMEPAGE})
    return values


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def profile(request: HttpRequest, user: User) -> HttpResponse:
    """What a person says about themselves, and how they want to be told."""
    error = ""
    if request.method == "POST":
        try:
            for key, value in _described(request).items():
                setattr(user, key, value)
            user.mail_notices = request.POST.get("mail_notices") == "1"
            user.save(update_fields=["fullname", "about", "homepage", "mail_notices"])
            messages.success(request, _("Your profile is saved."))
            return HttpResponseRedirect(request.path)
        except BadRequest as trouble:
            error = said(trouble)
    context = {
        "holder": user, "error": error, "posted": request.POST, "mails": notices.sends_mail(),
        "memberships": user.memberships.select_related("organization").order_by("organization__name"),
        "may_found": members.may_found(Viewer(user=user)),
    }  # fmt: skip
    return render(request, "people/profile.html", context, status=400 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def new_organization(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Make an organization."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to make an organization.")
    members.require_found(viewer)
    error = ""
    if request.method == "POST":
        try:
            made = members.found_organization(
                viewer, name=request.POST.get("name", "").strip(), fullname=request.POST.get("fullname", "")
            )
            return HttpResponseRedirect(f"/organizations/{made.name}/settings")
        except _TROUBLE as trouble:
            error = said(trouble)
    context = {"error": error, "posted": request.POST}
    return render(request, "people/new_organization.html", context, status=400 if error else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def organization(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """An organization's description and members, for its admins; members may leave."""
    found = members.find_organization(name)
    if viewer.user is None:
        raise SignInNeeded("Sign in to manage this.")
    if request.method != "POST" or request.POST.get("do") != "leave":
        members.require_manage(viewer, found)
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _changed(request, viewer, found))
            left = request.POST.get("do") == "leave" or not members.may_manage(viewer, found)
            return HttpResponseRedirect(f"/{found.name}" if left else request.path)
        except _TROUBLE as trouble:
            error = said(trouble)
    rows = list(found.memberships.select_related("user").order_by("user__username"))
    context: dict[str, Any] = {
        "organization": found, "error": error, "posted": request.POST, "roles": Role.choices, "members": rows,
        "admins": sum(row.role == Role.ADMIN and row.user.is_active for row in rows),
    }  # fmt: skip
    return render(request, "people/organization.html", context, status=400 if error else 200)


def _changed(request: HttpRequest, viewer: Viewer, found: Organization) -> str:
    asked = request.POST
    user = asked.get("user", "").strip()
    match asked.get("do"):
        case "member":
            members.set_member(viewer, found, name=user, role=asked.get("role", ""))
            return _("%(name)s is a member with the role %(role)s.") % {"name": user, "role": asked["role"]}
        case "remove":
            members.remove_member(viewer, found, name=user)
            return _("%(name)s is no longer a member.") % {"name": user}
        case "leave":
            members.remove_member(viewer, found, name=viewer.user.username if viewer.user else "")
            return _("You have left %(name)s.") % {"name": found.name}
        case "describe":
            members.require_manage(viewer, found)
            for key, value in _described(request).items():
                setattr(found, key, value)
            found.private_by_default = asked.get("private_by_default") == "1"
            found.save(update_fields=["fullname", "about", "homepage", "private_by_default"])
            return _("The description is saved.")
    raise BadRequest(_("This form is not one of this page."))
