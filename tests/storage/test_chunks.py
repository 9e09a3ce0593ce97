"""Reading what lies in chunks: few requests however a file is scattered, and no wrong byte."""

import hashlib
import random
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage import chunks, layout, recipes, s3
from storage.errors import ChunksDamaged, ObjectMissing, StoreUnavailable
from storage.layout import pack_index
from storage.models import Recipe, Xorb
from storage.stretches import TERMS, Stretch, stretches, stretches_of
from storage.xet.xorbs import Chunk
from tests.storage.files import Part, Pile, content_of, made_of, register
from tests.storage.helpers import ignore, overwrite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The lengths of the ranges that are asked of the store."""
    seen: list[int] = []
    really = s3.open_range

    def watched(key: str, start: int, length: int, **more: Any) -> s3.ByteStream:
        seen.append(length)
        return really(key, start, length, **more)

    monkeypatch.setattr(s3, "open_range", watched)
    yield seen


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[s3.ByteStream]]:
    """The streams that the store opens."""
    seen: list[s3.ByteStream] = []
    really = s3.open_range

    def watched(key: str, start: int, length: int, **more: Any) -> s3.ByteStream:
        seen.append(really(key, start, length, **more))
        return seen[-1]

    monkeypatch.setattr(s3, "open_range", watched)
    yield seen


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_of(parts: list[Part]) -> Recipe:
    (recipe,) = register([made_of(parts)])
    return recipe


def test_terms_that_alternate_between_xorbs_do_not_fetch_anything_twice(requests: list[int]) -> None:
    piles = [Pile.of(seed, 40, 30_000) for seed in range(4)]
    for pile in piles:
        pile.keep()
    parts = [(pile, at, at + 2) for at in range(0, 40, 2) for pile in piles]
    recipe = file_of(parts)
    requests.clear()
    ((_, found),) = recipes.hash_contents([recipe], progress=ignore)
    assert found == sha(content_of(parts))
    # What is gathered at once holds a few megabytes; within it, each xorb is asked once.
    assert len(requests) == len(piles)
    assert sum(requests) < sum(map(len, (b"".join(pile.chunks) for pile in piles))) * 1.05
    requests.clear()
    assert b"".join(chunks.read(recipe, 0, recipe.size)) == content_of(parts)
    assert sum(requests) < recipe.size * 1.05
    assert len(requests) < len(parts) / 2


def test_many_small_files_of_one_xorb_are_read_together(requests: list[int]) -> None:
    pile = Pile.of(5, 300, 2000)
    pile.keep()
    found = register([made_of([(pile, at, at + 1)]) for at in range(300)])
    requests.clear()
    told = {
        recipe.sha256: digest
        for recipe, digest in recipes.hash_contents(recipes.nearby(found), progress=ignore)
    }
    assert told == {sha(chunk): sha(chunk) for chunk in pile.chunks}
    assert len(requests) == 1


def test_chunks_far_apart_are_fetched_alone(requests: list[int]) -> None:
    pile = Pile.of(6, 60, 20_000)
    pile.keep()
    recipe = file_of([(pile, 0, 1), (pile, 59, 60)])
    requests.clear()
    assert b"".join(chunks.read(recipe, 0, recipe.size)) == pile.chunks[0] + pile.chunks[59]
    assert sum(requests) < 45_000


def test_every_range_of_a_scattered_file_is_right() -> None:
    piles = [Pile.of(7, 9, 4000), Pile.of(8, 9, 3000)]
    for pile in piles:
        pile.keep()
    parts = [(piles[0], 0, 3), (piles[1], 2, 9), (piles[0], 2, 3), (piles[0], 8, 9), (piles[1], 0, 9)]
    recipe, content = file_of(parts), content_of(parts)
    for start in range(0, len(content), 1999):
        for length in (1, 4000, 30_000):
            length = min(length, len(content) - start)
            assert b"".join(chunks.read(recipe, start, length)) == content[start : start + length]


def test_memory_stays_small_however_often_a_file_names_the_same_chunks() -> None:
    pile = Pile.of(9, 64, 100_000)
    pile.keep()
    recipe = file_of([(pile, 0, 64), (pile, 3, 50)] * 20)
    tracemalloc.start()
    try:
        list(recipes.hash_contents([recipe], progress=ignore))
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("spoil", ["flip", "cut", "gone"])
def test_what_is_damaged_tells_which_xorb_and_gives_no_wrong_byte(spoil: str) -> None:
    piles = [Pile.of(10, 6), Pile.of(11, 6)]
    for pile in piles:
        pile.keep()
    recipe = file_of([(piles[0], 0, 3), (piles[1], 0, 6), (piles[0], 3, 6)])
    content = content_of([(piles[0], 0, 3), (piles[1], 0, 6), (piles[0], 3, 6)])
    hurt = Xorb.objects.get(hash=piles[1].name)
    stored = bytearray(s3.get_bytes(hurt.key))
    stored[20_000] ^= 1
    if spoil == "gone":
        s3.delete_keys([hurt.key])
    else:
        overwrite(hurt.key, bytes(stored) if spoil == "flip" else bytes(stored[:20_000]))
    got = bytearray()
    with pytest.raises(ChunksDamaged) as caught:
        for data in chunks.read(recipe, 0, recipe.size):
            got += data
    assert caught.value.xorb == hurt.pk
    assert content.startswith(bytes(got))
    with pytest.raises(ChunksDamaged):
        list(recipes.hash_contents([recipe], progress=ignore))


def test_what_is_held_back_is_not_read_at_all() -> None:
    pile = Pile.of(12, 3)
    pile.keep()
    recipe = file_of([(pile, 0, 3)])
    Xorb.objects.update(state="damaged")
    with pytest.raises(ObjectMissing):
        chunks.read(recipe, 0, 1)


def test_a_store_that_is_away_is_no_damage(no_store: None) -> None:
    pile = Pile.of(13, 3)
    key = "xorbs/00/away"
    rows = Xorb.objects.create(
        domain="d", hash=pile.name, key=key, raw_size=15_000, stored_size=15_024,
        index=_index(pile),
    )  # fmt: skip
    recipe = file_of([(pile, 0, 3)])
    with pytest.raises(StoreUnavailable):
        b"".join(chunks.read(recipe, 0, recipe.size))
    rows.refresh_from_db()
    assert rows.state == Xorb.State.OK


def _index(pile: Pile) -> bytes:
    found, at = [], 0
    for digest, _, raw in pile.entry.chunks:
        found.append(Chunk(digest, raw, at, at + raw + 8))
        at += raw + 8
    return pack_index(found)


def test_chunks_that_straddle_the_pieces_of_a_long_stretch_are_whole() -> None:
    pile = Pile.of(14, 90, 60_007)
    pile.keep()
    content = content_of([(pile, 0, 90)])
    recipe = file_of([(pile, 0, 90)])
    assert b"".join(chunks.read(recipe, 0, recipe.size)) == content
    assert b"".join(chunks.read(recipe, 60_006, 4_000_001)) == content[60_006 : 60_006 + 4_000_001]


def test_a_reader_that_stops_early_leaves_nothing_open(opened: list[s3.ByteStream]) -> None:
    pile = Pile.of(15, 90, 60_007)
    pile.keep()
    recipe = file_of([(pile, 0, 90)])
    opened.clear()
    content = chunks.read(recipe, 0, recipe.size)
    assert next(content)
    content.close()
    assert len(opened) == 1
    # From a connection that is open still, the next byte would come.
    with pytest.raises(StoreUnavailable):
        opened[0].read(1)


def test_what_lies_before_a_store_that_breaks_off_is_in_order(requests: list[int]) -> None:
    piles = [Pile.of(16, 40, 60_000), Pile.of(17, 3)]
    for pile in piles:
        pile.keep()
    parts = [(piles[0], 0, 40), (piles[1], 0, 3)]
    recipe, got = file_of(parts), bytearray()
    s3.delete_keys([Xorb.objects.get(hash=piles[1].name).key])
    with pytest.raises(ChunksDamaged):
        for data in chunks.read(recipe, 0, recipe.size):
            got += data
    assert got
    assert content_of(parts).startswith(bytes(got))


def test_readers_of_a_process_share_its_decoding_threads() -> None:
    pile = Pile.of(18, 60, 60_000)
    pile.keep()
    recipe = file_of([(pile, 0, 60)])
    half_read = [chunks.read(recipe, 0, recipe.size) for _ in range(5)]
    begun = [next(content) for content in half_read]
    decoding = [thread for thread in threading.enumerate() if thread.name.startswith("decoder")]
    assert 0 < len(decoding) <= chunks.DECODERS
    for first, content in zip(begun, half_read, strict=True):
        assert first + b"".join(content) == content_of([(pile, 0, 60)])


def scattered(count: int) -> tuple[Recipe, bytes]:
    """A file of so many runs of small chunks, more than a client may scatter it over."""
    piles = [Pile.of(seed, 60, 90 + seed) for seed in (19, 20, 21)]
    for pile in piles:
        pile.keep()
    pks = dict(Xorb.objects.values_list("hash", "pk"))
    chance = random.Random(3)
    parts = []
    for _ in range(count):
        start = chance.choice([0, 0, *range(1, 60)])
        parts.append((chance.choice(piles), start, min(start + chance.randint(1, 20), 60)))
    terms = [
        (pks[pile.name], start, end, len(content_of([(pile, start, end)]))) for pile, start, end in parts
    ]
    content = content_of(parts)
    recipe = Recipe.objects.create(
        domain="d", owner="repo", file_hash=f"{count:064x}", sha256=sha(content), size=len(content),
        terms=layout.pack_terms(terms),
    )  # fmt: skip
    return recipe, content


def told(stretch: Stretch, index: layout.Index) -> None:
    """Compare a stretch with what the whole index of its xorb says."""
    assert stretch.stored == index.stored(stretch.start, stretch.end)
    assert stretch.raw == int(index.rows["raw"][stretch.start : stretch.end].sum())
    assert stretch.index.chunks(*stretch.rows) == index.chunks(stretch.start, stretch.end)
    # No chunk could be left out.
    assert stretch.skip < int(index.rows["raw"][stretch.start])
    assert stretch.raw - stretch.skip - stretch.length < int(index.rows["raw"][stretch.end - 1])


def test_stretches_agree_with_the_whole_indexes_window_after_window() -> None:
    recipe, content = scattered(2 * TERMS + 70)
    whole = {xorb.pk: layout.Index.of(xorb.index) for xorb in Xorb.objects.all()}
    chance = random.Random(4)
    ranges = [(0, len(content)), (len(content) - 1, 1), (0, 1)]
    for _ in range(60):
        start = chance.randrange(len(content))
        ranges.append((start, chance.randint(1, len(content) - start)))
    for start, length in ranges:
        found = list(stretches(recipe, start, length))
        assert sum(stretch.length for stretch in found) == length
        for stretch in found:
            told(stretch, whole[stretch.xorb.pk])
    for start, length in ranges[:6]:
        assert b"".join(chunks.read(recipe, start, length)) == content[start : start + length]


def test_only_the_chunks_that_are_named_are_looked_up() -> None:
    recipe, _ = scattered(2 * TERMS + 70)
    with CaptureQueriesContext(connection) as queries:
        found = list(stretches(recipe, 0, recipe.size))
    assert len(queries) == 3
    # One more of each term, as a chunk begins where the one before it ends.
    assert all(len(stretch.index) <= stretch.end - stretch.start + 1 for stretch in found)


def test_small_files_are_looked_up_together() -> None:
    pile = Pile.of(22, 300, 100)
    pile.keep()
    made = register([made_of([(pile, at, at + 1)]) for at in range(300)])
    with CaptureQueriesContext(connection) as queries:
        found = list(stretches_of(made))
    assert [recipe for recipe, _ in found] == made
    assert len(queries) == 1
