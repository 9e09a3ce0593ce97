"""Which language a page speaks: what the reader chose, else what the browser asks for.  Programs hear English.

So does whoever looks behind the pages, at ``/-/admin/``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.formats import get_format
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

# Texts that programs compare and quote must not change with a header that their library happens to send.
_ENGLISH = ("hub.wires.", "hub.pages.feeds", "hub.health")
# Behind the pages things have the names that they have in the code; half of them translated would fit nowhere.
_ALWAYS_ENGLISH = ("/api/", "/lfs/", "/cas/", "/bytes/", "/v1/", "/-/admin/")


class LanguageMiddleware:
    """Choose the language before a view runs, and name it with every page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_english = request.path_info.startswith(_ALWAYS_ENGLISH)
        translation.activate("en" if is_english else translation.get_language_from_request(request))
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ["Accept-Language"])
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        """Files lie at addresses that look like those of pages, so it is known only now which door this is."""
        if getattr(view, "__module__", "").startswith(_ENGLISH):
            translation.activate("en")


def numeral(text: str) -> str:
    """Return a number that is written as in English, ``1,234.5``, as the reader's language writes it."""
    marks = _marks(translation.get_language() or "en")
    return text.translate(marks) if marks else text


@cache
def _marks(language: str) -> dict[int, str]:
    """Return what a language writes for point and comma; a list of models has hundreds of numbers."""
    point, comma = (str(get_format(name, language)) for name in ("DECIMAL_SEPARATOR", "THOUSAND_SEPARATOR"))
    return {} if point == "." else {ord("."): point, ord(","): comma}


# The form is on every page.  Nothing hangs on it but the language of one browser, so it takes no token: a token would
# hand a cookie to everybody who only reads.  It leads back to the page it came from, and to no other site.
choose = csrf_exempt(set_language)
