"""The gate: who may know, read, write, pull and manage."""

import pytest
from django.test import override_settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import Token
from hub.catalog import access, gating, repos
from hub.catalog.errors import AccessRestricted, BadRequest, NotAllowed, RepoDisabled, RepoNotFound
from hub.catalog.lookups import find_repo
from hub.catalog.models import AccessRequest, Repo, TokenScope
from hub.catalog.names import RepoName
from tests.factories import make_organization, make_repo, make_user, make_viewer, with_token

pytestmark = pytest.mark.django_db


def test_a_private_repo_is_seen_by_members_and_by_nobody_else() -> None:
    owner, stranger, staff = make_viewer(), make_viewer(), make_viewer(staff=True)
    repo = make_repo(owner, private=True)
    assert [access.may_read(viewer, repo) for viewer in (owner, staff, stranger, ANONYMOUS)] == [
        True,
        True,
        False,
        False,
    ]
    for viewer in (stranger, ANONYMOUS):
        assert repo not in access.visible_repos(viewer)
        with pytest.raises(RepoNotFound):
            find_repo(viewer, RepoName.parse("model", repo.full_name))
    assert repo in access.visible_repos(owner)


def test_roles_in_an_organization_include_the_ones_below() -> None:
    admin, writer, reader = make_viewer(), make_viewer(), make_viewer()
    assert admin.user
    assert writer.user
    assert reader.user
    make_organization("lab", admin=admin.user, write=writer.user, read=reader.user)
    repo = make_repo(admin, namespace="lab", private=True)
    everyone = (admin, writer, reader)
    assert [access.may_read(viewer, repo) for viewer in everyone] == [True, True, True]
    assert [access.may_write(viewer, repo) for viewer in everyone] == [True, True, False]
    assert [access.may_administer(viewer, repo) for viewer in everyone] == [True, False, False]
    with pytest.raises(NotAllowed):
        access.require_administer(writer, repo)
    own = make_repo(writer, namespace="lab")
    assert access.may_administer(writer, own)
    with pytest.raises(NotAllowed):
        make_repo(reader, namespace="lab")


def test_a_read_token_cannot_write_whatever_its_user_may() -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    assert owner.user
    reading, _ = with_token(owner.user, Token.Kind.READ)
    assert access.may_read(reading, repo)
    assert not access.may_write(reading, repo)
    with pytest.raises(NotAllowed):
        make_repo(reading)


def _narrow(viewer: Viewer, **scope: object) -> Viewer:
    assert viewer.user
    narrowed, _ = with_token(viewer.user, Token.Kind.FINE_GRAINED)
    assert narrowed.token
    if scope:
        TokenScope.objects.create(token=narrowed.token, **scope)
    return narrowed


def test_a_fine_grained_token_opens_only_what_it_names() -> None:
    owner = make_viewer()
    named, other, public = make_repo(owner, private=True), make_repo(owner, private=True), make_repo(owner)
    viewer = _narrow(owner, repo=named, permission="read")
    assert access.may_read(viewer, named)
    assert not access.may_write(viewer, named)
    assert not access.may_read(viewer, other)
    assert access.may_read(viewer, public)
    assert not access.may_write(viewer, public)
    assert set(access.visible_repos(viewer)) == {named, public}


def test_a_fine_grained_token_for_a_namespace_may_create_there() -> None:
    owner = make_viewer()
    namespace = make_repo(owner).namespace
    assert make_repo(_narrow(owner, namespace=namespace, permission="write")).namespace == namespace
    with pytest.raises(NotAllowed):
        make_repo(_narrow(owner, namespace=namespace, permission="read"))
    with pytest.raises(NotAllowed):
        make_repo(_narrow(owner))


def test_a_scope_does_not_outlive_the_membership_of_its_user() -> None:
    admin, member = make_viewer(), make_viewer()
    assert admin.user
    assert member.user
    lab = make_organization("lab", admin=admin.user, write=member.user)
    repo = make_repo(admin, namespace="lab", private=True)
    viewer = _narrow(member, repo=repo, permission="write")
    assert access.may_write(viewer, repo)
    lab.memberships.filter(user=member.user).delete()
    assert not access.may_read(viewer, repo)
    assert not access.may_write(viewer, repo)


def test_a_gated_repo_is_pulled_by_members_and_by_whom_the_owner_let_in() -> None:
    owner, asker, granted = make_viewer(), make_viewer(), make_viewer()
    repo = repos.change_settings(owner, make_repo(owner), gated="manual")
    assert access.may_pull(owner, repo).allowed
    for viewer in (asker, granted, ANONYMOUS):
        with pytest.raises(AccessRestricted, match="restricted and you are not in the authorized list"):
            access.require_pull(viewer, repo)
    assert gating.ask_access(asker, repo).state == AccessRequest.State.PENDING
    assert not access.may_pull(asker, repo).allowed
    assert asker.user
    assert granted.user
    gating.handle(owner, repo, state="accepted", user=asker.user.username)
    gating.grant(owner, repo, user=granted.user.username)
    assert access.may_pull(asker, repo).allowed
    assert access.may_pull(granted, repo).allowed
    gating.handle(owner, repo, state="rejected", user=asker.user.username)
    assert not access.may_pull(asker, repo).allowed


def test_an_automatic_gate_opens_when_asked() -> None:
    owner, asker = make_viewer(), make_viewer()
    repo = repos.change_settings(owner, make_repo(owner), gated="auto")
    assert not access.may_pull(asker, repo).allowed
    gating.ask_access(asker, repo)
    assert access.may_pull(asker, repo).allowed


def test_handling_a_request_twice_or_one_that_is_not_there_is_an_error() -> None:
    owner, asker = make_viewer(), make_viewer()
    repo = repos.change_settings(owner, make_repo(owner), gated="manual")
    assert asker.user
    with pytest.raises(BadRequest, match="no such"):
        gating.handle(owner, repo, state="accepted", user=asker.user.username)
    gating.ask_access(asker, repo)
    gating.handle(owner, repo, state="accepted", user=asker.user.username)
    with pytest.raises(BadRequest, match="already"):
        gating.handle(owner, repo, state="accepted", user=asker.user.username)
    with pytest.raises(BadRequest, match="access already"):
        gating.grant(owner, repo, user=asker.user.username)
    with pytest.raises(BadRequest, match="does not exist"):
        gating.grant(owner, repo, user="nobody")


def test_a_narrowed_token_does_not_inherit_a_gated_pull() -> None:
    owner = make_viewer()
    repo = repos.change_settings(owner, make_repo(owner), gated="manual")
    assert not access.may_pull(_narrow(owner), repo).allowed
    assert access.may_pull(_narrow(owner, repo=repo, permission="read"), repo).allowed


def test_a_disabled_repo_gives_nobody_bytes() -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    Repo.objects.filter(pk=repo.pk).update(disabled=True)
    repo.refresh_from_db()
    with pytest.raises(RepoDisabled, match=r"^Access to this resource is disabled\.$"):
        access.require_pull(owner, repo)


@override_settings(HUB_ANONYMOUS="none")
def test_a_closed_hub_shows_strangers_nothing() -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    assert not access.may_read(ANONYMOUS, repo)
    assert not access.visible_repos(ANONYMOUS)
    assert access.may_read(Viewer(user=make_user()), repo)


def test_who_converts_must_be_allowed_to_pull_and_to_write() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo = make_repo(owner)
    assert access.may_convert(owner, repo).allowed
    assert not access.may_convert(stranger, repo).allowed
