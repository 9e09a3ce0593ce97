"""Up to four models side by side."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.accounts.identity import Viewer
from hub.catalog import comparing, memory
from hub.catalog.comparing import Compared
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
# What is held against each other, besides the numbers and the uses.
_ROWS: dict[str, Callable[[Compared], Any]] = {
    "task": lambda one: one.repo.pipeline_tag,
    "architecture": lambda one: one.architecture,
    "parameters": lambda one: one.repo.parameters,
    "dtypes": lambda one: one.dtypes,
    "languages": lambda one: one.languages,
    "bases": lambda one: one.bases,
    "license": lambda one: (one.is_settled and one.repo.concluded) or one.repo.license,
    "size": lambda one: one.is_settled and one.repo.users_limit,
    "openness": lambda one: one.is_settled and one.repo.openness,
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
    device = memory.device_of(request.GET.get("ram", ""))
    context = {
        "found": found, "trouble": trouble, "names": names, "most": comparing.MOST, "section": "model",
        "uses": [(use, _(words), _differ([use in one.repo.uses and one.repo.clearance for one in found]))
                 for use, words in USES.items()],
        "numbers": [(_(words), values, _differ(values)) for words, values in _numbers(found)],
        "differing": {name for name, value in _ROWS.items() if _differ([value(one) for one in found])},
        "devices": memory.DEVICES, "device": device, "context": memory.DEFAULT_CONTEXT,
        "fitting": [one.best(device) for one in found] if device else [],
    }  # fmt: skip
    return render(request, "browse/compare.html", context, status=400 if trouble else 200)


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)


def _numbers(found: Sequence[Compared]) -> list[tuple[str, list[int | None]]]:
    """Return the rows of numbers; None is not known, and no experts are none where the other numbers were read."""
    dense = {"experts": 0}
    return [
        (words, [one.shape.get(key, dense.get(key) if "layers" in one.shape else None) for one in found])
        for key, words in NUMBERS.items()
    ]
