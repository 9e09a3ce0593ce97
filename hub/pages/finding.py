"""Finding a file of a revision by words of its path."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hub.accounts.identity import Viewer
from hub.catalog.lookups import DEFAULT_REVISION
from hub.catalog.trees import find_files
from hub.pages.doors import page
from hub.pages.files import refs_of
from hub.pages.repos import shell
from hub.web import locate_rest, repo_name

PAGE = 100
MAX_WORDS, MAX_QUERY = 8, 200
FOUND = "found"


@page
def show(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = DEFAULT_REVISION
) -> HttpResponse:
    """The files whose paths hold every word; the list alone where the page asks as somebody types."""
    at, _path = locate_rest(viewer, repo_name(kind, repo), rest)
    q = request.GET.get("q", "")[:MAX_QUERY]
    found = find_files(at.repo, at.tree, q.split()[:MAX_WORDS], limit=PAGE + 1)
    context = {"repo": at.repo, "rev": at.revision, "q": q, "found": found[:PAGE], "more": len(found) > PAGE}
    if request.headers.get("HX-Target") == FOUND:
        return render(request, "repo/found.html", context)
    context = shell(viewer, at, tab="files") | context | {"refs": refs_of(at, "find")}
    return render(request, "repo/find.html", context)
