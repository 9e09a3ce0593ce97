"""Up to four models side by side."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.accounts.identity import Viewer
from hub.catalog import comparing
from hub.catalog.errors import CatalogError
from hub.pages.doors import page
from hub.pages.saying import said
from hub.web import repo_name

USES = {
    "commercial": gettext_noop("Use it commercially"),
    "redistribute": gettext_noop("Hand it on"),
    "modify": gettext_noop("Change it"),
    "no-field-of-use-limits": gettext_noop("For any purpose"),
    "everywhere": gettext_noop("Anywhere"),
}
NUMBERS = {
    "context_length": gettext_noop("Context, tokens"),
    "layers": gettext_noop("Layers"),
    "hidden_size": gettext_noop("Width"),
    "vocabulary": gettext_noop("Vocabulary"),
    "experts": gettext_noop("Experts"),
}


@page
def show(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The models that the address names, and a field to add another."""
    names = [name.strip()[:200] for name in request.GET.getlist("model") if name.strip()]
    found, trouble = [], ""
    try:
        found = comparing.compare(viewer, [repo_name("model", name) for name in names])
    except CatalogError as error:
        trouble = f"{said(error)} {_('Models are named as owner/name.')}"
    context = {
        "found": found, "trouble": trouble, "names": names, "uses": [(use, _(words)) for use, words in USES.items()],
        "most": comparing.MOST,
        "numbers": [(_(words), [one.shape.get(key) for one in found]) for key, words in NUMBERS.items()],
        "section": "model",
    }  # fmt: skip
    return render(request, "browse/compare.html", context, status=400 if trouble else 200)
