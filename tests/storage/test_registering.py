"""Shards made to cost much or to grant what is not theirs are refused, and what is taken is written down once."""

import threading
import tracemalloc
from typing import Any

import numpy
import pytest
from django.db import connection, transaction

from storage import chunks, recipes, recording, registering
from storage.models import Form, Recipe, RecipeXorb, Xorb
from storage.xet.errors import XetError
from storage.xet.hashes import file_hash_of, range_hash, to_text
from storage.xet.merkle import Tree
from storage.xet.shards import FileEntry, Shard, Term, XorbEntry, write_shard
from tests.storage.files import Pile, content_of, made_of, register
from tests.storage.helpers import ignore
from tests.storage.xet.samples import xorb_entry

pytestmark = pytest.mark.django_db(transaction=True)


def refused(*files: FileEntry, listed: tuple[XorbEntry, ...] = (), domain: str = "d") -> str:
    """Return why a shard is refused, having made sure that it left nothing."""
    before = Recipe.objects.count()
    with pytest.raises(XetError) as caught:
        register(files, listed, domain=domain)
    assert Recipe.objects.count() == before
    return str(caught.value)


def test_chunks_too_small_for_their_number_are_refused() -> None:
    pile = Pile.of(1, 64, 100)
    pile.keep()
    assert "64 chunks" in refused(made_of([(pile, 0, 64)]))
    # A few small ones are what a small file has.
    assert len(register([made_of([(pile, 0, 10)])])) == 1


def test_a_file_scattered_over_many_terms_is_refused() -> None:
    pile = Pile.of(2, 80)
    pile.keep()
    assert "too scattered" in refused(made_of([(pile, at, at + 1) for at in range(80)]))
    assert "too scattered" in refused(made_of([(pile, 7, 8)] * 100))


def test_more_files_or_chunks_than_one_shard_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pile = Pile.of(3, 20)
    pile.keep()
    files = [made_of([(pile, at, at + 1)]) for at in range(20)]
    monkeypatch.setattr(registering, "MAX_FILES", 19)
    assert "names 20 files" in refused(*files)
    assert "names 0 files" in refused()
    monkeypatch.setattr(registering, "MAX_CHUNKS", 18)
    assert "18 chunks" in refused(*files[:19])


def test_a_file_that_is_named_twice_is_written_once_and_has_one_sha256() -> None:
    pile = Pile.of(4, 4)
    pile.keep()
    whole, parts = made_of([(pile, 0, 4)]), made_of([(pile, 0, 1), (pile, 1, 4)])
    assert whole.hash == parts.hash
    assert len(register([whole, parts, whole])) == 1
    assert "two sha256" in refused(whole, made_of([(pile, 0, 4)], sha256="ab" * 32))


def test_terms_may_overlap_and_repeat() -> None:
    pile = Pile.of(5, 8)
    pile.keep()
    parts = [(pile, 0, 5), (pile, 3, 8), (pile, 0, 8), (pile, 0, 8)]
    (recipe,) = register([made_of(parts)])
    assert b"".join(chunks.read(recipe, 0, recipe.size)) == content_of(parts)
    assert RecipeXorb.objects.count() == 1


def test_a_guessed_xorb_of_another_domain_is_told_like_one_that_is_not_there() -> None:
    held, absent = Pile.of(6, 3), Pile.of(7, 3)
    held.keep(domain="theirs")
    told = {refused(made_of([(pile, 0, 3)])).replace(pile.name, "it") for pile in (held, absent)}
    told |= {
        refused(made_of([(pile, 0, 1)]), listed=(pile.entry,)).replace(pile.name, "it")
        for pile in (held, absent)
    }
    assert len(told) == 1


def test_a_range_hash_made_from_guesses_is_refused() -> None:
    pile = Pile.of(8, 3)
    pile.keep()
    honest = made_of([(pile, 0, 3)])
    for forged in (range_hash([pile.entry.hash]), bytes(32), honest.hash):
        lie = FileEntry(honest.hash, honest.terms, [forged], honest.sha256)
        assert "range hash" in refused(lie)


