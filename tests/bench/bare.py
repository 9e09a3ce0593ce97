"""One bare Django view with one query, as one would write it who wanted only that."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from hub.catalog.models import Repo


def view(request: HttpRequest, key: str) -> JsonResponse:
    """Look a repo up by its name and say a few things of it."""
    repo = Repo.objects.get(type="model", key=key)
    answer = JsonResponse({"id": repo.key, "sha": repo.head, "private": repo.private, "tags": repo.tags})
    # Without middleware nobody else says it, and without it the answer would travel in chunks.
    answer["Content-Length"] = str(len(answer.content))
    return answer


urlpatterns = [path("bare/<path:key>", view)]
