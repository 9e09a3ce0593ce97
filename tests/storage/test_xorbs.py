"""Xorbs and the files put together from them: kept once, found damaged, healed, and let go in time."""

import hashlib
import threading
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import transaction
from django.utils import timezone

from storage import dedup, downloads, recipes, recording, registering, s3, scrub, sweep, xorbs
from storage.errors import ObjectMissing, StoreUnavailable
from storage.models import Blob, Condemned, DedupChunk, Recipe, Xorb
from storage.stretches import stretches
from storage.xet.errors import XetError
from storage.xet.hashes import to_text
from storage.xet.shards import write_shard
from storage.xet.xorbs import write_xorb
from tests.storage.helpers import ignore, overwrite
from tests.storage.xet.samples import file_entry, random_bytes, xorb_entry

pytestmark = pytest.mark.django_db(transaction=True)
WEEKS = timedelta(days=22)
CHUNKS = tuple(random_bytes(30_000, seed) for seed in range(4))
CONTENT = b"".join(CHUNKS)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ENTRY = xorb_entry(CHUNKS)
NAME = to_text(ENTRY.hash)


def keep(data: bytes = write_xorb(CHUNKS), domain: str = "d") -> xorbs.Kept:
    return xorbs.keep(NAME, BytesIO(data), len(data), domain=domain)


def stored() -> Xorb:
    keep()
    return Xorb.objects.get(hash=NAME)


def registered(shard: bytes, *, domain: str = "d", max_bytes: int = 10**9) -> list[Recipe]:
    verified = registering.Verified(registering.parse(shard, max_bytes=max_bytes), domain)
    for _ in verified.steps():
        pass
    return recording.record(verified, owner="repo")


def proven() -> Blob:
    stored()
    shard = write_shard([file_entry(ENTRY, SHA256)], [ENTRY])
    (recipe,) = registered(shard)
    found = list(recipes.hash_contents([recipe], progress=ignore))
    with transaction.atomic():
        blobs = recipes.settle(found)
    return blobs[recipe.pk]


def test_a_file_of_chunks_reads_like_any_other() -> None:
    blob = proven()
    assert (blob.sha256, blob.size) == (SHA256, len(CONTENT))
    assert b"".join(downloads.open_range(SHA256, 0, len(CONTENT))) == CONTENT
    for start, length in ((0, 1), (29_999, 2), (30_000, 30_000), (len(CONTENT) - 1, 1), (12_345, 70_000)):
        assert downloads.BlobReader(SHA256).read(start, length) == CONTENT[start : start + length]
    assert downloads.link(SHA256, filename="w", expires=60) == ""


