"""The review desk: the queue of cases, and one case with everything that is read before a decision."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import deskqueue, lineage_edits, reviewing
from hub.catalog.desk import Desk, desk_of
from hub.catalog.deskcases import find_case
from hub.catalog.deskfacts import Precedent, ancestors_of, consequences_of, precedent_of
from hub.catalog.desktexts import Comparison, Text, compare, known_text, nearest, texts_of
from hub.catalog.errors import BadRequest
from hub.catalog.evidence import UNRELATED
from hub.catalog.models import Repo
from hub.pages import reviewforms, reviewlists
from hub.pages.reviewdoor import reviewer_page
from hub.pages.reviewstrip import state_words, strip
from hub.pages.saying import said
from hub.pages.standing import seal_of_state
from licenses.aligned import Alignment, Kind, Row
from licenses.ancestry import Relation
from licenses.checklists import Answer, Open
from licenses.errors import ReviewError, WrongState
from licenses.findings import Code
from licenses.models import Case, License
from licenses.readings import readings_of
from licenses.reviews import decisions_for, fingerprint
from licenses.terms import TERMS

MAX_REMARKS = 60
MAX_IN_FOLD = 200
BESIDE = 40
SNOOZE_DAYS = (1, 3, 7, 30)
# What each verb's button says, and which of them end a release.
_DONE = {
    "approve": gettext_noop("Approved."), "reject": gettext_noop("Rejected."),
    "request-changes": gettext_noop("The owners were asked for changes."),
    "suspend": gettext_noop("Suspended: nothing of it is handed out."),
    "withdraw": gettext_noop("Withdrawn for good."), "reinstate": gettext_noop("Reinstated."),
}  # fmt: skip
_OPEN = ("in-review", "second-review", "stale", "appealed")
_RELEASED = ("clear", "declared", "approved")


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of the comparison that are all the same on both sides, or are not."""

    is_same: bool
    rows: list[Row]


@dataclass(slots=True)
class Sent:
    """A decision that was refused: what was filled in, what is still open, and the sentence that says why."""

    filled: reviewforms.Filled
    left: tuple[Open, ...] = ()
    error: str = ""
    also: list[str] = field(default_factory=list)


