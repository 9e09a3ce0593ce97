"""Xorbs that clients write to the store themselves: verified where nobody can write any more, for their domain only."""

import base64
import functools
import json
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from pytest_django.fixtures import Settings

from hub.catalog.models import Repo, RepoBlob
from hub.catalog.xet_grants import GrantTicket
from storage import s3, sweep
from storage.models import Xorb
from tests.factories import make_repo, make_user, make_viewer, with_token
from tests.storage.faults import relay_to
from tests.wires.conftest import Ask
from tests.wires.xet.cas import Cas, Goods, cas_for, pieces

_http = urllib3.PoolManager(retries=False)


@pytest.fixture(autouse=True)
def grants(settings: Settings) -> None:
    settings.HUB_XET_GRANTS = True


@pytest.fixture
def cas(ask: Ask, repo: Repo, token: str) -> Cas:
    return cas_for(ask, repo.full_name, token)


@functools.cache
def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x9A6C9329AC4BC9B5 if value & 1 else 0)
        table.append(value)
    return table


def crc64nvme(data: bytes) -> int:
    value, table = 2**64 - 1, _table()
    for byte in data:
        value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
    return value ^ (2**64 - 1)


def ask_grant(cas: Cas, goods: Goods, stored: bytes | None = None, **changes: Any) -> Any:
    data = goods.stored if stored is None else stored
    asked = {"length": len(data), "checksum": {"algo": "crc64nvme", "value": str(crc64nvme(data))}}
    return cas.call("POST", f"v1/xorb-grants/default/{goods.name}", json.dumps(asked | changes).encode())


def write(grant: dict[str, Any], data: bytes, **headers: str) -> int:
    sent = {**grant["headers"], "Content-Length": str(len(data)), **headers}
    return _http.request(grant["method"], grant["url"], body=data, headers=sent).status


def commit(cas: Cas, goods: Goods, ticket: str) -> Any:
    return cas.call("POST", f"v1/xorb-commits/default/{goods.name}/grant/{ticket}", b"")


def staged() -> set[str]:
    return {row.key for batch in s3.list_prefix("staging/") for row in batch}


def stored() -> set[str]:
    return {row.key for batch in s3.list_prefix("xorbs/") for row in batch}


def test_a_xorb_written_to_the_store_is_verified_and_kept(cas: Cas, repo: Repo) -> None:
    goods, before = Goods.of(pieces(31)), (staged(), stored())
    answer = ask_grant(cas, goods)
    assert answer.status_code == 201
    grant = answer.json()
    assert (grant["method"], list(grant["headers"])) == ("PUT", ["x-amz-checksum-crc64nvme"])
    assert write(grant, goods.stored) == 200
    assert commit(cas, goods, grant["id"]).json() == {"was_inserted": True}
    xorb = Xorb.objects.get()
    assert (staged(), stored() - before[1]) == (before[0], {xorb.key})
    assert s3.get_bytes(xorb.key) == goods.stored
    # Repeated, and asked for again, it is known.
    assert commit(cas, goods, grant["id"]).json() == {"was_inserted": False}
    assert ask_grant(cas, goods).status_code == 200
    assert cas.register(goods) == (200, "")
    assert RepoBlob.objects.get(repo=repo).sha256 == goods.sha256


def test_the_store_takes_only_the_bytes_that_were_announced(cas: Cas) -> None:
    goods = Goods.of(pieces(32))
    grant = ask_grant(cas, goods).json()
    spoiled = b"\1" + goods.stored[1:]
    assert write(grant, spoiled) == 400
    assert write(grant, goods.stored[:-1]) == 403
    other = base64.b64encode(crc64nvme(spoiled).to_bytes(8, "big")).decode()
    assert write(grant, spoiled, **{"x-amz-checksum-crc64nvme": other}) == 403
    assert commit(cas, goods, grant["id"]).status_code == 404


def test_bytes_that_are_not_the_xorb_are_refused_and_leave_nothing(cas: Cas) -> None:
    goods, other, before = Goods.of(pieces(33)), Goods.of(pieces(34)), (staged(), stored())
    for data in (other.stored, goods.stored[:-1], goods.stored + b"x" * 8, b"x"):
        grant = ask_grant(cas, goods, data).json()
        assert write(grant, data) == 200
        assert commit(cas, goods, grant["id"]).status_code == 400
    assert not Xorb.objects.exists()
    assert staged() <= before[0]
    assert stored() <= before[1]


def test_what_is_written_after_the_commit_is_never_served(cas: Cas) -> None:
    goods = Goods.of(pieces(35))
    grant = ask_grant(cas, goods).json()
    write(grant, goods.stored)
    commit(cas, goods, grant["id"])
    # The address still opens its staging key, which no row names.
    assert write(grant, goods.stored) == 200
    assert s3.get_bytes(Xorb.objects.get().key) == goods.stored
    assert not any(key in staged() for key in Xorb.objects.values_list("key", flat=True))
    lost = {key for batch in sweep.unlisted_keys(timedelta(0)) for key in batch}
    assert staged() <= lost


