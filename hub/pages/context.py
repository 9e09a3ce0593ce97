"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def house(request: HttpRequest) -> dict[str, Any]:
    """Return the settings that pages show."""
    return {"signup": settings.HUB_SIGNUP, "public_url": settings.HUB_PUBLIC_URL}
