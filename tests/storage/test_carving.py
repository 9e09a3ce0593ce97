"""Chunked forms made of plain objects: cut as the client cuts, proven in one pass, taken up where they broke off."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import hf_xet
import pytest
from django.db import transaction

from storage import carving, chunks, dedup, recipes, s3, scrub, sweep, xorbs
from storage.errors import ObjectMissing, RangeNotSatisfiable, StoreUnavailable
from storage.models import Blob, Form, Recipe, RecipeXorb, Xorb
from storage.xet.chunking import cut
from storage.xet.hashes import chunk_hash, to_text
from tests.storage.faults import Relay
from tests.storage.helpers import MIB, ignore, keep, overwrite
from tests.storage.xet.samples import random_bytes, weights

pytestmark = pytest.mark.django_db(transaction=True)
OWNER, WEEKS = "nobody:forms", timedelta(days=22)
CONTENT = weights(3 * MIB, 1) + random_bytes(MIB, 2) + bytes(MIB) + random_bytes(700_001, 3)


@pytest.fixture(autouse=True)
def small_xorbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files of a few megabytes take several xorbs."""
    monkeypatch.setattr(carving, "MAX_RAW", MIB)


def carve(blob: Blob) -> carving.Carved:
    form = carving.form_to_carve(blob.sha256)
    assert form is not None
    return carving.carve(form, domain="d", progress=ignore)


def settle(blob: Blob, carved: carving.Carved) -> Recipe:
    with transaction.atomic():
        carving.settle(blob, carved, domain="d", owner=OWNER)
    return Recipe.objects.get(form__blob=blob)


def stored_keys() -> set[str]:
    return {row.key for batch in s3.list_prefix("xorbs/") for row in batch}


@pytest.mark.parametrize("size", [1, 70_000, len(CONTENT)])
def test_a_file_is_cut_where_the_client_cuts_it(size: int, tmp_path: Path) -> None:
    blob, content = keep(CONTENT[:size]), CONTENT[:size]
    recipe = settle(blob, carve(blob))
    (tmp_path / "w.bin").write_bytes(content)
    assert recipe.file_hash == hf_xet.hash_files([str(tmp_path / "w.bin")])[0].hash
    assert (recipe.state, recipe.sha256, recipe.size) == ("proven", blob.sha256, size)
    assert b"".join(chunks.read(recipe, 0, size)) == content
    assert [found for _, found in recipes.hash_contents([recipe], progress=ignore)] == [blob.sha256]
    assert carving.form_to_carve(blob.sha256) is None


def test_no_xorb_is_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carving, "MAX_CHUNKS", 5)
    blob = keep(CONTENT)
    carved = carve(blob)
    assert all(count <= 5 and raw <= MIB for _, count, raw in carved.xorbs)
    assert sum(raw for _, _, raw in carved.xorbs) == len(CONTENT)
    assert (carved.sha256, carved.healed) == (blob.sha256, [])


def test_the_chunks_of_a_file_are_known_in_its_domain_and_stay() -> None:
    blob = keep(CONTENT)
    recipe = settle(blob, carve(blob))
    first = to_text(chunk_hash(next(cut(BytesIO(CONTENT)))))
    assert dedup.answer(first, domain="d") is not None
    assert dedup.answer(first, domain="elsewhere") is None
    Xorb.objects.update(mentioned_at=datetime(2000, 1, 1, tzinfo=UTC))
    assert sweep.forget_xorbs(WEEKS) == 0
    assert RecipeXorb.objects.filter(recipe=recipe).count() == Xorb.objects.count() > 4
    sweep.forget_blob(blob)
    assert sweep.forget_xorbs(WEEKS) > 4


def test_a_run_that_broke_off_left_xorbs_which_the_next_one_finds() -> None:
    blob, before = keep(CONTENT), stored_keys()
    form = carving.form_to_carve(blob.sha256)
    assert form is not None

    def stop(done: int) -> None:
        if done > 2 * MIB:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        carving.carve(form, domain="d", progress=stop)
    assert not Form.objects.filter(kind="chunked").exists()
    assert not Recipe.objects.exists()
    half = set(Xorb.objects.values_list("key", flat=True))
    assert len(half) >= 2
    settle(blob, carve(blob))
    # Nothing was written twice: what lies in the store now is what rows name, the first ones among it.
    assert half < set(Xorb.objects.values_list("key", flat=True)) == stored_keys() - before


def test_xorbs_of_a_run_that_never_came_back_are_swept() -> None:
    carve(keep(CONTENT))
    Xorb.objects.update(mentioned_at=datetime(2000, 1, 1, tzinfo=UTC))
    assert sweep.forget_xorbs(WEEKS) > 4
    assert not Xorb.objects.exists()


def test_a_xorb_lost_before_the_end_makes_no_form() -> None:
    blob = keep(CONTENT)
    carved = carve(blob)
    xorbs_kept = Xorb.objects.order_by("pk")
    scrub.mark_xorb_damaged(xorbs_kept[1])
    with pytest.raises(ObjectMissing, match="lost meanwhile"):
        settle(blob, carved)
    assert not Recipe.objects.exists()
    # The next run puts a sound one in its place.
    settle(blob, carve(blob))
    names = {name for name, _, _ in carved.xorbs}
    assert xorbs.named_in("d", names).keys() == names


def test_an_object_that_is_damaged_carves_into_something_else() -> None:
    blob = keep(CONTENT)
    overwrite(blob.forms.get().key, b"\1" + CONTENT[1:])
    assert carve(blob).sha256 != blob.sha256
    overwrite(blob.forms.get().key, CONTENT[:-1])
    with pytest.raises(RangeNotSatisfiable):
        carve(blob)


def test_a_store_that_fails_in_between_leaves_the_file_as_it_was(relay: Relay) -> None:
    blob = keep(CONTENT)
    relay.lose = b"put /hub/xorbs/"
    with pytest.raises(StoreUnavailable):
        carve(blob)
    relay.lose = None
    assert not Form.objects.filter(kind="chunked").exists()
    settle(blob, carve(blob))
    assert set(blob.forms.values_list("kind", flat=True)) == {"plain", "chunked"}


def test_only_large_files_that_can_be_handed_out_lack_chunks() -> None:
    small, large = keep(b"small"), keep(b"l" * 100)
    assert list(carving.lacking_chunks(5)) == [large]
    assert set(carving.lacking_chunks(0)) == {small, large}
    scrub.mark_damaged(large.forms.get())
    assert list(carving.lacking_chunks(5)) == []
    assert carving.form_to_carve(large.sha256) is None