def test_each_domain_serves_the_encoding_that_it_was_sent() -> None:
    chunk = b"weigh house " * 500
    pile = Pile((chunk,), xorb_entry((chunk,)))
    length = len(chunk).to_bytes(3, "little")
    plain = b"\0" + length + b"\0" + length + chunk
    pile.keep(domain="first", data=plain)
    pile.keep(domain="second")
    sizes = dict(Xorb.objects.values_list("domain", "stored_size"))
    assert sizes["first"] > sizes["second"]
    for domain in ("first", "second"):
        (recipe,) = register([made_of([(pile, 0, 1)])], [pile.entry], domain=domain)
        assert set(RecipeXorb.objects.filter(recipe=recipe).values_list("xorb__domain", flat=True)) == {
            domain
        }
        assert b"".join(chunks.read(recipe, 0, recipe.size)) == pile.chunks[0]


def test_shards_with_the_same_files_in_another_order_never_wait_for_each_other() -> None:
    pile = Pile.of(10, 20)
    pile.keep()
    files = [made_of([(pile, at, at + 1)]) for at in range(20)]
    problems: list[BaseException] = []

    def send(some: list[FileEntry], owner: str) -> None:
        try:
            mine = register(some, [pile.entry], owner=owner)
            assert len(mine) == 20
            fresh = [recipe for recipe in mine if recipe.state == "proving"]
            with transaction.atomic():
                recipes.settle([(recipe, recipe.sha256) for recipe in fresh])
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    for turn in range(10):
        owners = ("a", "a") if turn % 2 else ("a", "b")
        threads = [
            threading.Thread(target=send, args=(some, owner))
            for some, owner in zip((files, files[::-1]), owners, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert Form.objects.count() == Recipe.objects.count() == 20
        Form.objects.all().delete()
        Recipe.objects.all().delete()


def _vast(count: int) -> tuple[Xorb, FileEntry]:
    """Return a xorb of which only the row is there, and a file that has all its chunks `count` times over."""
    rows = numpy.zeros(8192, dtype=[("hash", "V32"), ("raw", "<u4"), ("end", "<u4")])
    rows["hash"] = numpy.frombuffer(numpy.random.default_rng(1).bytes(8192 * 32), dtype="V32")
    rows["raw"], rows["end"] = 8192, numpy.arange(1, 8193) * 8200
    name = bytes(range(32))
    xorb = Xorb.objects.create(
        domain="d", hash=to_text(name), key="k", raw_size=1, stored_size=1, index=rows.tobytes()
    )
    tree, hashes = Tree(), rows["hash"].tobytes()
    for _ in range(count):
        tree.add(hashes, rows["raw"].astype(numpy.int64))
    terms = [Term(name, 8192 * 8192, 0, 8192)] * count
    return xorb, FileEntry(file_hash_of(tree), terms, [range_hash([hashes])] * count, "ab" * 32)


def test_a_file_of_very_many_chunks_is_checked_in_little_memory() -> None:
    _, file = _vast(64)
    shard = write_shard([file], [])
    tracemalloc.start()
    try:
        verified = registering.Verified(registering.parse(shard, max_bytes=10**12), "d")
        for _ in verified.steps():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Half a million pairs of hash and length would take a hundred megabytes.
    assert peak < 64 * 2**20
    (recipe,) = recording.record(verified, owner="repo")
    assert recipe.size == 64 * 8192 * 8192
    verified.forget()
    assert verified.shard == Shard([], [])


def test_what_was_recorded_but_never_proven_is_taken_up_again() -> None:
    pile = Pile.of(11, 5)
    pile.keep()
    # A hub that is killed between writing files down and asking for their proof leaves them like this.
    (left,) = register([made_of([(pile, 0, 5)])])
    assert not Form.objects.exists()
    (again,) = register([made_of([(pile, 0, 5)])])
    assert again.pk == left.pk
    ((found, digest),) = recipes.hash_contents([again], progress=ignore)
    with transaction.atomic():
        blobs: dict[int, Any] = recipes.settle([(found, digest)])
    assert blobs[again.pk].sha256 == again.sha256
    (known,) = register([made_of([(pile, 0, 5)])], owner="another")
    assert (known.pk, known.state) == (again.pk, "proven")
