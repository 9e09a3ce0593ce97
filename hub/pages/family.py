"""The lineage tab: what a repo comes from and what was made from it, as a drawing and in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hub.accounts.identity import Viewer
from hub.catalog import family
from hub.catalog.deskfacts import STRENGTH
from hub.catalog.family import Ancestor, Made
from hub.catalog.lookups import locate
from hub.catalog.panel import Panel, panel_of
from hub.pages.doors import personal_page
from hub.pages.pedigree import MAX_IN_LEVEL, drawing_of, relation_words, terms_shown
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.pages.standing import standing_above
from hub.web import repo_name
from licenses.models import License
from licenses.readings import readings_of

# What was made from a model, the closest kinds first.
_GROUPS: Sequence[tuple[str, Promise]] = (
    ("finetune", _("Fine-tunes")), ("adapter", _("Adapters")), ("merge", _("Merges")),
    ("quantized", _("Quantizations")), ("converted", _("Other formats")), ("copy", _("Copies")),
    ("component", _("Models it is a part of")), ("distilled", _("Models it taught")),
    ("dataset", _("Models trained on it")), ("new_version", _("Newer versions")), ("resembles", _("Resembling models")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Above:
    """One model that this one comes from, in words."""

    one: Ancestor
    url: str
    relation: str
    evidence: str
    terms: str
    seal: str
    by_way_of: str


@personal_page
def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Everything the reader may see of a repo's family."""
    at = locate(viewer, repo_name(kind, repo))
    panel = panel_of(viewer, at.repo)
    below, more_below = family.descendants(viewer, at.repo)
    nearest = below[:MAX_IN_LEVEL]
    theirs = License.objects.filter(slug__in={slug for one in nearest for slug in one.repo.concluded})
    panel = replace(
        panel, graph=family.visible(panel.graph, at.repo.full_name),
        readings={**readings_of(theirs), **panel.readings},
    )  # fmt: skip
    above, more_above = family.ancestors(panel.graph, at.repo.full_name)
    context = shell(viewer, at, tab="lineage")
    context |= {
        "drawing": drawing_of(panel, [(one.repo, one.relation) for one in nearest]),
        "above": [_above(panel, one) for one in above], "more_above": more_above,
        "groups": _grouped(below), "more_below": more_below,
    }  # fmt: skip
    return render(request, "repo/lineage.html", context)


def _above(panel: Panel, one: Ancestor) -> Above:
    terms, seal = terms_shown(panel, one.licenses, standing_above(one.clearance))
    return Above(
        one, f"/{one.name}" if one.repo else "", relation_words(one.relation),
        said(STRENGTH.get(one.evidence, "")), terms, seal, "" if one.child == panel.repo.full_name else one.child,
    )  # fmt: skip


def _grouped(below: Sequence[Made]) -> list[tuple[Promise | str, list[Made]]]:
    """Return what was made from it by kind; kinds that are not known here come last, by their own name."""
    groups: dict[str, list[Made]] = {key: [] for key, _title in _GROUPS}
    for one in below:
        groups.setdefault(one.relation, []).append(one)
    titles: dict[str, Promise | str] = dict(_GROUPS)
    return [(titles.get(key, key), made) for key, made in groups.items() if made]
