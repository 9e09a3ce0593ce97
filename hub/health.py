"""``/healthz`` says that the process lives; ``/readyz`` that everything it needs answers."""

from django.http import HttpRequest, JsonResponse

from hub.catalog import pulse


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, queue and store answer, else 503; says which does not."""
    parts = {part.name: part.up for part in pulse.servers()}
    ready = all(parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)