@reviewer_page
def queue(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The cases that wait."""
    context = _queue(request, viewer) | {
        "section": "review", "sorts": deskqueue.SORTS, "shows": deskqueue.SHOWN, "codes": list(Code),
    }  # fmt: skip
    return render(request, "review/queue.html", context)


def _queue(request: HttpRequest, viewer: Viewer) -> dict[str, Any]:
    assert viewer.user is not None  # The door lets nobody else in.
    show, sort = request.GET.get("show", ""), request.GET.get("sort", "age")
    code = request.GET.get("code", "")
    chosen = {
        "show": show if show in deskqueue.SHOWN else "", "sort": sort if sort in deskqueue.SORTS else "age",
        "text": request.GET.get("q", "").strip()[:200], "code": code if code in [*Code] else "",
    }  # fmt: skip
    now = timezone.now()
    return {
        "chosen": chosen, "lines": deskqueue.queue_of(viewer.user, now=now, **chosen),
        "waiting": deskqueue.waiting_count(now), "query": request.GET.urlencode(),
        "shown": deskqueue.SHOWN[chosen["show"]],
    }  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@reviewer_page
def case(request: HttpRequest, viewer: Viewer, *, case: UUID) -> HttpResponse:
    """One case; a POST decides on it."""
    row, repo = find_case(str(case))
    if request.method != "POST":
        return _desk(request, viewer, row, repo, None)
    desk = desk_of(row, repo, ())
    sent = Sent(reviewforms.read(request.POST), also=request.POST.getlist("also")[:50])
    verb = request.POST.get("verb", "")
    if verb == "approve":
        sent.left = desk.still_open(sent.filled.answers, explained=sent.filled.explained)
    if not sent.left:
        try:
            _decide(request, viewer, row, desk, verb, sent)
        except ReviewError as error:
            sent.error = said(error)
        else:
            return HttpResponseRedirect(reverse("pages:review-case", args=[row.pk]))
    row.refresh_from_db()
    return _desk(request, viewer, row, repo, sent)


def _decide(request: HttpRequest, viewer: Viewer, row: Case, desk: Desk, verb: str, sent: Sent) -> None:
    """Do what was chosen; raises ReviewError."""
    if verb not in _DONE:
        raise WrongState("Choose what to do: approve, reject, request changes, suspend or withdraw.")
    public = sent.filled.message if verb == "request-changes" else None
    answer = reviewforms.answer_of(sent.filled, desk, public=public)
    done = reviewing.act(
        viewer, row, verb=verb, answer=answer, expected=request.POST.get("expected", ""),
        seen=request.POST.get("seen", ""), days=sent.filled.days,
    )  # fmt: skip
    words = _(_DONE[verb])
    if verb == "approve" and done.state == Case.State.SECOND_REVIEW:
        words = _("Your answer is kept. A second person decides, without seeing yours first.")
    elif verb == "approve" and done.state == Case.State.IN_REVIEW:
        words = _("The two answers conclude different things; both are open now, and the case waits on.")
    messages.success(request, words)
    if verb == "approve" and done.state == Case.State.APPROVED:
        _apply_precedent(request, viewer, done, sent)


def _apply_precedent(request: HttpRequest, viewer: Viewer, done: Case, sent: Sent) -> None:
    """Approve the ticked cases with the same texts, where nothing of their own is open."""
    for one in Case.objects.filter(
        pk__in=_uuids(sent.also), texts=done.texts, licenses=done.licenses, current=True
    ):
        row, repo = find_case(str(one.pk))
        desk = desk_of(row, repo, ())
        if desk.holding:
            messages.info(request, _("%(name)s has findings of its own and waits on.") % {"name": row.label})
            continue
        try:
            reviewing.act(
                viewer, row, verb="approve", answer=reviewforms.answer_of(sent.filled, desk),
                precedent=done.decisions.order_by("-pk").first(), days=sent.filled.days,
            )  # fmt: skip
        except ReviewError as error:
            messages.error(request, f"{row.label}: {said(error)}")
        else:
            messages.success(request, _("%(name)s was approved with it.") % {"name": row.label})


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


@require_POST
@reviewer_page
def assign(request: HttpRequest, viewer: Viewer, *, case: UUID) -> HttpResponse:
    """Take a case, give it back, or set it aside for some days."""
    row = find_case(str(case))[0]
    days = request.POST.get("days", "")
    reviewing.assign(
        viewer, row, mine=request.POST.get("do") != "give-back",
        days=int(days) if request.POST.get("do") == "set-aside" and days in map(str, SNOOZE_DAYS) else 0,
    )  # fmt: skip
    return HttpResponseRedirect(reverse("pages:review-case", args=[row.pk]))


@require_POST
@reviewer_page
def descent(request: HttpRequest, viewer: Viewer, *, case: UUID) -> HttpResponse:
    """Say that a model comes from another or does not, or take that back; its terms are then read again."""
    row, repo = find_case(str(case))
    parent = request.POST.get("parent", "").strip()[:200]
    try:
        if request.POST.get("do") == "take-back":
            lineage_edits.drop_parent(viewer, repo, parent=parent)
        else:
            lineage_edits.set_parent(viewer, repo, parent=parent, relation=request.POST.get("relation", ""))
    except BadRequest as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("Kept. The terms of %(name)s are read again.") % {"name": repo.full_name})
    return HttpResponseRedirect(f"{reverse('pages:review-case', args=[row.pk])}#lineage-h")


def _desk(request: HttpRequest, viewer: Viewer, row: Case, repo: Repo, sent: Sent | None) -> HttpResponse:
    texts = texts_of(repo, row)
    comparison, against = _comparison(request, row, texts)
    desk = desk_of(row, repo, texts, comparison)
    ancestors = ancestors_of(row, repo)
    precedent = precedent_of(row, now=timezone.now())
    context = _queue(request, viewer)
    context |= {
        "section": "review", "case": row, "repo": repo, "desk": desk, "texts": texts, "comparison": comparison,
        "groups": groups(comparison.alignment) if comparison and comparison.alignment else [],
        "remarks": comparison.alignment.remarks[:MAX_REMARKS] if comparison and comparison.alignment else (),
        "against": against, "strip": strip(row, desk, texts, ancestors), "ancestors": ancestors,
        "origins": reviewlists.origins_of(ancestors), "parts": reviewlists.parts_of(desk.items),
        "consequences": consequences_of(row, repo), "precedent": precedent, "offered": _offered(precedent),
        "form": sent.filled if sent else reviewforms.fresh(desk), "sent": sent, "seen": fingerprint(row),
        "state": state_words(row.state), "state_seal": seal_of_state(row.state), "verbs": verbs_in(row.state),
        "history": decisions_for(row, viewer.user.pk if viewer.user else None)[::-1],
        "standing": reviewing.standing(viewer, row), "codes": list(Code), "terms": TERMS, "answers": list(Answer),
        "days": SNOOZE_DAYS, "lines": context["lines"][:BESIDE], "flags": deskqueue.flags_of(row),
        "relations": [*Relation, UNRELATED],
    }  # fmt: skip
    return render(request, "review/case.html", context, status=400 if sent else 200)


def _offered(precedent: Precedent) -> list[tuple[Case, bool]]:
    """Return the other cases with the same texts, each with whether it may ride along."""
    return [
        (one, not any(finding.get("severity") in ("block", "fix") for finding in one.findings))
        for one in precedent.others
    ]


def verbs_in(state: str) -> frozenset[str]:
    """Return what can be done with a case in this state."""
    if state in _OPEN:
        return frozenset({"approve", "reject", "request-changes"})
    if state in ("needs-info", "blocked"):
        return frozenset({"reject", "request-changes"})
    if state in _RELEASED:
        return frozenset({"suspend", "withdraw"})
    return frozenset({"reinstate", "withdraw"}) if state == "suspended" else frozenset()


def _comparison(request: HttpRequest, row: Case, texts: Sequence[Text]) -> tuple[Comparison | None, str]:
    """Return the file that was chosen beside the known text that was chosen, else the likeliest of both."""
    wanted = request.GET.get("file", "")
    text = next((one for one in texts if one.path == wanted), None)
    text = text or next((one for one in texts if one.detection is not None), None)
    if text is None:
        return None, ""
    against = request.GET.get("against", "")[:100]
    document = known_text(against) if against else nearest(text, row.declared.get("ids", ()))
    slug = document.license.slug if document else against
    return compare(text, readings_of(License.objects.filter(slug=slug)).get(slug), document), slug


def groups(alignment: Alignment) -> list[Group]:
    """Return the rows with those together that are the same on both sides, so that they can be folded."""
    found = [
        Group(is_same, list(rows))
        for is_same, rows in groupby(alignment.rows, lambda one: one.kind is Kind.SAME)
    ]
    return [part for group in found for part in _parts(group)]


def _parts(group: Group) -> list[Group]:
    """A fold of thousands of rows is cut, so that opening it stays quick."""
    if not group.is_same:
        return [group]
    rows = group.rows
    return [Group(True, rows[at : at + MAX_IN_FOLD]) for at in range(0, len(rows), MAX_IN_FOLD)]
