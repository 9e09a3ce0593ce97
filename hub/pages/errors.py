"""Pages for what no view answers, robots.txt and the icon."""

from urllib.parse import quote

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.utils.translation import gettext_noop

from hub.pages.doors import is_for_programs, trouble, written


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return trouble(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return trouble(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404; a needless slash at the end, which people type, is taken off first."""
    if request.method in ("GET", "HEAD") and request.path.endswith("/") and not is_for_programs(request):
        # Exactly one slash stands in front, so the target is always on this hub.
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect("/" + quote(request.path.strip("/")) + (f"?{query}" if query else ""))
    return trouble(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: made without the database, which may be the reason."""
    request_id = request.META.get("weighhouse.request_id", "")
    if is_for_programs(request):
        message = f"Internal error, request {request_id}."
        return JsonResponse({"error": message}, status=500, headers={"X-Error-Message": message})
    return HttpResponse(render_to_string("errors/500.html", {"request_id": request_id}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without the mark that shows it was sent from our own page."""
    said = gettext_noop("This form was open for too long, or cookies are off. Go back, reload, send again.")
    return trouble(request, 403, said, kept=written(request))


def robots(request: HttpRequest) -> HttpResponse:
    """Machines may read the pages of models, not every revision of every file."""
    rules = ["/api/", "/-/", "/settings/", "/login", "/signup", "/password/", "/bytes/", "/lfs/"]
    rules += ["/*/tree/", "/*/blob/", "/*/commit/", "/*/commits/", "/*/resolve/", "/*/raw/"]
    lines = ["User-agent: *", *(f"Disallow: {rule}" for rule in rules)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it at the root whatever the page says."""
    return HttpResponsePermanentRedirect(staticfiles_storage.url("weighhouse/favicon.svg"))
