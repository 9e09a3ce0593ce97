"""The NOTICE of models: a form, and the text as a page or a file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from hub.accounts.identity import Viewer
from hub.catalog import noticefiles
from hub.catalog.errors import BadRequest, RepoNotFound
from hub.catalog.lookups import Moved
from hub.catalog.names import RepoName
from hub.pages.doors import page
from hub.pages.saying import said
from hub.web import public_base

MAX_TEXT = 20_000


@require_safe
@page
def show(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The form, and the notice of what it names."""
    given = " ".join([*request.GET.getlist("model"), request.GET.get("models", "")])[:MAX_TEXT]
    data = request.GET.getlist("dataset")
    text, error = "", ""
    if given.split() or data:
        try:
            text = noticefiles.notice_of(viewer, _names(given, data), hub=public_base(request))
        except (BadRequest, RepoNotFound) as trouble:
            error = said(trouble)
        except Moved as moved:
            error = f"{said(moved)} {_('Use the new name.')}"
    context = {
        "given": given.split(),
        "data": data,
        "text": text,
        "error": error,
        "download": f"/api/notice?{request.GET.urlencode()}",
    }
    return render(request, "licenses/notice.html", context, status=400 if error else 200)


def _names(models: str, datasets: list[str]) -> list[RepoName]:
    return [RepoName.parse("model", one) for one in models.replace(",", " ").split()] + [
        RepoName.parse("dataset", one) for one in datasets
    ]
