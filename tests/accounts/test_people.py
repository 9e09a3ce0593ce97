"""Users, organizations, namespaces, invitations and `manage.py ensure_user`."""

import io

import pytest
from django.core.management import CommandError, call_command

from hub.accounts.models import Membership, Namespace, Token, User
from hub.accounts.people import (
    BadInvite,
    NameTaken,
    create_organization,
    create_user,
    delete_namespace,
    find_namespace,
    make_invite,
    rename_namespace,
    use_invite,
)
from hub.accounts.tokens import digest_of, find_token
from hub.audit import acts
from hub.audit.models import Entry

pytestmark = pytest.mark.django_db


def test_a_name_is_taken_in_any_case_by_users_and_organizations_alike() -> None:
    create_user(name="Ada")
    with pytest.raises(NameTaken):
        create_user(name="ada")
    with pytest.raises(NameTaken):
        create_organization(name="ADA", admin=None)


def test_the_name_of_a_deleted_namespace_needs_an_administrator() -> None:
    create_user(name="ada")
    namespace = find_namespace("ada")
    assert namespace is not None
    delete_namespace(namespace)
    with pytest.raises(NameTaken, match="administrator"):
        create_user(name="Ada")
    assert create_user(name="Ada", by_admin=True).username == "Ada"


def test_a_renamed_namespace_keeps_its_old_name_for_itself() -> None:
    create_user(name="ada")
    namespace = find_namespace("ada")
    assert namespace is not None
    rename_namespace(namespace=namespace, name="lovelace")
    assert User.objects.get(username="lovelace").namespace == namespace
    with pytest.raises(NameTaken):
        create_user(name="ada")
    assert rename_namespace(namespace=namespace, name="ada").key == "ada"
    with pytest.raises(NameTaken):
        create_organization(name="lovelace", admin=None)


def test_an_invitation_is_good_for_one_user() -> None:
    code = make_invite(by=None)
    use_invite(code=code, user=create_user(name="first"))
    with pytest.raises(BadInvite, match="already used"):
        use_invite(code=code, user=create_user(name="second"))


def test_an_expired_invitation_is_refused() -> None:
    code = make_invite(by=None, days=-1)
    with pytest.raises(BadInvite, match="expired"):
        use_invite(code=code, user=create_user(name="late"))


def _ensure(*words: str) -> str:
    out = io.StringIO()
    call_command("ensure_user", *words, stdout=out)
    return out.getvalue()


def test_ensure_user_is_idempotent_and_takes_names_and_tokens_as_they_are() -> None:
    words = [
        "__ROBOT__",
        "--token",
        "not-even-hf",
        "--org",
        "lab",
        "--org",
        "press",
        "--password",
        "correct horse",
    ]
    for _ in range(2):
        assert "__ROBOT__" in _ensure(*words)
    user = User.objects.get(username="__ROBOT__")
    assert user.check_password("correct horse")
    assert sorted(Membership.objects.filter(user=user).values_list("organization__name", "role")) == [
        ("lab", "admin"),
        ("press", "admin"),
    ]
    assert Token.objects.filter(user=user).count() == 1
    found = find_token("not-even-hf")
    assert found is not None
    assert found.user == user
    assert not user.is_staff
    for _ in range(2):
        _ensure("__ROBOT__", "--admin")
    assert User.objects.get(username="__ROBOT__").is_staff
    (entry,) = Entry.objects.all()
    assert (entry.act, entry.actor, entry.data["staff"]) == (acts.REVIEWER_CHANGED, "console", True)


def test_ensure_user_refuses_a_token_of_somebody_else_and_changes_nothing() -> None:
    _ensure("ada", "--token", "hf_shared")
    with pytest.raises(CommandError, match="another user"):
        _ensure("bob", "--token", "hf_shared")
    assert not Namespace.objects.filter(key="bob").exists()


def test_ensure_user_refuses_to_take_a_user_for_an_organization() -> None:
    _ensure("ada")
    with pytest.raises(CommandError, match="a user, not an organization"):
        _ensure("bob", "--org", "ada")


def test_only_the_hash_of_a_token_is_kept() -> None:
    _ensure("ada", "--token", "hf_" + "s" * 40)
    kept = Token.objects.values().get()
    assert "s" * 40 not in str(kept)
    assert kept["digest"] == digest_of("hf_" + "s" * 40)
