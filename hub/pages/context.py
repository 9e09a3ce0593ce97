"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from hub.web import public_base


def house(request: HttpRequest) -> dict[str, Any]:
    """Return the settings that pages show."""
    return {"signup": settings.HUB_SIGNUP, "hub_url": public_base(request)}
