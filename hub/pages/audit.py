"""The audit log for people: what was permitted on a date, every entry, and recalls."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from hub.accounts.identity import Viewer
from hub.audit.lines import Wanted
from hub.audit.models import Entry
from hub.catalog import auditing, recall, recalling
from hub.catalog.auditing import moment
from hub.catalog.errors import BadRequest, EntryNotFound
from hub.pages.doors import page
from hub.pages.saying import said
from hub.web import whole_number
from licenses.errors import ReviewError

PAGE = 50
MOST_PEOPLE = 500
SHOWN = 20
MAX_TEXT = 200
DIGEST = 64
# Why a recall reaches a repo, before what it is about.
WHYS = {
    "itself": gettext_noop("named by you: %(about)s"), "license": gettext_noop("bound by %(about)s"),
    "declared": gettext_noop("its card declares %(about)s"), "holds": gettext_noop("holds %(about)s"),
    "same-bytes": gettext_noop("holds the same weights, %(about)s"),
    "made-here": gettext_noop("made here from %(about)s"),
    "base-model": gettext_noop("its card names as base %(about)s"),
    "quantized": gettext_noop("quantized from %(about)s"), "finetune": gettext_noop("fine-tuned from %(about)s"),
    "adapter": gettext_noop("adapter for %(about)s"), "merge": gettext_noop("merged from %(about)s"),
}  # fmt: skip


@page
def permitted(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What did we permit on this date, on whose word?"""
    today = timezone.now().date().isoformat()
    asked = {name: _word(request, name) for name in ("at", "search", "license")}
    error, rows, total, mode, start = "", [], 0, "", whole_number(request.GET.get("skip", "")) or 0
    try:
        at = moment(asked["at"], field=_("The date"), end_of_day=True)
        found = auditing.permitted(viewer, at, text=asked["search"], license_id=asked["license"])
        total, mode = found.count(), auditing.review_mode(at)
        rows = auditing.explained(list(found[start : start + PAGE]))
    except BadRequest as trouble:
        error = said(trouble)
    context = {
        "tab": "permitted", "asked": asked, "today": today, "rows": rows, "total": total, "mode": mode, "error": error,
        "is_now": not asked["at"] or asked["at"] == today, "query": urlencode(asked),
        "pages": _pages(request, start, total),
    }  # fmt: skip
    return render(request, "audit/permitted.html", context, status=400 if error else 200)


@page
def entries(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every entry, the newest first, narrowed by act, subject, actor and time."""
    asked = {name: _word(request, name) for name in ("act", "subject", "actor", "since", "until")}
    before, error = whole_number(request.GET.get("before", "")), ""
    found: list[tuple[Entry, str]] = []
    try:
        wanted = Wanted(
            since=moment(asked["since"], field=_("From")),
            until=moment(asked["until"], field=_("Until"), end_of_day=True),
            act=asked["act"], subject=asked["subject"], actor=asked["actor"],
        )  # fmt: skip
        found = auditing.named(auditing.entries(viewer, wanted, before=before)[: PAGE + 1])
    except BadRequest as trouble:
        error = said(trouble)
    older = found[PAGE - 1][0].seq if len(found) > PAGE else None
    context = {
        "tab": "entries", "asked": asked, "found": found[:PAGE], "error": error, "query": urlencode(asked),
        "older": urlencode({**asked, "before": older}) if older else "", "is_latest": before is None,
    }  # fmt: skip
    return render(request, "audit/entries.html", context, status=400 if error else 200)


@page
def recalled(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Given a license, a repo or a digest: what is affected, and who has it."""
    auditing.require_audit(viewer)
    asked = {"kind": _word(request, "kind") or "repo", "key": _word(request, "key")}
    context: dict[str, Any] = {
        "tab": "recall",
        "asked": asked,
        "query": urlencode(asked),
        "kinds": recall.KINDS,
    }
    if not asked["key"]:
        return render(request, "audit/recall.html", context)
    try:
        found = recall.find(viewer, **asked)
    except (BadRequest, EntryNotFound) as trouble:
        return render(request, "audit/recall.html", {**context, "error": said(trouble)}, status=400)
    start = whole_number(request.GET.get("skip", "")) or 0
    affected = [(one.repo, [_why(*why) for why in one.whys]) for one in found.affected[start : start + PAGE]]
    context |= {
        "found": found, "affected": affected, "totals": found.totals(),
        "people": recall.by_person(found, MOST_PEOPLE), "pages": _pages(request, start, len(found.affected)),
    }  # fmt: skip
    return render(request, "audit/recall.html", context)


@require_POST
@page
def suspend(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Hold what a recall names, and if so chosen all that it reaches."""
    asked = {name: request.POST.get(name, "").strip()[:MAX_TEXT] for name in ("kind", "key")}
    try:
        held = recalling.suspend_all(
            viewer, **asked, reason=request.POST.get("reason", "").strip()[:2000],
            final=request.POST.get("final") == "1", everything=request.POST.get("everything") == "1",
        )  # fmt: skip
    except (BadRequest, EntryNotFound, ReviewError) as trouble:
        messages.error(request, said(trouble))
    else:
        names = ", ".join(held[:SHOWN])
        text = _("Held: %(names)s and more.") if len(held) > SHOWN else _("Held: %(names)s.")
        messages.success(request, text % {"names": names})
    return HttpResponseRedirect(f"{reverse('pages:recall')}?{urlencode(asked)}")


def _why(why: str, about: str) -> str:
    shown = about[:12] + "…" if len(about) == DIGEST else about
    words = WHYS.get(why)
    return _(words) % {"about": shown} if words else f"{said(why.replace('-', ' '))}: {shown}"


def _word(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").strip()[:MAX_TEXT]


def _pages(request: HttpRequest, start: int, total: int) -> dict[str, str]:
    """Return the queries of the pages before and after this one, '' where there is none."""

    def at(skip: int) -> str:
        query = request.GET.copy()
        query["skip"] = str(skip)
        return query.urlencode()

    return {
        "before": at(max(start - PAGE, 0)) if start else "",
        "after": at(start + PAGE) if start + PAGE < total else "",
    }
