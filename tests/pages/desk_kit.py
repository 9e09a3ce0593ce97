"""Models that wait on the review desk, and forms filled in as a reviewer does it."""

import re

from django.test import Client

from hub.accounts.models import User
from hub.catalog.desk import desk_of
from hub.catalog.models import Repo
from licenses.models import Case
from tests.licenses.known import text_of as license_text
from tests.pages.kit import logged_in, person, text_of

EXTRA = """If a product built with the model serves more than 50 million people in a month, its maker must
display “Runs on Ledger” on the first screen. <script>alert("terms")</script> The model may
not be used to train a model that is offered to the public.
"""
MIT = license_text("mit")
ADDED = "Copyright (c) 2026 quay\n\n" + MIT.replace("THE SOFTWARE IS", f"{EXTRA}\nTHE SOFTWARE IS")


def reviewer(name: str) -> Client:
    """Return the browser of a new reviewer."""
    user = person(name)
    User.objects.filter(pk=user.pk).update(is_reviewer=True)
    return logged_in(User.objects.get(pk=user.pk))


def answers(case: Case) -> dict[str, str]:
    """Return a form in which everything is answered that has to be."""
    desk = desk_of(case, Repo.objects.get(pk=case.subject), ())
    return {
        **{f"finding:{key}": "Read, and released on purpose." for key in desk.holding},
        **{f"term:{key}": "unknown" for key in desk.unknown_terms},
        **{item.answer_name: "yes" for item in desk.items},
    }


def decide(browser: Client, case: Case, verb: str, **fields: object) -> str:
    """Send the form of a case's page as it stands there; returns the page that answers."""
    shown = text_of(browser.get(f"/review/{case.pk}"))
    hidden = dict(re.findall(r'<input type="hidden" name="(expected|seen)" value="([^"]*)">', shown))
    return text_of(browser.post(f"/review/{case.pk}", {**hidden, "verb": verb, **fields}, follow=True))
