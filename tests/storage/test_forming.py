"""Plain forms made of chunks: whole, taken up where they broke off, and given up without losing anything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from storage import downloads, forming, making, s3, scrub, settling, sweep
from storage.errors import ObjectMissing, StoreUnavailable
from storage.models import Blob, Condemned, Form, Upload, Xorb
from tests.storage.chunked import keep_chunks, recipe_of
from tests.storage.faults import Relay
from tests.storage.helpers import MIB, fetch, ignore, overwrite
from tests.storage.xet.samples import random_bytes

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = "nobody:forms"
SMALL = tuple(random_bytes(100_000, seed) for seed in range(5))
LARGE = tuple(random_bytes(128 * 1024, seed) for seed in range(10, 110))


def make(blob: Blob) -> Upload:
    upload = forming.assemble(recipe_of(blob), owner=OWNER, progress=ignore)
    assert settling.hash_stored(upload, progress=ignore) == blob.sha256
    settling.settle_proven(upload)
    return upload


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file be sent in parts of 5 MiB."""
    monkeypatch.setattr(making, "SINGLE_LIMIT", 0)
    monkeypatch.setattr(making, "PART_SIZE", 5 * MIB)


def test_a_file_in_chunks_becomes_an_object_as_well() -> None:
    blob = keep_chunks(SMALL)
    assert downloads.link(blob.sha256, filename="w", expires=60) == ""
    make(blob)
    answer = fetch(downloads.link(blob.sha256, filename="w", expires=60))
    assert answer.data == b"".join(SMALL)
    assert set(blob.forms.values_list("kind", flat=True)) == {"plain", "chunked"}
    assert forming.recipe_for(blob.sha256) is None


def test_what_broke_off_is_taken_up_where_it_was(in_parts: None) -> None:
    blob = keep_chunks(LARGE)

    def stop(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        forming.assemble(recipe_of(blob), owner=OWNER, progress=stop)
    upload = Upload.objects.get(owner=OWNER)
    (first,) = s3.list_parts(upload.final_key, upload.s3_upload_id)
    seen: list[int] = []
    again = forming.assemble(recipe_of(blob), owner=OWNER, progress=seen.append)
    assert (again.pk, again.state) == (upload.pk, "stored")
    assert seen == [5 * MIB, 10 * MIB, blob.size]
    assert (first.number, first.size) == (1, 5 * MIB)
    # Even after the last part, and before its proof.
    assert forming.assemble(recipe_of(blob), owner=OWNER, progress=seen.append).pk == upload.pk
    assert settling.hash_stored(again, progress=ignore) == blob.sha256


def test_what_is_left_of_a_killed_run_is_swept(in_parts: None) -> None:
    blob = keep_chunks(LARGE)

    def stop(done: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        forming.assemble(recipe_of(blob), owner=OWNER, progress=stop)
    upload = Upload.objects.get(owner=OWNER)
    Upload.objects.update(touched_at=timezone.now() - timedelta(hours=2))
    assert sweep.expire_uploads(timedelta(hours=1)) == 1
    assert (upload.final_key, upload.s3_upload_id) not in {
        (key, number) for key, number, _ in s3.list_multiparts()
    }
    assert not Form.objects.filter(kind="plain").exists()


@pytest.mark.parametrize("parts", [False, True])
def test_damaged_chunks_make_no_object(parts: bool, request: pytest.FixtureRequest) -> None:
    if parts:
        request.getfixturevalue("in_parts")
    blob = keep_chunks(SMALL)
    xorb = Xorb.objects.get()
    overwrite(xorb.key, b"\1" * xorb.stored_size)
    with pytest.raises(ObjectMissing):
        forming.assemble(recipe_of(blob), owner=OWNER, progress=ignore)
    assert not Form.objects.filter(kind="plain").exists()


def test_a_store_that_fails_in_between_makes_no_object(in_parts: None, relay: Relay) -> None:
    blob = keep_chunks(SMALL)
    relay.lose = b"partnumber=1"
    with pytest.raises(StoreUnavailable):
        forming.assemble(recipe_of(blob), owner=OWNER, progress=ignore)
    relay.lose = None
    make(blob)
    assert fetch(downloads.link(blob.sha256, filename="w", expires=60)).data == b"".join(SMALL)


def test_a_made_form_is_given_up_and_the_chunks_serve_on() -> None:
    blob = keep_chunks(SMALL)
    upload = make(blob)
    (form,) = forming.made(OWNER)
    assert (form.sha256, form.size, form.key, form.damaged) == (
        blob.sha256,
        blob.size,
        upload.final_key,
        False,
    )
    assert forming.drop(form)
    assert not forming.drop(form)
    assert forming.made(OWNER) == []
    assert not Upload.objects.exists()
    assert Condemned.objects.filter(key=upload.final_key).exists()
    assert b"".join(downloads.open_range(blob.sha256, 0, blob.size)) == b"".join(SMALL)
    # It may be made again, as a new object.
    assert make(blob).final_key != upload.final_key


def test_the_last_sound_form_is_never_given_up() -> None:
    blob = keep_chunks(SMALL)
    make(blob)
    scrub.mark_xorb_damaged(Xorb.objects.get())
    (form,) = forming.made(OWNER)
    assert not forming.drop(form)
    assert b"".join(downloads.open_range(blob.sha256, 0, blob.size)) == b"".join(SMALL)


def test_forms_that_were_wanted_longest_ago_come_first_and_damaged_ones_before_them() -> None:
    blobs = [keep_chunks((chunk,)) for chunk in SMALL[:3]]
    for blob in blobs:
        make(blob)
    forming.touch([blobs[0].sha256], owner=OWNER)
    names = [form.sha256 for form in forming.made(OWNER)]
    assert names == [blobs[1].sha256, blobs[2].sha256, blobs[0].sha256]
    scrub.mark_damaged(Form.objects.get(blob=blobs[0], kind="plain"))
    first = forming.made(OWNER)[0]
    assert (first.sha256, first.damaged) == (blobs[0].sha256, True)
