"""The terms of one repo: the tab that shows everything known of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, clearing, reviewing
from hub.catalog.errors import BadRequest
from hub.catalog.lookups import find_repo, locate
from hub.catalog.panel import Panel, children_of, history_of, panel_of
from hub.pages.addresses import repo_url
from hub.pages.doors import page, personal_page
from hub.pages.languages import numeral
from hub.pages.pedigree import drawing_of
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.pages.termwords import step_of
from hub.web import repo_name
from licenses.cases import current_case
from licenses.errors import ReviewError
from licenses.matches import Detection, Status
from licenses.models import Case, Decision
from licenses.openness import RUNG_NAMES, Judged, Presence, Rung
from licenses.records import declared_from_json
from licenses.reviews import Answer
from licenses.together import regions_said, thresholds_said, together

MAX_REPLY = 8000
MAX_QUOTE = 300
# The ladder from the top, with what each step asks for.
_LADDER = (
    (
        Rung.MOF_I,
        gettext_noop("Open science, MOF class I"),
        gettext_noop("also the data, its preparation, a paper, checkpoints on the way"),
    ),
    (
        Rung.MOF_II,
        gettext_noop("Open tooling, MOF class II"),
        gettext_noop("also the code that trained, ran and measured it, and the test data"),
    ),
    (
        Rung.MOF_III,
        gettext_noop("Open model, MOF class III"),
        gettext_noop("also card, data card, report and results, all on open terms"),
    ),
    (
        Rung.OPEN_WEIGHTS,
        gettext_noop("Open weights"),
        gettext_noop("weights on terms without limits on use or user, ancestors included"),
    ),
    (
        Rung.COMMUNITY_WEIGHTS,
        gettext_noop("Weights, community terms"),
        gettext_noop("limits on size, place or purpose, or a use policy"),
    ),
    (
        Rung.RESTRICTED_WEIGHTS,
        gettext_noop("Weights, restricted"),
        gettext_noop("for research or other non-commercial use"),
    ),
    (Rung.CLOSED, gettext_noop("Closed, or hosted only"), gettext_noop("no weights to hold")),
)
_STATUS = {
    Status.EXACT: gettext_noop("its words and no others"),
    Status.MATCH: gettext_noop("its words, with names filled in"),
    Status.ADDED: gettext_noop("its words, and more"),
    Status.ALTERED: gettext_noop("close to it, with words missing"),
    Status.MULTIPLE: gettext_noop("several licences in one file"),
    Status.AMBIGUOUS: gettext_noop("one of several versions"),
    Status.UNKNOWN: gettext_noop("no text known here"),
    Status.UNREADABLE: gettext_noop("not readable as text"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One file with a license text: what it is, and how sure that is."""

    path: str
    words: str
    names: str
    is_clean: bool
    sha256: str
    recall: str
    note: str


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a model: whether it is published, on which terms, and where that was seen."""

    title: str
    mof_class: int
    optional: bool
    presence: str
    counts: bool
    reason: str
    seen: Sequence[str]

    @property
    def roman(self) -> str:
        """The class of the framework, as it writes it."""
        return "I" * self.mof_class


@personal_page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """The licence tab."""
    at = locate(viewer, repo_name(kind, repo))
    panel = panel_of(viewer, at.repo)
    context = shell(viewer, at, tab="license")
    context["is_settled"] = clearing.is_released(at.repo)
    context["reply"] = _reply_to(panel.case, may_write=context["may_write"])
    children = children_of(viewer, at.repo)
    history = history_of(panel.case) if panel.case else []
    context |= {
        "panel": panel, "case": panel.case, "together": together(panel.binding),
        "step": step_of(panel.case, at.repo, may_write=context["may_write"]),
        "files": list(found_files(panel)), "thresholds": thresholds_said(panel.lineage.thresholds, panel.readings),
        "regions": regions_said(panel.lineage.geography, panel.readings), "drawing": drawing_of(panel, children),
        "history": history, "asked": _asked(panel.case, history), "children": children, **_openness(panel),
        "declared": declared_from_json(panel.case.declared) if panel.case else None, "marks": marks(panel.case),
        "strangers": [one for one in panel.lineage.use_licenses if one not in panel.readings],
        "may_review": access.may_review(viewer),  "acceptance": access.acceptance_for(viewer, at.repo),
    }  # fmt: skip
    return render(request, "repo/license.html", context)


@require_POST
@page
def reply(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """What the owners say to reviewers: an answer to what was asked, or an appeal."""
    found = find_repo(viewer, repo_name(kind, repo))
    case, verb = current_case(str(found.pk)), request.POST.get("verb", "")
    if case is None or verb not in reviewing.UPLOADER_VERBS:
        raise BadRequest("verb must be answer or appeal, on a repository whose terms were read.")
    text = request.POST.get("text", "").strip()[:MAX_REPLY]
    try:
        reviewing.act(viewer, case, verb=verb, answer=Answer(note_public=text))
    except ReviewError as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("The reviewers have it."))
    return HttpResponseRedirect(f"{repo_url(found)}/license")


def _asked(case: Case | None, history: Sequence[Decision]) -> Decision | None:
    """Return what a reviewer told the owners, while it is theirs to act on."""
    if case is None or case.state not in (Case.State.NEEDS_INFO, Case.State.REJECTED):
        return None
    return next((one for one in history if one.to_state == case.state and one.note_public), None)


def _reply_to(case: Case | None, *, may_write: bool) -> str:
    """Return what the owners can do about a case: answer, appeal, or nothing."""
    if case is None or not may_write:
        return ""
    if case.state == Case.State.NEEDS_INFO:
        return "answer"
    return "appeal" if case.state == Case.State.REJECTED else ""


def marks(case: Case | None) -> Sequence[str]:
    """Return what should be known of a clearance: how it came to be."""
    if case is None:
        return ()
    found = [_("decided by a single person")] if case.single_person else []
    found += [_("on the card’s word alone: no text here proves it")] if case.state == "declared" else []
    found += [
        _("waived: %(title)s") % {"title": said(one["title"])}
        for one in case.policies
        if one.get("waived") and one.get("title")
    ]
    return found


def found_files(panel: Panel) -> Iterator[Found]:
    """Return the license texts of a repo and what each turned out to be."""
    hashes = {text.path: text.sha256 for text in panel.texts}
    for path, found in panel.detected.items():
        names = ", ".join(dict.fromkeys(_named(panel, one.license, one.version) for one in found.matches))
        share = numeral(f"{found.matches[0].recall:.1%}") if found.matches and found.missing else ""
        recall = _("%(share)s of its words") % {"share": share} if share else ""
        yield Found(
            path, _(_STATUS[found.status]), names, found.is_clean, hashes.get(path, ""), recall, _note(found)
        )


def _named(panel: Panel, license_id: str, version: str) -> str:
    reading = panel.readings.get(license_id)
    name = reading.name if reading else license_id
    return f"{name} {version}".strip() if version and version not in name else name


def _note(found: Detection) -> str:
    if found.status is Status.ADDED:
        run = found.residue[0]
        if run.first_line == run.last_line:
            words = run.quoted(MAX_QUOTE)
            return _("added in line %(line)s: “%(words)s”") % {"line": run.first_line, "words": words}
        return _("added in lines %(first)s to %(last)s: “%(words)s”") % {
            "first": run.first_line, "last": run.last_line, "words": run.quoted(MAX_QUOTE),
        }  # fmt: skip
    return said(found.note)


def _openness(panel: Panel) -> dict[str, Any]:
    grade = panel.openness
    if grade is None:
        return {"ladder": [], "parts": [], "absent": [], "osaid": {}}
    steps = [
        (int(rung), _(title), _(about), rung <= grade.rung, rung == grade.rung)
        for rung, title, about in _LADDER
    ]
    reached: Rung = grade.rung
    parts = [_part(panel, one) for one in grade.components]
    return {
        "ladder": steps, "rung": int(reached), "rung_words": said(RUNG_NAMES[reached]),
        "parts": [one for one in parts if one.presence != Presence.ABSENT], "osaid": dict(grade.osaid),
        "absent": [one for one in parts if one.presence == Presence.ABSENT], "lacking": _lacking(panel),
    }  # fmt: skip


def _part(panel: Panel, one: Judged) -> Part:
    found = panel.evidence.get(one.component.id)
    presence = found.presence if found else Presence.ABSENT
    return Part(
        said(one.component.title), one.component.mof_class, one.component.optional, str(presence), one.counts,
        said(one.reason),
        found.seen if found else (),
    )  # fmt: skip


def _lacking(panel: Panel) -> Sequence[str]:
    """Return the components that are missing for the next class of the framework."""
    grade = panel.openness
    if grade is None or grade.rung < Rung.OPEN_WEIGHTS:
        return ()
    titles = {one.component.id: one.component.title for one in grade.components}
    for number in (3, 2, 1):
        if grade.missing[number]:
            return [said(titles[one]) for one in grade.missing[number]]
    return ()
