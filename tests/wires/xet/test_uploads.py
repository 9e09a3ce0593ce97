"""Nothing is taken in that is not exactly what it is called, and nothing is half registered."""

import hashlib
import json

import pytest

from hub.accounts.identity import Viewer
from hub.catalog.models import Repo, RepoBlob
from storage.models import Blob, Recipe, Xorb
from storage.xet.hashes import range_hash, to_text
from storage.xet.shards import Term, XorbEntry, write_shard
from tests.factories import make_repo
from tests.wires.conftest import Ask
from tests.wires.xet.cas import Cas, Goods, cas_for, pieces


@pytest.fixture
def cas(ask: Ask, repo: Repo, token: str) -> Cas:
    return cas_for(ask, repo.full_name, token)


def held(repo: Repo) -> set[str]:
    return set(RepoBlob.objects.filter(repo=repo).values_list("sha256", flat=True))


def test_a_file_is_the_repos_once_its_shard_is_answered(cas: Cas, repo: Repo) -> None:
    goods = Goods.of(pieces(1))
    assert cas.send(goods).json() == {"was_inserted": True}
    assert cas.send(goods).json() == {"was_inserted": False}
    assert held(repo) == set()
    assert cas.register(goods) == (200, "")
    claim = RepoBlob.objects.get(repo=repo)
    assert (claim.sha256, claim.state, claim.size) == (goods.sha256, "proven", len(goods.content))
    assert cas.register(goods) == (200, "")
    assert Recipe.objects.count() == Blob.objects.count() == 1
    assert Repo.objects.get(pk=repo.pk).used_storage == len(goods.content)


def test_the_older_way_to_register_says_whether_it_was_new(cas: Cas) -> None:
    goods = Goods.of(pieces(2))
    cas.send(goods)
    shard = write_shard([goods.file], [goods.xorb])
    answers = [cas.call("POST", "v1/shards", shard).json() for _ in range(2)]
    assert answers == [{"result": 1}, {"result": 0}]


def test_a_xorb_under_another_hash_is_refused(cas: Cas) -> None:
    goods, other = Goods.of(pieces(3)), Goods.of(pieces(4))
    answer = cas.send(goods, other.stored)
    assert (answer.status_code, "hash to" in answer.json()["error"]) == (400, True)
    assert not Xorb.objects.exists()


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 9, 1000, -1])
def test_a_truncated_xorb_is_refused(cas: Cas, cut: int) -> None:
    goods = Goods.of(pieces(5, count=1))
    assert cas.send(goods, goods.stored[:cut]).status_code == 400
    assert not Xorb.objects.exists()


def test_every_single_flipped_byte_of_a_small_xorb_is_refused(cas: Cas) -> None:
    goods = Goods.of((b"weigh house " * 12, b"x" * 50))
    for at in range(len(goods.stored)):
        spoiled = bytearray(goods.stored)
        spoiled[at] ^= 0x55
        assert cas.send(goods, bytes(spoiled)).status_code == 400, at
    assert not Xorb.objects.exists()


def test_what_is_too_large_is_refused_before_it_is_read(cas: Cas) -> None:
    goods = Goods.of(pieces(6))
    answer = cas.call("POST", f"v1/xorbs/default/{goods.name}", b"x", CONTENT_LENGTH=str(80 * 2**20))
    assert answer.status_code == 413


def _lies(goods: Goods) -> dict[str, Goods]:
    first, second = goods.file.terms
    ranges = goods.file.ranges
    assert ranges is not None
    beyond = Term(first.xorb, first.unpacked, 7, 8)
    swapped = [second, first]
    return {
        "range hash": goods.saying(ranges=[ranges[0], range_hash([b"\1" * 32])]),
        "no range hashes": goods.saying(ranges=None),
        "no sha256": goods.saying(sha256=None),
        "file hash": goods.saying(hash=b"\7" * 32),
        "past the end": goods.saying(terms=[beyond, second]),
        "length": goods.saying(terms=[Term(first.xorb, first.unpacked + 1, 0, 1), second]),
        "order": goods.saying(terms=swapped, ranges=[ranges[1], ranges[0]]),
        "unknown xorb": goods.saying(terms=[Term(b"\5" * 32, first.unpacked, 0, 1), second]),
        "no terms": goods.saying(terms=[], ranges=[]),
    }


