"""What the search at the top of every page offers while somebody types."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from hub.accounts.identity import Viewer
from hub.catalog.suggestions import suggest
from hub.pages.doors import page


@page
def show(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Suggestions, as a part of a page; whoever asks for a whole page gets the list of models."""
    text = request.GET.get("q", "").strip()[:200]
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(f"{reverse('pages:models')}?{urlencode({'q': text})}")
    return render(request, "browse/suggested.html", {"found": suggest(viewer, text), "text": text})
