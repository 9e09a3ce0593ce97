"""What the gate and the administration pages write into the audit chain."""

import pytest
from django.test import Client

from hub.accounts.models import User
from hub.audit import acts, chain, erasing
from hub.audit.models import Entry, Personal
from hub.catalog import auditing, gating, repos
from hub.catalog.models import Repo
from tests.factories import make_repo, make_user, make_viewer

pytestmark = pytest.mark.django_db


def told(act: str) -> list[tuple[str, dict[str, object]]]:
    chain.settle()
    return [(entry.actor, entry.data) for entry in Entry.objects.filter(act=act).order_by("seq")]


def test_who_was_let_in_by_whom_is_written_down_and_can_be_erased() -> None:
    owner, asker = make_viewer(), make_viewer("quill")
    assert owner.user is not None
    assert asker.user is not None
    repo = repos.change_settings(owner, make_repo(owner), gated="manual")
    request = gating.ask_access(asker, repo)
    gating.handle(owner, repo, state="accepted", user="quill")
    gating.handle(owner, repo, state="rejected", user="quill", reason="left the team")
    data = {"granted": False, "request": request.pk}
    by = str(owner.user.pk)
    assert told(acts.ACCESS_DECIDED) == [
        (by, {"state": "accepted", **data}),
        (by, {"state": "rejected", **data}),
    ]
    assert not Entry.objects.filter(data__icontains="quill").exists()
    assert Personal.objects.get(data__reason="left the team").person == asker.user.pk
    assert erasing.erase(asker.user.pk) == 2


def test_an_open_gate_is_on_the_word_of_nobody_but_who_asked() -> None:
    owner, asker = make_viewer(), make_viewer()
    assert asker.user is not None
    gating.ask_access(asker, repos.change_settings(owner, make_repo(owner), gated="auto"))
    assert [by for by, _ in told(acts.ACCESS_DECIDED)] == [str(asker.user.pk)]


def administration() -> tuple[User, Client]:
    boss = make_user(staff=True)
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    client = Client()
    client.force_login(User.objects.get(pk=boss.pk))
    return boss, client


def test_what_is_disabled_is_not_permitted() -> None:
    boss, client = administration()
    staff, repo = make_viewer(staff=True), make_repo(make_viewer())
    data = {"clearance": "clear"}
    chain.append(act=acts.CLEARANCE, actor=chain.policy("p"), subject=str(repo.pk), label="r", data=data)
    page = f"/-/admin/catalog/repo/{repo.pk}/change/"
    assert client.post(page, {"disabled": "on"}).status_code == 302
    assert told(acts.REPO_DISABLED) == [(str(boss.pk), {"disabled": True})]
    assert Repo.objects.get(pk=repo.pk).disabled
    assert not auditing.permitted(staff, None).exists()
    assert client.post(page, {}).status_code == 302
    chain.settle()
    assert auditing.permitted(staff, None).count() == 1
