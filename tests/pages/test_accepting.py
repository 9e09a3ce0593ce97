"""Accepting terms in the browser: the exact texts, a form, being back where one was, and taking it back."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import chain
from hub.catalog import access, clearances
from hub.catalog.models import Repo
from licenses.models import Acceptance, Case
from tests.factories import push
from tests.pages.kit import logged_in, text_of, words_of
from tests.terms.kit import BASE, again, card, case_of, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]
PAGE = "/ada/Llama-Chat/license/accept"
ASKS = """extra_gated_fields:
  Company: text
  I am of age: checkbox
  Purpose:
    type: select
    options: [study, work]"""


def released(viewer: Viewer, *, more: str = "") -> Repo:
    """A fine-tune of Llama that a reviewer has approved."""
    files = llama_files() | {
        "README.md": card("llama3.1", base=BASE, body="Built with Llama. Fine-tuned.\n", more=more)
    }
    repo = model(viewer, "Llama-Chat", files)
    case = case_of(repo)
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVED)
    case.refresh_from_db()
    with transaction.atomic():
        locked = clearances.lock(str(repo.pk))
        assert locked is not None
        clearances.write(locked, case, by=chain.system("test"))
    return Repo.objects.get(pk=repo.pk)


def form_of(client: Client, answers: dict[str, str] | None = None, **more: Any) -> dict[str, str]:
    """Fill in the form as it is shown."""
    need = client.get(PAGE).context["need"]
    filled = {f"field-{at}": (answers or {}).get(one["name"], "") for at, one in enumerate(need.asked)}
    return {"key": need.key, "shown": need.shown, "agree": "yes", "for": "", **filled, **more}


def test_a_reader_is_led_to_the_exact_texts_accepts_and_is_back(ada: User, bob: User) -> None:
    repo = released(Viewer(user=ada))
    reader = logged_in(bob)
    assert "needed before you pull" in words_of(reader.get("/ada/Llama-Chat/license"))
    assert access.may_pull(Viewer(user=bob), repo).reason == "terms"
    leading = text_of(reader.get("/ada/Llama-Chat/tree/main"))
    assert f"{PAGE}?next=%2Fada%2FLlama-Chat%2Ftree%2Fmain" in leading
    page = text_of(reader.get(PAGE))
    for document in repo_documents(repo):
        assert document["sha256"] in page
    assert "Llama 3.1 Community License Agreement".upper() in page.upper()
    done = reader.post(PAGE, form_of(reader, next="/ada/Llama-Chat/tree/main"))
    assert (done.status_code, done.headers["Location"]) == (302, "/ada/Llama-Chat/tree/main")
    assert access.may_pull(Viewer(user=bob), repo).allowed
    assert "Your acceptance" in words_of(reader.get("/ada/Llama-Chat/license"))
    row = Acceptance.objects.get(user=bob)
    assert (row.method, row.address) == ("click", "127.0.0.1")
    listed = words_of(reader.get("/settings/agreements"))
    assert "ada/Llama-Chat" in listed and "valid" in listed
    reader.post(f"/settings/agreements/{row.pk}/withdraw")
    assert not access.may_pull(Viewer(user=bob), repo).allowed
    assert "taken back" in words_of(reader.get("/settings/agreements"))


def repo_documents(repo: Repo) -> list[dict[str, str]]:
    found: list[dict[str, str]] = case_of(repo).consent
    assert found
    return found


def test_what_is_asked_has_to_be_answered_and_other_texts_are_not_accepted(ada: User, bob: User) -> None:
    repo = released(Viewer(user=ada), more=ASKS)
    reader = logged_in(bob)
    filled = {"Company": "Quay Ltd", "I am of age": "on", "Purpose": "study"}
    refused = reader.post(PAGE, form_of(reader, filled | {"Purpose": "war"}))
    assert refused.status_code == 400 and "choose one of study, work" in words_of(refused)
    assert 'value="Quay Ltd"' in text_of(refused)
    assert reader.post(PAGE, form_of(reader, filled, agree="")).status_code == 400
    stale = form_of(reader, filled) | {"shown": "0" * 64}
    told = reader.post(PAGE, stale)
    assert told.status_code == 409, told.context["error"]
    assert not Acceptance.objects.exists()
    away = reader.post(PAGE, form_of(reader, filled, next="https://evil.example/x"))
    assert away.headers["Location"] == "/ada/Llama-Chat"
    assert Acceptance.objects.get().fields["Company"] == "Quay Ltd"
    assert access.may_pull(Viewer(user=bob), repo).allowed


def test_an_officer_accepts_for_all_members_and_others_cannot(ada: User, bob: User, lab: User) -> None:
    repo = released(Viewer(user=ada))
    officer, member = logged_in(lab), logged_in(bob)
    assert member.post(PAGE, form_of(member, None, **{"for": "lab", "officer": "clerk"})).status_code == 400
    assert officer.post(PAGE, form_of(officer, None, **{"for": "lab"})).status_code == 400
    done = officer.post(PAGE, form_of(officer, None, **{"for": "lab", "officer": "harbour master"}))
    assert done.status_code == 302
    assert access.may_pull(Viewer(user=bob), repo).allowed
    listed = text_of(member.get("/settings/agreements"))
    assert "harbour master" in listed and "Take back" not in listed.split("<tbody>")[1]


def test_strangers_read_the_texts_and_are_sent_to_log_in(client: Client, ada: User) -> None:
    released(Viewer(user=ada))
    page = text_of(client.get(PAGE))
    assert "Log in" in page and "<form method" not in page.split("<main")[1]
    assert client.post(PAGE, {"agree": "yes"}).headers["Location"].startswith("/login")
    assert client.get("/settings/agreements").status_code == 302


def test_a_private_repo_and_one_that_asks_nothing(client: Client, ada: User, settings: Settings) -> None:
    model(Viewer(user=ada), "secret", llama_files(), private=True)
    assert client.get("/ada/secret/license/accept").status_code == 404
    repo = model(Viewer(user=ada), "plain", {"README.md": card("mit")})
    assert "Nobody is asked" in words_of(client.get("/ada/plain/license/accept"))
    push(Viewer(user=ada), repo, {"README.md": card("llama3.1", base=BASE)})
    again(repo)
    assert "It is held" in words_of(client.get("/ada/plain/license/accept"))
