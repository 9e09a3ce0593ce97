"""Accepting the terms of a repo, for oneself or an organization: the exact texts, a form; and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, consents
from hub.catalog.consents import Required, Word
from hub.catalog.errors import CatalogError, EntryNotFound, SignInNeeded
from hub.catalog.lookups import find_repo
from hub.catalog.models import Repo
from hub.pages.addresses import repo_url
from hub.pages.doors import page, personal_page
from hub.pages.saying import said
from hub.web import repo_name
from licenses.errors import BadAnswer, ReviewError, StaleTerms, UseRefused
from licenses.models import Acceptance
from licenses.records import Json

MAX_ANSWER = 4000
MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """One document with its words, as plain text."""

    document: Json
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked: its name in the form, what was filled in, and what is wrong with it."""

    key: str
    asked: Json
    value: str = ""
    error: str = ""


@dataclass(slots=True)
class Tried:
    """A form that was refused: the sentence that says why, the field it is about, and the status."""

    error: str = ""
    field: str = ""
    status: int = 200


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """The texts and the form; a POST accepts."""
    found = find_repo(viewer, repo_name(kind, repo))
    back = _back(request, found)
    tried = Tried()
    if request.method == "POST":
        if viewer.user is None:
            raise SignInNeeded("Sign in to accept.")
        tried = _accepted(request, viewer, found)
        if not tried.error:
            messages.success(request, _("Accepted. You may pull %(name)s now.") % {"name": found.full_name})
            return HttpResponseRedirect(back)
    need = consents.required(viewer, found)
    context = {
        "repo": found, "need": need, "documents": _texts(viewer, found, need), "fields": _fields(request, need, tried),
        "error": tried.error, "back": back, "held": clearing.is_held(found), "reason": said(clearing.words_for(found)),
        "chosen": request.POST.get("for", ""), "officer": request.POST.get("officer", ""), "wrong": tried.field,
    }  # fmt: skip
    return render(request, "repo/accept.html", context, status=tried.status)


def _back(request: HttpRequest, repo: Repo) -> str:
    """Return where the reader came from, as long as that is here."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and safe else repo_url(repo)


def _accepted(request: HttpRequest, viewer: Viewer, repo: Repo) -> Tried:
    """Accept what the form says; returns what is wrong with it."""
    form = request.POST
    need = consents.required(viewer, repo)
    organization = form.get("for", "")[:MAX_SHOWN]
    word = Word(
        key=form.get("key", "")[:MAX_SHOWN], shown=form.get("shown", "")[:MAX_SHOWN],
        fields={one["name"]: form.get(f"field-{at}", "")[:MAX_ANSWER] for at, one in enumerate(need.asked)},
        organization=organization, officer=form.get("officer", "")[:MAX_SHOWN], method=_method(need),
        address=request.META.get("REMOTE_ADDR") or None, user_agent=request.headers.get("User-Agent", ""),
    )  # fmt: skip
    if not form.get("agree"):
        return Tried(_("Say that you accept these texts."), "agree", 400)
    try:
        consents.accept(viewer, repo, word)
    except BadAnswer as error:
        return Tried(said(error), error.field, 400)
    except StaleTerms as error:
        return Tried(said(error), "", 409)
    except UseRefused as error:
        return Tried(said(error), "", 403)
    except (ReviewError, CatalogError) as error:
        return Tried(said(error), "", 400)
    return Tried()


def _method(need: Required) -> str:
    return Acceptance.Method.FORM if need.asked else Acceptance.Method.CLICK


def _texts(viewer: Viewer, repo: Repo, need: Required) -> list[Shown]:
    return [Shown(one, consents.text_of(viewer, repo, one["sha256"])) for one in need.documents]


def _fields(request: HttpRequest, need: Required, tried: Tried) -> list[Field]:
    return [
        Field(key, one, request.POST.get(key, ""), tried.error if one["name"] == tried.field else "")
        for key, one in ((f"field-{at}", one) for at, one in enumerate(need.asked))
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Agreement:
    """An acceptance as its giver sees it."""

    row: Acceptance
    state: str
    url: str
    may_withdraw: bool

    @property
    def number(self) -> str:
        return str(self.row.pk)


@page
def agreements(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What the reader has accepted, and what was accepted for their organizations."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to see what you agreed to.")
    rows = list(consents.mine(viewer).select_related("user", "superseded_by")[:MAX_SHOWN])
    context = {"agreements": _listed(viewer, rows), "most": MAX_SHOWN if len(rows) == MAX_SHOWN else 0}
    return render(request, "people/agreements.html", context)


def _listed(viewer: Viewer, rows: Sequence[Acceptance]) -> list[Agreement]:
    offices = consents.offices_of(viewer)
    repos = {
        str(repo.pk): repo
        for repo in access.visible_repos(viewer).filter(pk__in=[row.subject for row in rows])
    }
    return [
        Agreement(
            row, _state(row), repo_url(repos[row.subject]) if row.subject in repos else "",
            row.withdrawn_at is None and row.superseded_by_id is None
            and (not row.organization or row.organization in offices),
        )
        for row in rows
    ]  # fmt: skip


def _state(row: Acceptance) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.superseded_by_id is not None:
        return "superseded"
    if row.expires_at is not None and row.expires_at <= timezone.now():
        return "expired"
    return "valid"


@require_POST
@page
def withdraw(request: HttpRequest, viewer: Viewer, *, acceptance: str) -> HttpResponse:
    """Take an acceptance back."""
    try:
        number = UUID(acceptance)
    except ValueError:
        raise EntryNotFound("There is no such acceptance of yours.") from None
    try:
        done = consents.withdraw(viewer, number)
    except ReviewError as error:
        messages.error(request, said(error))
    else:
        messages.success(
            request, _("Taken back. %(name)s asks again before it is pulled.") % {"name": done.label}
        )
    return HttpResponseRedirect(reverse("pages:agreements"))
