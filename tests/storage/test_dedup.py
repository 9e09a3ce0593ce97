"""What clients are told of chunks that are held: the right xorbs, in answers of bounded size, a few at a time."""

import threading
from collections.abc import Sequence

import pytest
from django.db import connection

from storage import dedup, layout
from storage.models import DedupChunk, Recipe, RecipeXorb, Xorb
from storage.xet.hashes import from_text, keyed, to_text
from storage.xet.shards import Shard, read_shard
from storage.xet.xorbs import MAX_CHUNKS, Chunk
from tests.storage.xet.samples import random_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def digest(number: int, at: int) -> bytes:
    return random_bytes(32, number * 10_000 + at)


def make_xorb(number: int, count: int = 3) -> Xorb:
    chunks = [Chunk(digest(number, at), 30, at * 38, at * 38 + 38) for at in range(count)]
    return Xorb.objects.create(
        domain="d", hash=to_text(random_bytes(32, 9_000_000 + number)), key=f"xorbs/00/{number}",
        raw_size=count * 30, stored_size=count * 38, index=layout.pack_index(chunks),
    )  # fmt: skip


def make_file(xorbs: Sequence[Xorb], *, state: str = "proven") -> Recipe:
    """A file of the first chunk of each xorb."""
    number = Recipe.objects.count()
    recipe = Recipe.objects.create(
        domain="d", owner="repo", file_hash=to_text(random_bytes(32, number)), sha256=f"{number:064x}",
        size=30 * len(xorbs), terms=layout.pack_terms([(xorb.pk, 0, 1, 30) for xorb in xorbs]), state=state,
    )  # fmt: skip
    RecipeXorb.objects.bulk_create([RecipeXorb(recipe=recipe, xorb=xorb) for xorb in xorbs])
    return recipe


def told(number: int) -> Shard:
    answer = dedup.answer(to_text(digest(number, 0)), domain="d")
    assert answer is not None
    return read_shard(answer)


def names(shard: Shard) -> list[str]:
    return [to_text(xorb.hash) for xorb in shard.xorbs]


def test_an_answer_tells_every_chunk_under_its_key() -> None:
    xorb = make_xorb(1, 300)
    dedup.learn([make_file([xorb])], "d")
    shard = told(1)
    (entry,) = shard.xorbs
    assert (entry.hash, entry.bytes_in_xorb) == (from_text(xorb.hash), 9000)
    assert entry.chunks == [(keyed(shard.key, digest(1, at)), at * 30, 30) for at in range(300)]


def test_siblings_end_where_an_answer_has_enough_chunks() -> None:
    xorbs = [make_xorb(number, MAX_CHUNKS - 1) for number in range(4)]
    dedup.learn([make_file(xorbs), *(make_file([xorb]) for xorb in xorbs)], "d")
    for number, xorb in enumerate(xorbs):
        shard = told(number)
        assert names(shard)[0] == xorb.hash
        assert [len(entry.chunks) for entry in shard.xorbs] == [MAX_CHUNKS - 1] * 2


def test_the_nearest_siblings_are_told_and_each_once() -> None:
    xorbs = [make_xorb(number) for number in range(90)]
    files = [
        make_file(xorbs[10:]),
        make_file(xorbs[10:]),
        make_file([xorbs[80], *xorbs[:10]], state="proving"),
    ]
    dedup.learn([*files, make_file([xorbs[80]])], "d")
    Xorb.objects.filter(pk=xorbs[79].pk).update(state="damaged")
    shard = told(80)
    nearest = [xorb.hash for xorb in xorbs[25:] if xorb not in (xorbs[79], xorbs[80])]
    assert names(shard) == [xorbs[80].hash, *nearest]
    assert len(shard.xorbs) == dedup.MOST_XORBS


def test_a_xorb_that_no_file_needs_any_more_is_told_alone() -> None:
    xorbs = [make_xorb(number) for number in range(2)]
    dedup.learn([make_file([xorbs[0]])], "d")
    Recipe.objects.all().delete()
    make_file([xorbs[1]])
    assert names(told(0)) == [xorbs[0].hash]


def test_the_first_chunk_of_every_file_is_learned() -> None:
    xorbs = [make_xorb(number, 20) for number in range(5)]
    recipes = []
    for number, xorb in enumerate(xorbs):
        for at in (0, 7, 19):
            recipe = make_file([xorb, xorbs[number - 1]])
            recipe.terms = layout.pack_terms([(xorb.pk, at, at + 1, 30), (xorbs[number - 1].pk, 3, 4, 30)])
            recipes.append(recipe)
    dedup.learn(recipes, "d")
    known = set(DedupChunk.objects.values_list("chunk", "xorb"))
    firsts = {(to_text(digest(n, at)), xorb.pk) for n, xorb in enumerate(xorbs) for at in (0, 7, 19)}
    asked_for = {
        (to_text(name), xorb.pk) for xorb in xorbs for name in layout.Index.of(xorb.index).asked_for()
    }
    assert known == firsts | asked_for


def test_many_who_ask_at_once_all_get_an_answer() -> None:
    xorbs = [make_xorb(number, 500) for number in range(6)]
    dedup.learn([make_file([xorb, xorbs[0]]) for xorb in xorbs[1:]], "d")
    found: dict[int, list[str]] = {}

    def ask(number: int) -> None:
        found[number] = names(told(number))
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [xorbs[number].hash, xorbs[0].hash] for number in range(1, 6)}
