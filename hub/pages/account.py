"""A person's own pages: tokens and password."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash, views
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hub import paces
from hub.accounts.identity import Viewer
from hub.accounts.models import Token, User
from hub.accounts.tokens import create_token
from hub.catalog import resets
from hub.catalog.errors import BadRequest
from hub.catalog.scopes import create_scoped_token
from hub.pages.doors import member_page, trouble
from hub.pages.forms import TokenForm
from hub.pages.people import FAILING, TRYING
from hub.pages.saying import said
from hub.proxies import network_of
from hub.web import public_base


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def tokens(request: HttpRequest, user: User) -> HttpResponse:
    """The tokens of a person, and the form for a new one.  A new token's secret is in this one answer only."""
    form, secret = TokenForm(), ""
    if request.method == "POST":
        form = TokenForm(request.POST)
        secret = _made(user, form) if form.is_valid() else ""
        form = TokenForm() if secret else form
    found = user.tokens.prefetch_related("scopes__repo", "scopes__namespace").order_by("-created_at")
    context = {"form": form, "secret": secret, "tokens": found, "base": public_base(request)}
    failed = request.method == "POST" and not secret
    return render(request, "people/tokens.html", context, status=400 if failed else 200)


def _made(user: User, form: TokenForm) -> str:
    data = form.cleaned_data
    if data["kind"] != Token.Kind.FINE_GRAINED:
        return create_token(user=user, name=data["name"], kind=data["kind"], expires_at=form.expires_at)[1]
    try:
        return create_scoped_token(
            Viewer(user=user), name=data["name"], permission=data["permission"] or "read", targets=form.lines,
            expires_at=form.expires_at,
        )[1]  # fmt: skip
    except BadRequest as error:
        form.add_error("targets", said(error))
        return ""


@require_POST
@member_page
def revoke(request: HttpRequest, user: User, *, pk: int) -> HttpResponse:
    """End a token at once."""
    token = get_object_or_404(Token, pk=pk, user=user)
    token.delete()
    messages.success(
        request,
        _("The token “%(name)s” is revoked. Programs that use it are refused from now on.")
        % {"name": token.name},
    )
    return HttpResponseRedirect(reverse("pages:tokens"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def password(request: HttpRequest, user: User) -> HttpResponse:
    """Change one's password; other sessions end with it."""
    form = PasswordChangeForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.success(request, _("Your password is changed. Other browsers are logged out."))
        return HttpResponseRedirect(reverse("pages:password"))
    return render(
        request, "people/password.html", {"form": form}, status=400 if request.method == "POST" else 200
    )


def sends_mail() -> bool:
    """True where a reset link can be mailed: there is a mail server, and the hub knows its own address.

    An address taken from the request would let whoever forges it receive the link.
    """
    return bool(settings.EMAIL_HOST and settings.HUB_PUBLIC_URL)


class Reset(views.PasswordResetView):
    """Ask for a reset link by mail; a hub without mail says whom to ask instead."""

    template_name = "people/reset.html"
    success_url = reverse_lazy("pages:reset-sent")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say whether there is mail."""
        return super().get_context_data(has_mail=sends_mail(), **kwargs)

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        """Have a worker send the link, if it can be sent safely: nobody learns by waiting whose address is known."""
        if not sends_mail():
            return self.render_to_response(self.get_context_data(form=form), status=403)
        keys = (
            paces.key_of("reset", form.cleaned_data["email"]),
            paces.key_of("reset-from", network_of(self.request)),
        )
        if wait := max(paces.count(keys[0], TRYING), paces.count(keys[1], FAILING)):
            # Said to everybody alike, so that nobody learns whether the address is known.
            text = _("This was asked for too often. Wait five minutes, then try again.")
            return trouble(self.request, 429, text, wait=wait)
        resets.ask(address=form.cleaned_data["email"], language=get_language() or "en")
        return HttpResponseRedirect(str(self.success_url))


class ResetSent(views.PasswordResetDoneView):
    """The same answer whether or not the address is known."""

    template_name = "people/reset_sent.html"


class ResetConfirm(views.PasswordResetConfirmView):
    """Choose a new password, by a link that works once."""

    template_name = "people/reset_confirm.html"
    success_url = reverse_lazy("pages:login")
