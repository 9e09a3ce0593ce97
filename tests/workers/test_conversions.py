"""Who may have quantizations made, of what and where to, and how what is made follows its source."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from hub.accounts.identity import Viewer
from hub.accounts.models import Token
from hub.catalog import access, gating, ggufnames, landing, repos, usage, worklists
from hub.catalog.errors import BadRequest, NameTaken, NoRoom, NotAllowed, OverQuota, TooManyAtOnce
from hub.catalog.models import Job, Quota, Repo, RepoBlob, TokenScope
from tests.factories import at, make_repo, make_viewer, push_large, with_token
from tests.workers.making import MODEL, ask, done, interrupted
from tests.workers.quantizing.small import model_bytes
from workers import runs, scratch
from workers.quantizing.types import FILE_TYPES

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_type_offered_is_one_that_the_worker_makes() -> None:
    assert set(ggufnames.TYPES) | set(ggufnames.TYPES_BY_MATRIX) == set(FILE_TYPES)


def test_what_cannot_be_quantized_is_said_before_anything_begins(viewer: Viewer, repo: Repo) -> None:
    with pytest.raises(BadRequest, match="'Q9_X' is no type made here"):
        ask(viewer, repo, "Q9_X")
    done(ask(viewer, repo, "Q8_0"))
    made = Repo.objects.get(key="ada/ships-gguf")
    with pytest.raises(BadRequest, match="quantized already"):
        ask(viewer, made, "Q4_0")
    with pytest.raises(BadRequest, match="no GGUF file"):
        ask(viewer, repo, "Q4_0", source="README.md")
    push_large(viewer, repo, "second-F16.gguf", model_bytes(kind=1))
    with pytest.raises(BadRequest, match=r"name one of second-F16\.gguf, ships-BF16\.gguf"):
        ask(viewer, repo, "Q4_0")
    push_large(viewer, repo, "cut.gguf", MODEL[:-64])
    with pytest.raises(BadRequest, match="it is broken"):
        ask(viewer, repo, "Q4_0", source="cut.gguf")
    push_large(viewer, repo, "half-00001-of-00002.gguf", MODEL + bytes(32))
    with pytest.raises(BadRequest, match="1 of its 2 shards"):
        ask(viewer, repo, "Q4_0", source="half-00001-of-00002.gguf")


def test_a_long_name_is_refused_with_advice_and_another_one_is_taken(viewer: Viewer) -> None:
    repo = make_repo(viewer, "s" * 94)
    push_large(viewer, repo, "m.gguf", MODEL)
    with pytest.raises(BadRequest, match=r"target: .* 99 characters.*such as"):
        ask(viewer, repo)
    with pytest.raises(BadRequest, match="must lie beside its source"):
        ask(viewer, repo, target="other/short")
    assert done(ask(viewer, repo, target="short")).state == Job.State.DONE
    assert Repo.objects.get(key="ada/short").source_id == repo.pk


def test_a_repo_made_by_hand_is_never_written_to(viewer: Viewer, repo: Repo) -> None:
    by_hand = make_repo(viewer, "ships-GGUF")
    with pytest.raises(NameTaken, match="was not made from ada/ships"):
        ask(viewer, repo)
    repos.move_repo(viewer, by_hand, to=landing.target_name(repo, "elsewhere"))
    job = ask(viewer, repo)
    taken = make_repo(viewer, "ships-GGUF")
    head = at(taken).commit
    assert done(job).state == Job.State.FAILED
    assert "was not made from" in job.error
    assert at(taken).commit == head


def test_too_little_disk_is_said_at_once(viewer: Viewer, repo: Repo, settings: Settings) -> None:
    settings.HUB_CONVERT_DISK = 10**18
    with pytest.raises(NoRoom, match="GB of free disk"):
        ask(viewer, repo)


def test_what_a_namespace_has_no_room_for_is_not_begun_and_never_lands(viewer: Viewer, repo: Repo) -> None:
    job = ask(viewer, repo, "Q8_0")
    held = usage.of(repo.namespace_id)
    Quota.objects.create(namespace=repo.namespace, bound=held + 1)
    with pytest.raises(OverQuota, match="ada may hold"):
        ask(viewer, repo, "Q4_0")
    assert done(job).state == Job.State.FAILED
    assert "ask an administrator" in job.error
    with pytest.raises(OverQuota):
        worklists.repeat(viewer, job)
    Quota.objects.update(bound=0)
    again = worklists.repeat(viewer, job)
    assert (again.state, again.payload) == (Job.State.WAITING, job.payload)
    assert again.pk != job.pk
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()


def test_the_same_wish_twice_is_one_job_and_a_user_has_only_so_many(viewer: Viewer, repo: Repo) -> None:
    first = ask(viewer, repo, "Q8_0", "Q4_0")
    assert ask(viewer, repo, "Q4_0", "Q8_0").pk == first.pk
    ask(viewer, repo, "Q5_0")
    with pytest.raises(TooManyAtOnce):
        ask(viewer, repo, "Q6_K")
    assert ask(viewer, repo, "Q8_0", "Q4_0").pk == first.pk


def test_only_who_may_write_and_pull_has_quantizations_made(viewer: Viewer, repo: Repo) -> None:
    assert viewer.user is not None
    other, (narrow, _) = make_viewer(), with_token(viewer.user, Token.Kind.FINE_GRAINED)
    assert narrow.token is not None
    TokenScope.objects.create(token=narrow.token, repo=repo, permission="write")
    with pytest.raises(NotAllowed):
        ask(other, repo)
    with pytest.raises(NotAllowed):
        ask(with_token(viewer.user, Token.Kind.READ)[0], repo)
    with pytest.raises(NotAllowed, match="create a repository"):
        ask(narrow, repo)


def test_rights_lost_while_it_is_made_end_it(viewer: Viewer, repo: Repo) -> None:
    assert viewer.user is not None
    with_it, _ = with_token(viewer.user)
    job = ask(with_it, repo)
    assert with_it.token is not None
    with_it.token.delete()
    assert done(job).state == Job.State.FAILED
    assert "no longer valid" in job.error
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()


def test_what_is_made_follows_its_source(viewer: Viewer, repo: Repo) -> None:
    stranger = make_viewer()
    repos.change_settings(viewer, repo, private=True)
    done(ask(viewer, repo, "Q8_0"))
    made = Repo.objects.get(key="ada/ships-gguf")
    assert made.private
    assert not access.may_read(stranger, made)
    repos.change_settings(viewer, repo, private=False, gated="manual")
    made.refresh_from_db()
    assert (made.private, made.gated, access.may_pull(stranger, made).allowed) == (False, "manual", False)
    assert stranger.user is not None
    gating.ask_access(stranger, made)
    gating.handle(viewer, repo, state="accepted", user=stranger.user.username)
    assert access.may_pull(stranger, made).allowed
    with pytest.raises(BadRequest, match="follows ada/ships"):
        repos.change_settings(viewer, made, gated="")
    repos.disable(repo, disabled=True)
    made.refresh_from_db()
    assert access.may_pull(viewer, made).reason == "disabled"
    repos.delete_repo(viewer, repo)
    assert not Repo.objects.filter(key__in=["ada/ships", "ada/ships-gguf"]).exists()
    assert not RepoBlob.objects.filter(repo=made.pk).exists()


def test_a_source_hidden_while_it_is_made_hides_what_is_made(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(viewer, repo)
    interrupted(monkeypatch, lambda task: repos.change_settings(viewer, repo, private=True))
    runs.run(job.pk)
    assert Repo.objects.get(key="ada/ships-gguf").private


def test_a_source_deleted_while_it_is_made_ends_it(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(viewer, repo)
    interrupted(monkeypatch, lambda task: repos.delete_repo(viewer, repo))
    runs.run(job.pk)
    assert not Job.objects.filter(pk=job.pk).exists()
    assert not Repo.objects.exists()
    assert not list(scratch.root().iterdir())


def test_an_administrator_who_holds_a_repo_holds_what_was_made_from_it(
    viewer: Viewer, repo: Repo, client: Client
) -> None:
    done(ask(viewer, repo, "Q8_0"))
    staff = make_viewer(staff=True).user
    assert staff is not None
    staff.is_superuser = True
    staff.save()
    client.force_login(staff)
    page = f"/-/admin/catalog/repo/{repo.pk}/change/"
    assert client.post(page, {"disabled": "on"}).status_code == 302
    made = Repo.objects.get(key="ada/ships-gguf")
    assert access.may_pull(viewer, made).reason == "disabled"
    assert client.post(page, {}).status_code == 302
    made.refresh_from_db()
    assert access.may_pull(viewer, made).allowed
