"""Logging in and out, and signing up."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hub import paces
from hub.accounts.models import User
from hub.accounts.people import BadInvite, NameTaken, create_user, use_invite
from hub.paces import Pace
from hub.pages.doors import trouble
from hub.pages.forms import SignUpForm
from hub.pages.saying import said
from hub.proxies import network_of

TRIES = 10
TRYING = Pace(TRIES, 300)
# Of one client over all names; whoever logs in at last does not count.
FAILING = Pace(50, 600)
_FROM_HERE = gettext_noop("Too many tries from this address. Wait some minutes, then try again.")


def _target(request: HttpRequest) -> str:
    """Return where to go afterwards: only ever a page of this hub."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("pages:home")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The login page."""
    if isinstance(request.user, User):
        return HttpResponseRedirect(_target(request))
    form = AuthenticationForm(request)
    if request.method == "POST":
        client = paces.key_of("login-failures", network_of(request))
        name = paces.key_of("login", request.POST.get("username", ""), network_of(request))
        if wait := paces.waiting(client, FAILING):
            return trouble(request, 429, _FROM_HERE, wait=wait)
        if wait := paces.count(name, TRYING):
            text = _("This name was tried too often. Wait five minutes, then try again.")
            return trouble(request, 429, text, wait=wait)
        form = AuthenticationForm(request, data=request.POST)
        if form.is_valid():
            paces.forget(name, TRYING)
            login(request, form.get_user())
            return HttpResponseRedirect(_target(request))
        paces.count(client, FAILING)
    return render(request, "people/login.html", {"form": form, "next": _target(request)})


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(reverse("pages:login" if settings.HUB_ANONYMOUS == "none" else "pages:home"))


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Making an account, as far as the hub allows it."""
    if isinstance(request.user, User):
        return HttpResponseRedirect(reverse("pages:home"))
    if settings.HUB_SIGNUP == "closed":
        return render(request, "people/closed.html", status=403)
    needs_invite = settings.HUB_SIGNUP == "invite"
    if request.method != "POST":
        form = SignUpForm(needs_invite=needs_invite, initial={"invite": request.GET.get("invite", "")})
        return render(request, "people/signup.html", {"form": form})
    if wait := paces.count(paces.key_of("signup", network_of(request)), TRYING):
        return trouble(request, 429, _FROM_HERE, wait=wait)
    form = SignUpForm(request.POST, needs_invite=needs_invite)
    user = _made(form) if form.is_valid() else None
    if user is None:
        return render(request, "people/signup.html", {"form": form}, status=400)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(reverse("pages:home"))


def _made(form: SignUpForm) -> User | None:
    """Make the user and spend the invitation together, or say in the form why not."""
    data = form.cleaned_data
    try:
        with transaction.atomic():
            user = create_user(name=data["name"], email=data["email"], password=data["password"])
            if "invite" in data:
                use_invite(code=data["invite"], user=user)
    except NameTaken as error:
        form.add_error("name", said(error))
        return None
    except BadInvite as error:
        form.add_error("invite", said(error))
        return None
    return user
