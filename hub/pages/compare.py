"""Up to four models side by side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog import comparing
from hub.catalog.errors import CatalogError
from hub.pages.doors import page
from hub.web import repo_name

USES = {
    "commercial": "Use it commercially",
    "redistribute": "Hand it on",
    "modify": "Change it",
    "no-field-of-use-limits": "For any purpose",
    "everywhere": "Anywhere",
}
NUMBERS = {
    "context_length": "Context, tokens",
    "layers": "Layers",
    "hidden_size": "Width",
    "vocabulary": "Vocabulary",
    "experts": "Experts",
}


@page
def show(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The models that the address names, and a field to add another."""
    names = [name.strip()[:200] for name in request.GET.getlist("model") if name.strip()]
    found, trouble = [], ""
    try:
        found = comparing.compare(viewer, [repo_name("model", name) for name in names])
    except CatalogError as error:
        trouble = f"{error} Models are named as owner/name."
    context = {
        "found": found, "trouble": trouble, "names": names, "uses": [*USES.items()], "most": comparing.MOST,
        "numbers": [(words, [one.shape.get(key) for one in found]) for key, words in NUMBERS.items()],
        "section": "model",
    }  # fmt: skip
    return render(request, "browse/compare.html", context, status=400 if trouble else 200)
