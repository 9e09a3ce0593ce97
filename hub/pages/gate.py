"""Gated repos: asking for access, and the page on which their owners answer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, gating
from hub.catalog.errors import BadRequest, SignInNeeded
from hub.catalog.lookups import find_repo, locate_in
from hub.catalog.models import AccessRequest
from hub.pages.addresses import repo_url
from hub.pages.doors import page, personal_page
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.web import repo_name
from licenses.errors import BadAnswer

State = AccessRequest.State
_ANSWERS = {"accept": State.ACCEPTED, "reject": State.REJECTED}


@require_POST
@page
def ask(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Ask to pull."""
    found = find_repo(viewer, repo_name(kind, repo))
    try:
        state = gating.ask_access(viewer, found, request.POST.dict()).state
    except BadAnswer as trouble:
        messages.error(request, said(trouble))
        return HttpResponseRedirect(repo_url(found))
    answers = {
        State.ACCEPTED: _("You have access now."),
        State.PENDING: _("Your request was sent. The owners will answer it."),
        State.REJECTED: _("The owners have said no to your request before."),
    }
    messages.info(request, answers[State(state)])
    return HttpResponseRedirect(repo_url(found))


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def manage(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Who may pull, for those who decide it."""
    found = find_repo(viewer, repo_name(kind, repo))
    if viewer.user is None:
        raise SignInNeeded("Sign in to manage who may pull.")
    access.require_administer(viewer, found)
    error = ""
    if request.method == "POST":
        try:
            messages.success(request, _answer(request, viewer, kind, repo))
            return HttpResponseRedirect(request.path)
        except BadRequest as trouble:
            error = said(trouble)
    context = shell(viewer, locate_in(found, "main"), tab="access")
    requests = list(found.access_requests.select_related("user").order_by("created_at"))
    context["groups"] = [
        (title, state, [item for item in requests if item.state == state])
        for title, state in (
            (_("Waiting"), State.PENDING),
            (_("May pull"), State.ACCEPTED),
            (_("Turned down"), State.REJECTED),
        )
    ]
    context["error"] = error
    return render(request, "repo/access.html", context, status=400 if error else 200)


def _answer(request: HttpRequest, viewer: Viewer, kind: str, repo: str) -> str:
    found = find_repo(viewer, repo_name(kind, repo))
    user, verb = request.POST.get("user", "").strip(), request.POST.get("do", "")
    if verb == "grant":
        gating.grant(viewer, found, user=user)
        return _("%(name)s may pull now.") % {"name": user}
    if verb not in _ANSWERS:
        raise BadRequest("do must be accept, reject or grant.")
    reason = request.POST.get("reason", "").strip()[:1000]
    gating.handle(viewer, found, state=_ANSWERS[verb], user=user, reason=reason)
    text = _("%(name)s may pull now.") if verb == "accept" else _("%(name)s was turned down.")
    return text % {"name": user}
