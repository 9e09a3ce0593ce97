"""The door of the review desk: reviewers only; what a verb refuses becomes a sentence on the page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.access import may_review
from hub.catalog.errors import NotAllowed
from hub.pages.doors import View, page, to_login


def reviewer_page(view: View) -> View:
    """Make a page that only reviewers have: ``view(request, viewer, **captured)``."""
    return page(_for_reviewers(view))


def _for_reviewers(view: Callable[..., HttpResponseBase]) -> View:
    def inner(request: HttpRequest, viewer: Viewer, **captured: Any) -> HttpResponseBase:
        if not isinstance(viewer.user, User):
            return to_login(request)
        if not may_review(viewer):
            raise NotAllowed("Only reviewers see this page. An administrator can make you one.")
        return view(request, viewer, **captured)

    inner.__name__, inner.__doc__ = view.__name__, view.__doc__
    return inner
