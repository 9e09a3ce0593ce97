"""How much a namespace may hold, asked wherever bytes come in."""

import hashlib
import threading

import pytest
from django.db import connection

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.catalog import pushes, quotas, repos, usage, xet_pushes, xet_tokens
from hub.catalog.duplicates import duplicate
from hub.catalog.errors import OverQuota
from hub.catalog.models import Notice, Quota
from hub.catalog.names import RepoName
from hub.catalog.preupload import Sample, advise
from storage.models import Recipe, RecipeXorb, Upload, Xorb
from tests.factories import at, make_organization, make_repo, make_user, make_viewer, push, push_large, send

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 2**20


def space_of(viewer: Viewer) -> Namespace:
    return Namespace.objects.get(user=viewer.user)


def bound(viewer: Viewer, size: int) -> Namespace:
    """Let a user hold so many bytes beside what they hold by now."""
    space = space_of(viewer)
    Quota.objects.update_or_create(namespace=space, defaults={"bound": usage.of(space.pk) + size})
    return space


def test_a_file_that_finds_no_room_is_refused_before_a_byte_of_it_is_taken() -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada)
    push_large(ada, repo, "a.bin", b"a" * 4000)
    space = bound(ada, 10_000)
    with pytest.raises(OverQuota, match=r"ada may hold .* and has no room for .* more.*ask an administrator"):
        pushes.offer(ada, repo, [("1" * 64, 6000), ("2" * 64, 6000)])
    assert not Upload.objects.filter(state=Upload.State.OPEN).exists()
    # What is announced keeps its room, and asks for none when it is announced again or is held already.
    pushes.offer(ada, repo, [("1" * 64, 6000)])
    pushes.offer(ada, repo, [("1" * 64, 6000), (hashlib.sha256(b"a" * 4000).hexdigest(), 4000)])
    with pytest.raises(OverQuota):
        pushes.offer(ada, make_repo(ada), [("2" * 64, 6000)])
    Upload.objects.all().delete()
    repos.delete_repo(ada, repo)
    assert usage.of(space.pk) < 4000
    send(ada, make_repo(ada), b"b" * 9000)


def test_two_pushes_at_once_never_get_the_same_room() -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada)
    bound(ada, 10_000)
    together, refused = threading.Barrier(4), []

    def announce(number: int) -> None:
        together.wait()
        try:
            pushes.offer(ada, repo, [(f"{number:064x}", 4000)])
        except OverQuota:
            refused.append(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=announce, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 2
    assert Upload.objects.filter(state=Upload.State.OPEN).count() == 2


def test_what_others_hold_costs_the_same_and_nothing_is_refused_without_a_bound() -> None:
    ada, bob = make_viewer("ada"), make_viewer("bob")
    shared = make_repo(ada, "ships")
    push_large(ada, shared, "a.bin", b"a" * 50_000)
    space = bound(bob, 40_000)
    mine = make_repo(bob)
    with pytest.raises(OverQuota):
        pushes.offer(bob, mine, [(hashlib.sha256(b"a" * 50_000).hexdigest(), 50_000)])
    with pytest.raises(OverQuota):
        pushes.copy_files(bob, shared, mine, [hashlib.sha256(b"a" * 50_000).hexdigest()])
    with pytest.raises(OverQuota):
        duplicate(bob, shared, to=RepoName.for_new("model", "bob", "copy"))
    assert usage.of(space.pk) < 40_000
    Quota.objects.update(bound=0)
    duplicate(bob, shared, to=RepoName.for_new("model", "bob", "copy"))
    duplicate(bob, shared, to=RepoName.for_new("model", "bob", "again"))
    # One namespace that holds a file twice holds it once.
    assert 50_000 < usage.of(space.pk) < 60_000
    assert usage.of_all()[space.pk] == usage.of(space.pk)


def test_a_repo_moves_only_to_where_there_is_room_for_it() -> None:
    user = make_user("ada")
    ada, lab = Viewer(user=user), make_organization("lab", admin=user)
    repo = make_repo(ada, "ships")
    push_large(ada, repo, "a.bin", b"a" * 50_000)
    Quota.objects.create(namespace=lab.namespace, bound=40_000)
    with pytest.raises(OverQuota, match="lab may hold"):
        repos.move_repo(ada, repo, to=RepoName.for_new("model", "lab", "ships"))
    repo.refresh_from_db()
    assert repo.full_name == "ada/ships"


def test_small_files_are_bounded_too_but_a_card_can_always_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada)
    bound(ada, 0)
    push(ada, repo, {"README.md": b"# Mended"})
    monkeypatch.setattr(quotas, "SPARE", 30_000)
    with pytest.raises(OverQuota):
        push(ada, repo, {"a.txt": b"a" * 20_000, "b.txt": b"b" * 20_000})
    push(ada, repo, {"README.md": None})


