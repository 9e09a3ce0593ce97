"""The chunk store under attack: rights that have ended, crowds, and checks that take long."""

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from pytest_django.fixtures import Settings

from hub.accounts.identity import Viewer
from hub.accounts.models import Membership
from hub.catalog import xet_pushes
from hub.catalog.models import Job, Repo, RepoBlob
from hub.wires.xet import reading, views
from storage import scrub
from storage.models import Recipe, Xorb
from storage.xet.shards import write_shard
from tests.factories import make_organization, make_repo, make_user, with_token
from tests.wires.conftest import Ask
from tests.wires.xet.cas import Cas, Goods, cas_for, pieces


@pytest.fixture
def cas(ask: Ask, repo: Repo, token: str) -> Cas:
    return cas_for(ask, repo.full_name, token)


def held(repo: Repo) -> set[str]:
    return set(RepoBlob.objects.filter(repo=repo).values_list("sha256", flat=True))


@contextmanager
def all_seats_taken() -> Iterator[None]:
    """Let others wait for proofs until nobody else may."""
    with ExitStack() as stack:
        others = itertools.count(-1, -1)
        while xet_pushes._WAITING.take(who := next(others)):
            stack.callback(xet_pushes._WAITING.leave, who)
        yield


def frames_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    return [json.loads(text) for text in b"".join(answer.streaming_content).splitlines()]


def test_a_token_ends_with_the_membership_that_it_was_made_for(ask: Ask) -> None:
    alice, carol = make_user(), make_user()
    make_organization("lab", admin=alice, write=carol)
    repo = make_repo(Viewer(user=alice), namespace="lab")
    cas = cas_for(ask, repo.full_name, with_token(carol)[1])
    goods = Goods.of(pieces(40))
    assert cas.send(goods).status_code == 200
    Membership.objects.filter(user=carol).delete()
    assert cas.register(goods)[0] == cas.send(goods).status_code == 403
    assert cas.known("ab" * 32).status_code == 403
    assert held(repo) == set()


def test_a_token_of_one_repo_gives_nothing_to_another(ask: Ask, cas: Cas, alice: Viewer, token: str) -> None:
    goods, private = Goods.of(pieces(41)), make_repo(alice, private=True)
    inside = cas_for(ask, private.full_name, token)
    inside.send(goods)
    assert inside.register(goods) == (200, "")
    assert held(private) == {goods.sha256}
    assert cas.plan(goods).status_code == 404
    # The file is Alice's own and in the same namespace, so naming it makes it a file of this repo too: of no other.
    assert cas.register(goods, xorbs=[]) == (200, "")
    assert cas.plan(goods).status_code == 200


def test_a_span_opens_no_xorb_that_was_stored_anew(cas: Cas) -> None:
    goods = Goods.of(pieces(42))
    cas.send(goods)
    cas.register(goods)
    with override_settings(HUB_DELIVERY="proxy"):
        url = cas.plan(goods).json()["xorbs"][goods.name][0]["url"]
        scrub.mark_xorb_damaged(Xorb.objects.get())
        wanted = {"HTTP_RANGE": f"bytes=0-{len(goods.stored) - 1}"}
        path = "/cas/span/" + url.rpartition("/")[2]
        assert cas.ask("GET", path, **wanted).status_code == 403
        cas.send(goods)
        assert Xorb.objects.get().state == "ok"
        assert cas.ask("GET", path, **wanted).status_code == 403
        # Nobody is sent to look at a xorb because of an old address.
        assert not Job.objects.filter(kind="check-xorb").exists()
        fresh = cas.plan(goods).json()["xorbs"][goods.name][0]["url"]
        assert cas.ask("GET", "/cas/span/" + fresh.rpartition("/")[2], **wanted).status_code == 206


def test_one_user_has_so_many_proofs_open_and_no_more(cas: Cas, alice: Viewer, repo: Repo) -> None:
    goods = Goods.of(pieces(43))
    cas.send(goods)
    assert alice.user is not None
    for number in range(xet_pushes.MOST_OPEN):
        Job.objects.create(
            kind="prove-chunks", subject=str(number), repo=repo, payload={"user": alice.user.pk},
            state="running", lease_until="2999-01-01T00:00Z",
        )  # fmt: skip
    shard = write_shard([goods.file], [goods.xorb])
    for version in ("v1", "v2"):
        answer = cas.call("POST", f"{version}/shards", shard)
        assert (answer.status_code, answer["Retry-After"]) == (429, "5")
    assert not Recipe.objects.exists()
    Job.objects.filter(subject="3").delete()
    assert cas.register(goods) == (200, "")