def test_two_who_send_the_same_xorb_at_once_keep_it_once() -> None:
    def listed() -> set[str]:
        return {row.key for batch in s3.list_prefix("xorbs/") for row in batch}

    gained: list[bool] = []
    before = listed()
    data = write_xorb(CHUNKS)

    def send(domain: str) -> None:
        gained.append(keep(data, domain).gained)

    threads = [threading.Thread(target=send, args=(f"d{number % 2}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(gained) == [False] * 4 + [True] * 2
    assert set(Xorb.objects.values_list("domain", flat=True)) == {"d0", "d1"}
    named = set(Condemned.objects.values_list("key", flat=True)) | set(
        Xorb.objects.values_list("key", flat=True)
    )
    assert listed() - before <= named


def test_a_store_that_fails_keeps_nothing(no_store: None) -> None:
    with pytest.raises(StoreUnavailable):
        stored()
    assert not Xorb.objects.exists()


def test_one_flipped_byte_is_found_by_the_scrub_and_never_handed_out() -> None:
    blob = proven()
    xorb = Xorb.objects.get()
    assert scrub.check_xorb(xorb) == ""
    spoiled = bytearray(write_xorb(CHUNKS))
    spoiled[40_000] ^= 1
    overwrite(xorb.key, bytes(spoiled))
    # Even before the scrub has come by, no wrong byte leaves the hub.
    with pytest.raises(ObjectMissing, match="damaged"):
        b"".join(downloads.open_range(SHA256, 0, len(CONTENT)))
    assert "hash" in scrub.check_xorb(xorb) or "chunks" in scrub.check_xorb(xorb)
    assert scrub.mark_xorb_damaged(xorb) == [blob]
    with pytest.raises(ObjectMissing):
        downloads.open_range(SHA256, 0, 1)
    assert dedup.answer(to_text(ENTRY.chunks[0][0]), domain="d") is None
    kept = keep()
    assert (kept.gained, kept.healed) == (False, [blob])
    assert b"".join(downloads.open_range(SHA256, 0, len(CONTENT))) == CONTENT
    assert Condemned.objects.filter(key=xorb.key).exists()


@pytest.mark.parametrize("left", [0, 1, 50_000])
def test_a_xorb_that_lost_its_end_is_found(left: int) -> None:
    xorb = stored()
    overwrite(xorb.key, write_xorb(CHUNKS)[:left])
    assert scrub.check_xorb(xorb) != ""


def test_a_xorb_is_due_when_it_was_not_looked_at_for_a_while() -> None:
    xorb = stored()
    assert list(scrub.due_xorbs(10, timedelta(days=1))) == []
    Xorb.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert list(scrub.due_xorbs(10, timedelta(days=1))) == [xorb]
    scrub.mark_xorb_sound(xorb)
    assert list(scrub.due_xorbs(10, timedelta(days=1))) == []


def test_a_xorb_outlives_what_clients_remember_of_it() -> None:
    xorb = stored()
    Xorb.objects.update(mentioned_at=timezone.now() - timedelta(days=21))
    assert sweep.forget_xorbs(WEEKS) == 0
    Xorb.objects.update(mentioned_at=timezone.now() - timedelta(days=23))
    # Another mention, and it stays.
    assert keep().gained is False
    assert sweep.forget_xorbs(WEEKS) == 0
    Xorb.objects.update(mentioned_at=timezone.now() - timedelta(days=23))
    assert sweep.forget_xorbs(WEEKS) == 1
    assert Condemned.objects.get().key == xorb.key


def test_a_xorb_that_a_file_needs_is_never_forgotten() -> None:
    blob = proven()
    Xorb.objects.update(mentioned_at=timezone.now() - timedelta(days=400))
    assert sweep.forget_xorbs(WEEKS) == 0
    sweep.forget_blob(blob)
    assert not Recipe.objects.exists()
    assert sweep.forget_xorbs(WEEKS) == 1


def test_recipes_that_were_never_proven_go() -> None:
    stored()
    registered(write_shard([file_entry(ENTRY, SHA256)], [ENTRY]))
    assert sweep.forget_recipes(timedelta(hours=1)) == 0
    assert sweep.forget_recipes(timedelta(0)) == 1


def test_keys_of_xorbs_without_a_row_are_found() -> None:
    kept = stored().key
    overwrite("xorbs/zz/lost", b"lost")
    lost = [key for batch in sweep.unlisted_keys(timedelta(0)) for key in batch]
    assert "xorbs/zz/lost" in lost
    assert kept not in lost


def test_a_shard_may_not_make_a_file_larger_than_the_hub_takes() -> None:
    stored()
    shard = write_shard([file_entry(ENTRY, SHA256)], [ENTRY])
    with pytest.raises(XetError, match="at most 1000"):
        registered(shard, max_bytes=1000)
    with pytest.raises(XetError, match="not known here"):
        registered(shard, domain="elsewhere")


def test_what_a_domain_learns_stays_in_it() -> None:
    proven()
    (recipe,) = Recipe.objects.all()
    dedup.learn([recipe], "d")
    dedup.learn([recipe], "elsewhere")
    first = to_text(ENTRY.chunks[0][0])
    assert set(DedupChunk.objects.values_list("domain", flat=True)) == {"d"}
    assert dedup.answer(first, domain="elsewhere") is None
    answer = dedup.answer(first, domain="d")
    assert answer is not None
    assert ENTRY.hash in answer


def test_the_epoch_only_rises() -> None:
    before = dedup.current_epoch()
    assert dedup.raise_epoch() == before + 1 == dedup.current_epoch()


def test_stretches_hold_only_the_chunks_that_are_wanted() -> None:
    proven()
    (recipe,) = Recipe.objects.all()
    (one,) = stretches(recipe, 30_000, 30_000)
    assert (one.start, one.end, one.skip, one.length, one.raw) == (1, 2, 0, 30_000, 30_000)