def test_advice_before_a_push_says_that_it_can_find_no_room() -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada)
    push_large(ada, repo, "a.bin", b"a" * 50_000)
    bound(ada, 10_000)
    with pytest.raises(OverQuota):
        advise(at(repo), [Sample("b.bin", 20_000, "AAAA")], None)
    # This may be the file that is held already, under another name.
    assert advise(at(repo), [Sample("b.bin", 50_000, "AAAA")], None)[0].large


def test_a_guest_sends_to_others_no_more_than_they_may_hold_themselves() -> None:
    ada, eve = make_viewer("ada"), make_viewer("eve")
    bound(eve, 10_000)
    pushes.offer(eve, make_repo(ada), [("1" * 64, 6000)])
    with pytest.raises(OverQuota, match="eve may hold"):
        pushes.offer(eve, make_repo(ada), [("2" * 64, 6000)])
    pushes.offer(ada, make_repo(ada), [("2" * 64, 6000)])


def _xorb(domain: str, size: int, name: str) -> Xorb:
    return Xorb.objects.create(
        domain=domain, hash=name * 64, key=name, raw_size=size, stored_size=size, index=b""
    )


def test_chunks_count_until_they_make_files_and_beyond_what_the_files_have() -> None:
    ada, eve = make_viewer("ada"), make_viewer("eve")
    repo = make_repo(ada)
    space, own = bound(ada, 100 * MIB), bound(eve, 10 * MIB)
    mine = xet_tokens.Caller(ada, repo, xet_tokens.WRITE, str(space.pk))
    guest = xet_tokens.Caller(eve, repo, xet_tokens.PROPOSE, str(own.pk))
    xet_pushes.require_room(mine, 60 * MIB)
    # A guest's chunks are theirs.
    with pytest.raises(OverQuota, match="eve may hold"):
        xet_pushes.require_room(guest, 60 * MIB)
    before = usage.of(space.pk)
    xorb = _xorb(str(space.pk), 60 * MIB, "a")
    assert usage.of(space.pk) == before + 60 * MIB
    with pytest.raises(OverQuota):
        xet_pushes.require_room(mine, 60 * MIB)
    # A tiny file that keeps a whole xorb costs the xorb.
    recipe = Recipe.objects.create(
        domain=str(space.pk), owner=str(repo.pk), file_hash="f" * 64, sha256="e" * 64, size=MIB, terms=b""
    )
    RecipeXorb.objects.create(recipe=recipe, xorb=xorb)
    assert usage.of(space.pk) == before + 60 * MIB
    Recipe.objects.filter(pk=recipe.pk).update(size=80 * MIB)
    assert usage.of(space.pk) == usage.of_all()[space.pk] == before + 80 * MIB


def test_who_keeps_a_namespace_is_warned_once_at_each_step() -> None:
    user = make_user("ada")
    ada, lab = Viewer(user=user), make_organization("lab", admin=user, read=make_user("bob"))
    repo = make_repo(ada, namespace="lab")
    Quota.objects.create(namespace=lab.namespace, bound=usage.of(lab.namespace.pk) + 100_000)
    for size, told in ((70_000, 0), (12_000, 1), (1, 1), (16_000, 2)):
        pushes.offer(ada, repo, [(f"{size:064x}", size)])
        quotas.count()
        assert Notice.objects.filter(kind="storage").count() == told
    assert set(Notice.objects.values_list("user__username", flat=True)) == {"ada"}
    assert "more than 95%" in Notice.objects.latest("pk").text
    Upload.objects.all().delete()
    quotas.count()
    assert Quota.objects.get(namespace=lab.namespace).told == 0
