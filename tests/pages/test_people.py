"""Logging in, signing up, tokens and passwords."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from hub.accounts.identity import identify
from hub.accounts.models import Token, User
from hub.accounts.people import make_invite
from hub.accounts.tokens import create_token
from hub.audit import acts
from hub.audit.models import Entry
from hub.catalog.models import Job, TokenScope
from hub.pages.people import FAILING, TRIES
from tests.factories import work
from tests.pages.kit import PASSWORD, text_of

SIGN_UP = {"name": "carol", "email": "carol@example.org", "password": PASSWORD}


def log_in(client: Client, **extra: str) -> Any:
    return client.post("/login", {"username": "ada", "password": PASSWORD, **extra})


def test_a_person_logs_in_and_comes_back_to_where_they_were(client: Client, ada: User) -> None:
    assert log_in(client, next="/settings/tokens")["Location"] == "/settings/tokens"
    assert client.get("/settings/tokens").status_code == 200
    assert client.get("/login?next=/datasets")["Location"] == "/datasets"


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_kept_is_given_back(browser: Client) -> None:
    unfit = browser.post("/settings", {"about": "Nothing\0 is lost"})
    assert (unfit.status_code, b"Nothing is lost" in unfit.content) == (400, True)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_login_never_leads_to_another_site(client: Client, ada: User, elsewhere: str) -> None:
    assert log_in(client, next=elsewhere)["Location"] == "/"


def test_a_wrong_password_is_told_plainly_and_tries_run_out(client: Client, ada: User) -> None:
    answer = client.post("/login", {"username": "ada", "password": "wrong"})
    assert "do not fit together" in text_of(answer)
    for spaces in range(TRIES):
        answer = client.post("/login", {"username": f"{' ' * spaces}\uff21DA", "password": "wrong"})
    assert answer.status_code == 429
    assert "Wait five minutes" in text_of(answer)
    assert log_in(client).status_code == 429
    other = client.post("/login", {"username": "bob", "password": "wrong"})
    assert other.status_code == 200


def test_one_address_cannot_try_all_names(client: Client, ada: User) -> None:
    for number in range(FAILING.most):
        form = {"username": f"n{number}", "password": "wrong"}
        assert client.post("/login", form, REMOTE_ADDR="2001:db8:0:1::7").status_code == 200
    near = client.post("/login", {"username": "ada", "password": PASSWORD}, REMOTE_ADDR="2001:db8:0:1::8")
    assert (near.status_code, "from this address" in text_of(near)) == (429, True)
    assert 0 < int(near["Retry-After"]) <= FAILING.seconds
    far = client.post("/login", {"username": "ada", "password": PASSWORD}, REMOTE_ADDR="2001:db8:0:2::8")
    assert far.status_code == 302


def test_logging_out_needs_a_form(browser: Client) -> None:
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout").status_code == 302
    assert browser.get("/settings/tokens").status_code == 302


def test_forms_from_elsewhere_are_refused_with_a_page(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    answer = client.post("/settings/tokens", {"name": "x", "kind": "write"})
    assert answer.status_code == 403
    assert "Go back, reload" in text_of(answer)
    assert not Token.objects.exists()


def test_sign_up_is_closed_unless_the_hub_says_otherwise(client: Client) -> None:
    assert client.get("/signup").status_code == 403
    assert client.post("/signup", SIGN_UP).status_code == 403
    assert not User.objects.filter(username="carol").exists()


def test_an_open_hub_takes_whoever_fills_in_the_form(client: Client, settings: Any) -> None:
    settings.HUB_SIGNUP = "open"
    assert client.post("/signup", SIGN_UP).status_code == 302
    assert client.get("/carol").status_code == 200
    assert client.get("/settings/tokens").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "api", "reserved"),
        ("name", "ADA", "taken"),
        ("name", "a b", "may only contain"),
        ("password", "password12", "too common"),
        ("password", "short", "too short"),
        ("email", "nonsense", "valid email"),
    ],
)
def test_sign_up_names_the_field_and_the_fault(
    client: Client, ada: User, settings: Any, field: str, value: str, words: str
) -> None:
    settings.HUB_SIGNUP = "open"
    answer = client.post("/signup", {**SIGN_UP, field: value})
    assert answer.status_code == 400
    assert words in text_of(answer)


def test_an_invitation_is_good_once(client: Client, settings: Any) -> None:
    settings.HUB_SIGNUP = "invite"
    code = make_invite(by=None)
    refused = client.post("/signup", {**SIGN_UP, "invite": "made-up"})
    assert "unknown, already used or expired" in text_of(refused)
    assert not User.objects.filter(username="carol").exists()
    assert client.post("/signup", {**SIGN_UP, "invite": code}).status_code == 302
    again = Client().post("/signup", {**SIGN_UP, "name": "dave", "invite": code})
    assert again.status_code == 400
    assert not User.objects.filter(username="dave").exists()


def test_a_token_is_shown_once_and_works(browser: Client, ada: User) -> None:
    answer = browser.post("/settings/tokens", {"name": "laptop", "kind": "write", "days": "30"})
    secret = re.search(r"hf_[A-Za-z0-9]{36}", text_of(answer))
    assert secret
    assert "no-store" in answer["Cache-Control"]
    viewer = identify(f"Bearer {secret[0]}")
    assert viewer.user == ada
    assert viewer.can_write
    assert viewer.token is not None
    assert viewer.token.expires_at is not None
    later = text_of(browser.get("/settings/tokens"))
    assert secret[0] not in later
    assert f"hf_…{secret[0][-4:]}" in later


def test_a_fine_grained_token_is_good_for_what_it_names(
    browser: Client, ada: User, lab: User, make_repo: Any
) -> None:
    make_repo("ada/ships")
    form = {
        "name": "nightly",
        "kind": "fineGrained",
        "permission": "write",
        "targets": "ada/ships\nlab",
        "days": "",
    }
    assert browser.post("/settings/tokens", form).status_code == 200
    scopes = TokenScope.objects.order_by("pk")
    assert [(str(scope.repo or scope.namespace), scope.permission) for scope in scopes] == [
        ("ada/ships", "write"), ("lab", "write"),
    ]  # fmt: skip
    page = text_of(browser.get("/settings/tokens"))
    assert "write ada/ships" in page


@pytest.mark.parametrize("targets", ["", "nobody", "ada/absent", "datasets/ada/absent", "bob/hidden"])
def test_a_fine_grained_token_for_nothing_is_refused(
    browser: Client, ada: User, bob: User, targets: str
) -> None:
    answer = browser.post("/settings/tokens", {"name": "n", "kind": "fineGrained", "targets": targets})
    assert answer.status_code == 400
    assert not Token.objects.exists()


def test_a_token_is_revoked_by_its_owner_only(browser: Client, ada: User, bob: User) -> None:
    theirs, _ = create_token(user=bob, name="theirs", kind="read")
    mine, _ = create_token(user=ada, name="mine", kind="read")
    assert browser.post(f"/settings/tokens/{theirs.pk}/revoke").status_code == 404
    assert browser.post(f"/settings/tokens/{mine.pk}/revoke").status_code == 302
    assert list(Token.objects.all()) == [theirs]


def test_a_password_is_changed_and_other_browsers_are_logged_out(browser: Client, ada: User) -> None:
    other = Client()
    other.force_login(ada)
    form = {
        "old_password": PASSWORD,
        "new_password1": "another long one 77",
        "new_password2": "another long one 77",
    }
    assert browser.post("/settings/password", {**form, "old_password": "no"}).status_code == 400
    assert browser.post("/settings/password", form).status_code == 302
    assert browser.get("/settings/password").status_code == 200
    assert other.get("/settings/password").status_code == 302


def test_an_administrator_makes_a_reset_link_that_works_once(client: Client, ada: User, capsys: Any) -> None:
    call_command("password_link", "ADA")
    link = capsys.readouterr().out.strip().split("/", 3)[3]
    form_page = client.get("/" + link)["Location"]
    form = {"new_password1": "another long one 77", "new_password2": "another long one 77"}
    assert client.post(form_page, form)["Location"] == "/login"
    assert client.post("/login", {"username": "ada", "password": "another long one 77"}).status_code == 302
    assert "was used or is too old" in text_of(Client().get("/" + link))
    with pytest.raises(CommandError):
        call_command("password_link", "nobody")
    (entry,) = Entry.objects.all()
    assert (entry.act, entry.actor, entry.subject) == (acts.ACCOUNT_LINK, "console", f"user:{ada.pk}")


@override_settings(EMAIL_HOST="mail.example.org", HUB_PUBLIC_URL="https://hub.example.org")
def test_a_reset_by_mail_says_the_same_for_known_and_unknown_addresses(client: Client, ada: User) -> None:
    asked = []
    for address, mails in (("nobody@example.org", 0), (ada.email, 1)):
        with CaptureQueriesContext(connection) as queries:
            answer = client.post("/password/reset", {"email": address}, headers={"Accept-Language": "de"})
        assert answer["Location"] == "/password/reset/sent"
        asked.append([query["sql"].split()[0] for query in queries])
        assert not mail.outbox
        assert (work(), len(mail.outbox)) == (1, mails)
    assert asked[0] == asked[1]
    assert (mail.outbox[0].to, mail.outbox[0].subject) == ([ada.email], "Ein neues Passwort für Weighhouse")
    assert "https://hub.example.org/password/reset/" in mail.outbox[0].body
    assert list(Job.objects.values_list("payload", flat=True)) == [{}, {}]
    for _ in range(TRIES):
        last = client.post("/password/reset", {"email": "nobody@example.org"})
    assert last.status_code == 429


@override_settings(EMAIL_HOST="mail.example.org", HUB_PUBLIC_URL="")
def test_no_reset_is_mailed_by_a_hub_that_does_not_know_its_own_address(client: Client, ada: User) -> None:
    answer = client.post("/password/reset", {"email": ada.email}, headers={"Host": "localhost"})
    assert answer.status_code == 403
    assert not mail.outbox


def test_robots_and_the_icon_are_where_machines_look(client: Client) -> None:
    assert "Disallow: /settings/" in text_of(client.get("/robots.txt"))
    assert client.get("/favicon.ico").status_code == 301


def test_programs_get_their_errors_as_json(client: Client) -> None:
    answer = client.get("/api/no/such/door/at/all")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"


def test_back_shows_nothing_of_ones_own_after_logging_out(
    client: Client, browser: Client, make_repo: Callable[..., object]
) -> None:
    make_repo("ada/hidden", {"README.md": b"# Hidden\n"}, private=True)
    make_repo("ada/shown", {"README.md": b"# Shown\n"})
    own = ("/", "/ada", "/jobs", "/notifications", "/settings", "/settings/tokens", "/ada/hidden/tree/main")
    for path in (*own, "/ada/hidden", "/ada/shown/settings", "/ada/shown/lineage"):
        assert "no-store" in browser.get(path)["Cache-Control"], path
    kept = ((browser, "/ada/shown"), (client, "/ada/shown"), (client, "/"), (client, "/ada/hidden"))
    for asker, path in kept:
        assert asker.get(path)["Cache-Control"] == "private, no-cache", path