def test_one_user_has_so_many_bytes_under_proof_and_no_more(
    cas: Cas, alice: Viewer, repo: Repo, settings: Settings
) -> None:
    goods = Goods.of(pieces(49))
    cas.send(goods)
    assert alice.user is not None
    settings.HUB_MAX_FILE_BYTES = sum(term.unpacked for term in goods.file.terms) + 10
    waiting = Job.objects.create(
        kind="prove-chunks", subject="1", repo=repo, payload={"user": alice.user.pk, "bytes": 11},
        state="running", lease_until="2999-01-01T00:00Z",
    )  # fmt: skip
    assert cas.call("POST", "v2/shards", write_shard([goods.file], [goods.xorb])).status_code == 429
    waiting.payload["bytes"] = 10
    waiting.save()
    assert cas.register(goods) == (200, "")


def test_a_xorb_that_is_listed_twice_is_refused(cas: Cas) -> None:
    goods = Goods.of(pieces(50))
    cas.send(goods)
    answer = cas.call("POST", "v2/shards", write_shard([goods.file], [goods.xorb, goods.xorb]))
    assert answer.status_code == 400
    assert not Recipe.objects.exists()


def test_who_cannot_wait_is_told_to_come_again_while_the_proof_goes_on(cas: Cas, repo: Repo) -> None:
    goods, other = Goods.of(pieces(44)), Goods.of(pieces(45))
    for item in (goods, other):
        cas.send(item)
    with all_seats_taken():
        (frame,) = frames_of(cas.call("POST", "v2/shards", write_shard([goods.file], [goods.xorb])))
        assert (frame["type"], frame["retryable"]) == ("error", True)
        answer = cas.call("POST", "v1/shards", write_shard([other.file], [other.xorb]))
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert cas.register(goods, other) == (200, "")
    assert held(repo) == {goods.sha256, other.sha256}


def test_shards_beyond_what_memory_allows_are_told_to_come_again(
    cas: Cas, monkeypatch: pytest.MonkeyPatch
) -> None:
    goods = Goods.of(pieces(46))
    cas.send(goods)
    monkeypatch.setattr(xet_pushes, "CHECK_PATIENCE", 0.01)
    turn = xet_pushes._CHECKING.turn
    with turn("one", patience=0), turn("another", patience=0):
        assert cas.register(goods)[0] == 503
    # Whatever becomes of a shard, its place is free again.
    for _ in range(5):
        assert cas.call("POST", "v2/shards", b"no shard").status_code == 400
        assert cas.register(goods.saying(hash=b"\7" * 32))[0] == 400
        assert cas.register(goods) == (200, "")


def test_a_long_check_is_answered_by_a_stream(cas: Cas, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    goods, lie = Goods.of(pieces(47)), Goods.of(pieces(48))
    for item in (goods, lie):
        cas.send(item)
    monkeypatch.setattr(views, "ANSWER_SECONDS", -1.0)
    monkeypatch.setattr(views, "BEAT_SECONDS", -1.0)
    told = frames_of(cas.call("POST", "v2/shards", write_shard([goods.file], [goods.xorb])))
    assert [frame["type"] for frame in told[:2]] == ["validating", "validating"]
    assert told[-1] == {"type": "result"}
    assert held(repo) == {goods.sha256}
    false = lie.saying(hash=b"\7" * 32)
    told = frames_of(cas.call("POST", "v2/shards", write_shard([false.file], [false.xorb])))
    assert (told[-1]["type"], told[-1]["retryable"]) == ("error", False)
    assert "does not have the hash" in told[-1]["message"]
    assert Recipe.objects.count() == 1


def test_a_stream_that_nobody_reads_gives_its_place_back(cas: Cas, monkeypatch: pytest.MonkeyPatch) -> None:
    goods = Goods.of(pieces(49))
    cas.send(goods)
    monkeypatch.setattr(views, "ANSWER_SECONDS", -1.0)
    for _ in range(4):
        cas.call("POST", "v2/shards", write_shard([goods.file], [goods.xorb])).close()
    assert not Recipe.objects.exists()
    assert cas.register(goods) == (200, "")


def test_a_database_that_gives_up_is_trouble_that_passes() -> None:
    def handler(request: HttpRequest) -> HttpResponse:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 10")
            cursor.execute("SELECT pg_sleep(5)")
        return HttpResponse()

    answer = reading.door(GET=handler)(RequestFactory().get("/"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_store_that_is_away_takes_no_xorb(cas: Cas, settings: Any) -> None:
    goods, place = Goods.of(pieces(50)), settings.HUB_S3
    settings.HUB_S3 = {**place, "endpoint": "http://127.0.0.1:9"}
    assert cas.send(goods).status_code == 503
    assert not Xorb.objects.exists()
    settings.HUB_S3 = place
    assert cas.send(goods).json() == {"was_inserted": True}