@pytest.mark.parametrize("lie", list(_lies(Goods.of(pieces(8)))))
def test_a_shard_that_lies_registers_nothing(cas: Cas, repo: Repo, lie: str) -> None:
    goods, honest = Goods.of(pieces(8)), Goods.of(pieces(9))
    for item in (goods, honest):
        cas.send(item)
    status, problem = cas.register(honest, _lies(goods)[lie], xorbs=[goods.xorb])
    assert status == 400
    assert problem
    assert not Recipe.objects.exists()
    assert held(repo) == set()


def test_a_false_sha256_is_found_out_and_claims_nothing(cas: Cas, repo: Repo) -> None:
    goods, wanted = Goods.of(pieces(10)), hashlib.sha256(b"somebody else's").hexdigest()
    cas.send(goods)
    status, problem = cas.register(goods.saying(sha256=wanted))
    assert (status, "have the sha256" in problem) == (200, True)
    assert held(repo) == set()
    assert not Blob.objects.exists()
    assert not Recipe.objects.exists()
    # The truth is taken after the lie, and a lie after the truth is not.
    assert cas.register(goods) == (200, "")
    assert cas.register(goods.saying(sha256=wanted))[0] == 400


def test_a_shard_that_lists_other_chunks_of_a_xorb_is_refused(cas: Cas) -> None:
    goods = Goods.of(pieces(11))
    cas.send(goods)
    forged = XorbEntry(goods.xorb.hash, [(b"\3" * 32, 0, 20_000)], 20_000)
    assert cas.register(goods, xorbs=[forged])[0] == 400


def test_a_shard_cut_anywhere_is_refused(cas: Cas) -> None:
    goods = Goods.of(pieces(12, count=2, size=100))
    cas.send(goods)
    shard = write_shard([goods.file], [goods.xorb])
    # Seven has no factor in common with the lengths of entries, so every place in one is met.
    cuts = [*range(0, len(shard), 7), len(shard) - 1]
    assert {cas.call("POST", "v2/shards", shard[:cut]).status_code for cut in cuts} == {400}
    assert not Recipe.objects.exists()


def test_files_of_two_repos_may_share_chunks(
    ask: Ask, cas: Cas, alice: Viewer, repo: Repo, token: str
) -> None:
    goods = Goods.of(pieces(13))
    cas.send(goods)
    cas.register(goods)
    beside = make_repo(alice)
    # The client remembers what it sent to one repo of a namespace when it pushes to another.
    assert cas_for(ask, beside.full_name, token).register(goods, xorbs=[]) == (200, "")
    assert held(beside) == {goods.sha256}


def test_what_a_client_sends_beside_is_answered_as_it_expects(cas: Cas) -> None:
    grant = json.dumps({"length": 1}).encode()
    name = Goods.of(pieces(14)).name
    bare = [
        ("POST", f"v1/xorb-grants/default/{name}", grant),
        ("POST", f"v1/xorbs/default/{name}/more", b""),
        ("GET", f"v2/file-chunk-hashes/{name}", None),
        ("PUT", "v2/shards", b""),
        ("GET", "", None),
    ]
    for method, path, body in bare:
        answer = cas.call(method, path, body)
        assert (answer.status_code, answer.content) == (404, b""), path
    assert cas.call("POST", "v1/telemetry", b"{}").status_code == 200


def test_a_known_chunk_is_told_with_keyed_hashes(cas: Cas) -> None:
    goods = Goods.of(pieces(15))
    first = to_text(goods.xorb.chunks[0][0])
    assert cas.known(first).status_code == 404
    cas.send(goods)
    cas.register(goods)
    for prefix in ("default", "default-merkledb"):
        answer = cas.known(first, prefix)
        assert answer.status_code == 200
        assert goods.xorb.hash in answer.content
        assert not any(digest in answer.content for digest, _, _ in goods.xorb.chunks)
    assert cas.known("ab" * 32).status_code == 404
    assert cas.known("no hash").status_code == 400
