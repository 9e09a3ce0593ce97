"""Logging in and out, and signing up."""

import hashlib
import unicodedata

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.models import User
from hub.accounts.people import BadInvite, NameTaken, create_user, use_invite
from hub.pages.doors import trouble
from hub.pages.forms import SignUpForm
from hub.pages.saying import said

TRIES, TRIES_SECONDS = 10, 300


def _target(request: HttpRequest) -> str:
    """Return where to go afterwards: only ever a page of this hub."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("pages:home")


def tries_key(kind: str, name: str, address: str = "") -> str:
    """Return under which key tries are counted; names that forms take for the same one have the same."""
    plain = unicodedata.normalize("NFKC", name[:1000]).strip().lower()
    return f"{kind}:{hashlib.sha256(f'{plain}|{address}'.encode()).hexdigest()}"


def is_too_often(key: str) -> bool:
    """Count a try; True once there were too many within a few minutes."""
    if cache.add(key, 1, TRIES_SECONDS):
        return False
    try:
        return cache.incr(key) > TRIES
    except ValueError:
        # It ran out between the two calls, so this is the first try again.
        return False


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The login page."""
    if isinstance(request.user, User):
        return HttpResponseRedirect(_target(request))
    form = AuthenticationForm(request)
    if request.method == "POST":
        key = tries_key("login", request.POST.get("username", ""), request.META.get("REMOTE_ADDR", ""))
        if is_too_often(key):
            return trouble(
                request, 429, _("This name was tried too often. Wait five minutes, then try again.")
            )
        form = AuthenticationForm(request, data=request.POST)
        if form.is_valid():
            cache.delete(key)
            login(request, form.get_user())
            return HttpResponseRedirect(_target(request))
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
    if is_too_often(tries_key("signup", "", request.META.get("REMOTE_ADDR", ""))):
        return trouble(
            request, 429, _("Too many tries from this address. Wait five minutes, then try again.")
        )
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
