"""How bytes reach a client: by a presigned address of the store, or through the hub.

A presigned address is the faster way, but only where the client can reach the store under the name the hub knows it
by.  ``HUB_DELIVERY=auto`` decides from the settings alone.
"""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from hub.catalog.errors import BadRequest, BytesMissing, CatalogError, StoreTrouble
from storage import errors as storage_errors

REDIRECT, PROXY = "redirect", "proxy"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def mode() -> str:
    """Return ``redirect`` or ``proxy``."""
    if settings.HUB_DELIVERY != "auto":
        return str(settings.HUB_DELIVERY)
    if settings.HUB_S3["public_endpoint"]:
        return REDIRECT
    store = urlsplit(settings.HUB_S3["endpoint"]).hostname or ""
    if _is_loopback(store):
        seen_from_outside = not _is_loopback(settings.HUB_BIND) or (
            settings.HUB_PUBLIC_URL and not _is_loopback(urlsplit(settings.HUB_PUBLIC_URL).hostname or "")
        )
        return PROXY if seen_from_outside else REDIRECT
    # A bare name such as 's3' belongs to the containers' own network; a dotted one is taken to be known to clients.
    return REDIRECT if "." in store or not store else PROXY


def trouble_of(error: storage_errors.StorageError) -> CatalogError:
    """Say in the domain's words what went wrong in the store."""
    match error:
        case storage_errors.UploadNotFound() | storage_errors.ObjectMissing():
            return BytesMissing(str(error))
        case storage_errors.StoreUnavailable():
            return StoreTrouble(str(error))
        case _:
            return BadRequest(str(error))
