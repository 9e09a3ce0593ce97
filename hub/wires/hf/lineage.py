"""`GET /api/{kind}/{id}/lineage`: what a repo comes from and what was made from it, beside the Hub protocol."""

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import family
from hub.catalog.lineage import graph_of
from hub.wires.base import json_answer
from hub.wires.hf.reading import get_repo
from licenses.cases import current_case


def show(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """Tell the family of a repo, without what the caller cannot see."""
    found = get_repo(viewer, kind, repo)
    case = current_case(str(found.pk))
    return json_answer(family.told(viewer, found, graph_of(viewer, found, case.lineage if case else {})))
