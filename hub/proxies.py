"""Which headers of a reverse proxy are believed.

``X-Forwarded-*`` can be sent by anybody; they count only from the addresses in ``HUB_TRUSTED_PROXIES``.
"""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

# Who has one IPv6 address has all of its network.
_OWN_BITS = 64

_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
)


def network_of(request: HttpRequest) -> str:
    """Return what of the client's address tells clients apart: all of IPv4, the network of IPv6."""
    sent = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ipaddress.ip_address(sent)
    except ValueError:
        return sent
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped or ipaddress.ip_network((address, _OWN_BITS), strict=False))


class TrustedProxyMiddleware:
    """Drop forwarded headers of strangers, and take the client's address from those of a trusted proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.trusted = [ipaddress.ip_network(text, strict=False) for text in settings.HUB_TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if self._is_trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = self._client(request)
        else:
            for name in _HEADERS:
                request.META.pop(name, None)
        return self.get_response(request)

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            # A proxy on a unix socket has no address; whoever may connect there is on this machine.
            return address == "" and bool(self.trusted)
        return any(parsed in network for network in self.trusted)

    def _client(self, request: HttpRequest) -> str:
        """Return the last address in the chain that no trusted proxy has; the ones before it may be made up."""
        sent = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        chain = [part.strip() for part in sent.split(",") if part.strip()]
        for address in reversed(chain):
            if not self._is_trusted(address):
                return address
        return chain[0] if chain else str(request.META.get("REMOTE_ADDR", ""))
