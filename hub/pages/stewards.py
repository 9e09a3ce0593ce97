"""People and organizations, for staff: who is here, what they hold, and what may be changed of them."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.accounts.people import NameTaken
from hub.catalog import quotas, stewards
from hub.catalog.errors import BadRequest, RepoNotFound
from hub.catalog.quotas import Standing
from hub.pages.doors import page
from hub.pages.forms import InviteForm
from hub.pages.saying import said
from hub.web import public_base, whole_number

PAGE = 50
MAX_TEXT = 100


def _require_staff(viewer: Viewer) -> None:
    if not viewer.is_staff:
        raise RepoNotFound("staff")


@page
def people(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Everybody, or every organization, narrowed by a word and a state."""
    _require_staff(viewer)
    asked = {name: request.GET.get(name, "").strip()[:MAX_TEXT] for name in ("kind", "q", "state")}
    kind = stewards.ORGANIZATIONS if asked["kind"] == stewards.ORGANIZATIONS else stewards.PEOPLE
    skip = whole_number(request.GET.get("skip", "")) or 0
    found = stewards.spaces(viewer, kind=kind, text=asked["q"], state=asked["state"])
    rows = list(found[skip : skip + PAGE])
    context: dict[str, Any] = {
        "rows": [(row, _standing(row)) for row in rows], "kind": kind, "q": asked["q"], "state": asked["state"],
        "states": _states() if kind == stewards.PEOPLE else [], "total": found.count(), "skip": skip,
        "newer": max(skip - PAGE, 0), "older": skip + PAGE, "section": "staff",
    }  # fmt: skip
    return render(request, "staff/people.html", context)


def _states() -> list[tuple[str, str]]:
    return [("", _("all")), ("staff", _("staff")), ("reviewers", _("reviewers")), ("closed", _("closed"))]


def _standing(row: Any) -> Standing:
    """Return what was last counted of a namespace."""
    return Standing(row.used or 0, quotas.default_bound() if row.bound is None else row.bound)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def one(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """One account, and the acts on it."""
    _require_staff(viewer)
    found = stewards.account(viewer, name)
    error, link = "", ""
    if request.method == "POST":
        try:
            if request.POST.get("do") == "link":
                parts = stewards.make_reset_link(viewer, stewards.find_user(viewer, name))
                link = _link(request, parts)
            else:
                messages.success(request, _done(request, viewer, found.space))
                return HttpResponseRedirect(request.path)
        except BadRequest as trouble:
            error = str(trouble)
    own = getattr(found.space, "quota", None)
    context = {
        "one": found, "space": found.space, "error": error, "link": link, "section": "staff",
        "is_me": viewer.user is not None and found.space.user_id == viewer.user.pk,
        "standing": quotas.standing(viewer, found.space), "default": quotas.default_bound(),
        "own_bound": own.bound if own else None, "own_gb": _in_gb(own.bound if own else None),
    }  # fmt: skip
    return render(request, "staff/person.html", context, status=400 if error else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@page
def invite(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """A form for a new account; its answer has the link that opens it, this once."""
    _require_staff(viewer)
    form, link = InviteForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        link = _link(request, _invited(viewer, form))
    context = {"form": form, "link": link, "section": "staff"}
    return render(
        request, "staff/invite.html", context, status=400 if request.method == "POST" and not link else 200
    )


def _invited(viewer: Viewer, form: InviteForm) -> dict[str, str]:
    """Make the account, or say in the form why not."""
    try:
        return stewards.invite(viewer, **form.cleaned_data)
    except NameTaken as error:
        form.add_error("name", said(error))
        return {}


def _link(request: HttpRequest, parts: dict[str, str]) -> str:
    return public_base(request) + reverse("pages:reset-confirm", kwargs=parts) if parts else ""


def _in_gb(bound: int | None) -> str:
    """Return a bound as the form shows it."""
    return f"{Decimal(bound) / quotas.GB:f}" if bound else ""


def _done(request: HttpRequest, viewer: Viewer, space: Namespace) -> str:
    """Do what a form asks; returns what to say."""
    act = request.POST.get("do", "")
    if act == "bound":
        stewards.set_bound(viewer, space, bound=_bound(request))
        return _("The bound of %(name)s is set.") % {"name": space.name}
    user = stewards.find_user(viewer, space.name)
    match act:
        case "close" | "open":
            stewards.set_active(viewer, user, active=act == "open")
            told = (
                _("The account of %(name)s is open.")
                if act == "open"
                else _("The account of %(name)s is closed.")
            )
        case "staff" | "not-staff":
            stewards.set_staff(viewer, user, staff=act == "staff")
            told = (
                _("%(name)s is an administrator.") if act == "staff" else _("%(name)s is no administrator.")
            )
        case "reviewer" | "not-reviewer":
            stewards.set_reviewer(viewer, user, reviewer=act == "reviewer")
            told = _("%(name)s reviews terms.") if act == "reviewer" else _("%(name)s reviews no terms.")
        case _:
            raise BadRequest(_("This form is not one of this page."))
    return told % {"name": user.username}


def _bound(request: HttpRequest) -> int | None:
    """Return the bound in bytes that a form asks for; raises BadRequest."""
    match request.POST.get("which"):
        case "default":
            return None
        case "none":
            return 0
    try:
        number = Decimal(request.POST.get("gb", "").strip().replace(",", "."))
    except InvalidOperation:
        raise BadRequest(_("Bound: a number of GB, such as 50.")) from None
    # Compared before it is multiplied: 9e999999 is a number that cannot be.
    if not number.is_finite() or not 0 < number <= stewards.MOST_BOUND // quotas.GB:
        raise BadRequest(_("Bound: a number of GB, such as 50."))
    return max(int(number * quotas.GB), 1)
