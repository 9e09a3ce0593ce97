"""What every template may use."""

from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils import timezone

from hub.accounts.models import User
from hub.catalog import notices
from hub.catalog.deskqueue import waiting_count
from hub.web import public_base


def house(request: HttpRequest) -> dict[str, Any]:
    """Return the settings that pages show."""
    try:
        hub_url = public_base(request)
    except DisallowedHost:
        # The page that says so is made with this context, too.
        hub_url = ""
    # Called by the template, and only for those who review.
    return {
        "signup": settings.HUB_SIGNUP, "hub_url": hub_url, "review_count": lambda: waiting_count(timezone.now()),
        "unread_count": partial(_unread, request),
    }  # fmt: skip


def _unread(request: HttpRequest) -> int:
    """Return how many notices wait for whoever looks."""
    user = getattr(request, "user", None)
    return notices.unread(user) if isinstance(user, User) else 0
