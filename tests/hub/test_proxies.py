"""Forwarded headers count only from trusted proxies."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from hub.proxies import TrustedProxyMiddleware

FORWARDED = {
    "X-Forwarded-For": "6.6.6.6, 9.9.9.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
}


def _seen(trusted: list[str], address: str) -> tuple[str, str | None]:
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    with override_settings(HUB_TRUSTED_PROXIES=trusted):
        TrustedProxyMiddleware(view)(RequestFactory(REMOTE_ADDR=address).get("/", headers=FORWARDED))
    return seen[0].META["REMOTE_ADDR"], seen[0].headers.get("X-Forwarded-Host")


@pytest.mark.parametrize(
    ("trusted", "address", "client", "host"),
    [
        ([], "9.9.9.9", "9.9.9.9", None),
        (["10.0.0.0/8"], "9.9.9.9", "9.9.9.9", None),
        (["10.0.0.0/8"], "10.1.2.3", "9.9.9.9", "evil.example"),
        (["10.0.0.0/8", "9.9.9.9"], "10.1.2.3", "6.6.6.6", "evil.example"),
    ],
)
def test_headers_are_believed_from_trusted_proxies_only(
    trusted: list[str], address: str, client: str, host: str | None
) -> None:
    assert _seen(trusted, address) == (client, host)