def test_a_grant_is_good_for_its_own_xorb_user_repo_and_domain_only(
    ask: Ask, cas: Cas, repo: Repo, token: str, foreign_token: str
) -> None:
    goods, other = Goods.of(pieces(36)), Goods.of(pieces(37))
    grant = ask_grant(cas, goods).json()
    write(grant, goods.stored)
    viewer, elsewhere = make_viewer("carol"), make_user("dave")
    theirs = make_repo(viewer)
    beside = cas_for(ask, repo.full_name, foreign_token, query="?create_pr=1")
    assert beside.place != cas.place
    assert viewer.user
    strangers = [
        beside,
        cas_for(ask, theirs.full_name, with_token(viewer.user)[1]),
        cas_for(ask, theirs.full_name, with_token(elsewhere)[1], query="?create_pr=1"),
    ]
    for stranger in strangers:
        assert commit(stranger, goods, grant["id"]).status_code == 404
    assert commit(cas, other, grant["id"]).status_code == 404
    assert commit(cas, goods, grant["id"][:-2]).status_code == 404
    assert commit(cas, goods, "nothing").status_code == 404
    assert commit(cas_for(ask, repo.full_name, token, "read"), goods, grant["id"]).status_code == 403
    assert commit(cas, goods, grant["id"]).json() == {"was_inserted": True}
    # What one domain has is nothing to another.
    assert ask_grant(beside, goods).status_code == 201


def test_a_grant_that_expired_or_was_not_used_asks_for_another(
    cas: Cas, monkeypatch: pytest.MonkeyPatch
) -> None:
    goods = Goods.of(pieces(38))
    grant = ask_grant(cas, goods).json()
    assert commit(cas, goods, grant["id"]).status_code == 404
    write(grant, goods.stored)
    monkeypatch.setattr(GrantTicket, "lifetime", -1)
    assert commit(cas, goods, grant["id"]).status_code == 404
    assert not Xorb.objects.exists()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"length": 0}, 400),
        ({"length": True}, 400),
        ({"length": "7"}, 400),
        ({"length": 80 * 2**20}, 413),
        ({"checksum": {"algo": "crc64nvme", "value": 5}}, 400),
        ({"checksum": {"algo": "crc64nvme", "value": str(2**64)}}, 400),
        ({"checksum": {"algo": "crc64nvme", "value": "-1"}}, 400),
        ({"checksum": {"algo": "md5", "value": "1"}}, 404),
        ({"checksum": None}, 404),
    ],
)
def test_what_is_asked_oddly_is_refused(cas: Cas, changes: dict[str, Any], status: int) -> None:
    assert ask_grant(cas, Goods.of(pieces(39)), **changes).status_code == status


def test_a_body_that_is_no_object_is_refused(cas: Cas) -> None:
    name = Goods.of(pieces(39)).name
    for body in (b"", b"[]", b"{", b"[" * 4000, b"x" * 5000):
        assert cas.call("POST", f"v1/xorb-grants/default/{name}", body).status_code in (400, 413)


@pytest.mark.parametrize(("name", "value"), [("HUB_XET_GRANTS", False), ("HUB_DELIVERY", "proxy")])
def test_where_grants_are_not_given_the_answer_is_bare(
    cas: Cas, settings: Settings, name: str, value: object
) -> None:
    goods = Goods.of(pieces(40))
    grant = ask_grant(cas, goods).json()
    write(grant, goods.stored)
    setattr(settings, name, value)
    for answer in (ask_grant(cas, goods), commit(cas, goods, grant["id"])):
        assert (answer.status_code, answer.content) == (404, b"")


def test_a_reader_and_a_stranger_get_no_grant(ask: Ask, repo: Repo, token: str, cas: Cas) -> None:
    goods = Goods.of(pieces(41))
    assert ask_grant(cas_for(ask, repo.full_name, token, "read"), goods).status_code == 403
    assert ask_grant(Cas(ask, cas.place, "nonsense"), goods).status_code == 401


def test_a_store_that_fails_at_the_commit_may_be_asked_again(cas: Cas, settings: Settings) -> None:
    goods = Goods.of(pieces(42))
    grant = ask_grant(cas, goods).json()
    write(grant, goods.stored)
    whole = settings.HUB_S3
    with relay_to(whole["endpoint"]) as relay:
        settings.HUB_S3 = {**whole, "endpoint": relay.endpoint}
        # The copy is made, and the hub never hears of it.
        relay.lose = b"x-amz-copy-source"
        assert commit(cas, goods, grant["id"]).status_code == 503
    settings.HUB_S3 = whole
    assert not Xorb.objects.exists()
    assert commit(cas, goods, grant["id"]).json() == {"was_inserted": True}
    lost = {key for batch in sweep.unlisted_keys(timedelta(0)) for key in batch}
    assert Xorb.objects.get().key not in lost
    assert stored() - {Xorb.objects.get().key} <= lost
