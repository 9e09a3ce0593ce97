"""Scrubbing what is kept and sweeping what is not."""

import threading
from collections.abc import Collection
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from storage import downloads, objects, s3, scrub, settling, sweep, uploads
from storage.condemned import condemn
from storage.errors import StoreUnavailable
from storage.models import Blob, Condemned, Form
from tests.storage.faults import Relay
from tests.storage.helpers import (
    MIB,
    PART,
    age,
    begin_in_parts,
    ignore,
    keep,
    kept_key,
    overwrite,
    random_bytes,
    sha,
    store,
)

pytestmark = pytest.mark.django_db(transaction=True)
NOW, DAY = timedelta(0), timedelta(days=1)


def test_a_form_is_due_when_it_was_not_looked_at_for_a_while() -> None:
    old, older, fresh = (keep(data).forms.get() for data in (b"1", b"2", b"3"))
    Form.objects.filter(pk=old.pk).update(scrubbed_at=timezone.now() - 2 * DAY)
    Form.objects.filter(pk=older.pk).update(created_at=timezone.now() - 3 * DAY)
    assert list(scrub.due(10, DAY)) == [older, old]
    assert list(scrub.due(1, DAY)) == [older]
    scrub.mark_sound(older)
    scrub.mark_damaged(old)
    assert list(scrub.due(10, DAY)) == []
    assert fresh not in scrub.due(10, DAY)


def test_a_sound_form_is_found_sound() -> None:
    seen: list[int] = []
    form = keep(random_bytes(5 * MIB)).forms.get()
    assert scrub.check(form, progress=seen.append) == ""
    assert seen[-1] == 5 * MIB


@pytest.mark.parametrize(
    ("spoiled", "problem"), [(b"abd", "hash to"), (b"ab", "has 2 bytes, not 3"), (None, "gone")]
)
def test_damage_is_found_and_named(spoiled: bytes | None, problem: str) -> None:
    form = keep(b"abc").forms.get()
    if spoiled is None:
        s3.delete_keys([form.key])
    else:
        overwrite(form.key, spoiled)
    assert problem in scrub.check(form, progress=ignore)


@pytest.mark.usefixtures("no_store")
def test_a_store_that_is_down_says_nothing_about_the_bytes() -> None:
    form = Blob.objects.create(sha256=sha(b"abc"), size=3).forms.create(key="blobs/none")
    with pytest.raises(StoreUnavailable):
        scrub.check(form, progress=ignore)
    assert downloads.find_form(sha(b"abc")) == form


def test_a_connection_that_breaks_while_hashing_is_taken_up_where_it_broke(relay: Relay) -> None:
    data = random_bytes(48 * MIB)
    form = keep(data).forms.get()
    breaks: list[int] = []

    def break_once(done: int) -> None:
        if not breaks:
            breaks.append(done)
            relay.lose = b"get /"
        elif relay.carried_out.is_set():
            relay.lose = None

    timer = threading.Timer(1.5, lambda: setattr(relay, "lose", None))
    timer.start()
    assert scrub.check(form, progress=break_once) == ""
    assert relay.carried_out.is_set()


def test_a_blob_is_quarantined_with_its_last_sound_form_and_freed_with_the_next() -> None:
    blob = keep(b"abc")
    first = blob.forms.get()
    second = blob.forms.create(key="blobs/second")
    assert scrub.mark_damaged(first).quarantined_at is None
    assert downloads.find_form(sha(b"abc")) == second
    assert scrub.mark_damaged(second).quarantined_at
    assert downloads.find_form(sha(b"abc")) is None
    scrub.mark_sound(first)
    assert downloads.find_form(sha(b"abc")) == first


def test_an_upload_that_nobody_touches_expires() -> None:
    data = random_bytes(PART + 1)
    small, large = uploads.begin(owner="r", sha256=sha(b"a"), size=1), begin_in_parts(data)
    fresh, done = uploads.begin(owner="r", sha256=sha(b"b"), size=1), store(b"c")
    uploads.write_single(small, BytesIO(b"a"), 1)
    uploads.write_part(large, 2, BytesIO(data[PART:]), 1)
    for upload in (small, large, done):
        age(upload, 3 * DAY)
    assert sweep.expire_uploads(2 * DAY) == 2
    states = [uploads.get(upload.pk).state for upload in (small, large, fresh, done)]
    assert states == ["aborted", "aborted", "open", "stored"]
    assert (large.final_key, large.s3_upload_id) not in {pair[:2] for pair in s3.list_multiparts()}
    sweep.delete_condemned(100, NOW)
    assert s3.size_of(small.staging_key) is None


def test_touching_an_upload_keeps_it_from_expiring() -> None:
    upload = uploads.begin(owner="r", sha256=sha(b"a"), size=1)
    age(upload, 3 * DAY)
    uploads.links(upload, expires=60)
    assert sweep.expire_uploads(2 * DAY) == 0


def test_multipart_uploads_that_no_row_names_are_given_up() -> None:
    known = begin_in_parts(random_bytes(PART + 1))
    stray = s3.begin_multipart("blobs/stray")
    assert sweep.abort_stray_multiparts(DAY) == 0
    assert sweep.abort_stray_multiparts(NOW) >= 1
    left = {number for _, number, _ in s3.list_multiparts()}
    assert known.s3_upload_id in left and stray not in left


def test_a_forgotten_blob_loses_its_rows_first_and_its_keys_after_the_grace() -> None:
    blob = keep(b"abc")
    key = kept_key(b"abc")
    sweep.forget_blob(blob)
    assert not Blob.objects.exists() and not Form.objects.exists()
    assert s3.size_of(key) == 3
    assert sweep.delete_condemned(100, DAY) == 0
    assert s3.size_of(key) == 3
    assert sweep.delete_condemned(100, NOW) == 2
    assert s3.size_of(key) is None
    assert not Condemned.objects.exists()


def test_a_blob_that_something_holds_is_not_forgotten() -> None:
    blob = keep(b"abc")
    key = kept_key(b"abc")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE holder (blob_id bigint REFERENCES storage_blob (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        try:
            cursor.execute("INSERT INTO holder VALUES (%s)", [blob.pk])
            with pytest.raises((ProtectedError, IntegrityError)):
                sweep.forget_blob(blob)
        finally:
            cursor.execute("DROP TABLE holder")
    assert kept_key(b"abc") == key
    assert not Condemned.objects.filter(key=key).exists()


def test_bytes_that_come_again_while_their_blob_is_forgotten_stay() -> None:
    blob = keep(b"abc", "one")
    again = store(b"abc", "two")
    settled: list[Blob] = []

    def settle() -> None:
        settled.append(settling.settle_proven(again))
        connection.close()

    thread = threading.Thread(target=settle)
    with transaction.atomic():
        sweep.forget_blob(blob)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert settled[0].pk != blob.pk
    sweep.delete_condemned(100, NOW)
    assert b"".join(downloads.open_range(sha(b"abc"), 0, 3)) == b"abc"


def test_a_key_is_condemned_once_however_often_it_is_said() -> None:
    condemn("blobs/a", "", "blobs/b")
    condemn("blobs/a")
    assert set(Condemned.objects.values_list("key", flat=True)) == {"blobs/a", "blobs/b"}


def test_condemned_keys_are_deleted_a_few_at_a_time_and_oldest_first() -> None:
    for name in ("blobs/x-1", "blobs/x-2", "blobs/x-3"):
        s3.put_bytes(name, b"x")
        condemn(name)
    assert sweep.delete_condemned(2, NOW) == 2
    assert list(Condemned.objects.values_list("key", flat=True)) == ["blobs/x-3"]
    assert [s3.size_of(f"blobs/x-{number}") for number in (1, 2, 3)] == [None, None, 1]


@pytest.mark.usefixtures("no_store")
def test_without_a_store_a_condemned_key_stays_condemned() -> None:
    condemn("blobs/a")
    with pytest.raises(StoreUnavailable):
        sweep.delete_condemned(10, NOW)
    assert Condemned.objects.count() == 1


def test_keys_that_no_row_names_are_listed_and_all_others_are_not() -> None:
    keep(b"kept")
    uploads.begin(owner="r", sha256=sha(b"open"), size=4)
    open_upload = uploads.begin(owner="r", sha256=sha(b"o"), size=1)
    uploads.write_single(open_upload, BytesIO(b"o"), 1)
    stored = store(b"stored")
    s3.put_bytes("blobs/lost", b"x")
    s3.put_bytes("staging/lost", b"x")
    lost = [key for batch in sweep.unlisted_keys(NOW) for key in batch]
    assert {"blobs/lost", "staging/lost"} <= set(lost)
    assert not {kept_key(b"kept"), open_upload.staging_key, stored.final_key, stored.staging_key} & set(lost)
    assert not [key for batch in sweep.unlisted_keys(DAY) for key in batch]
    condemn(*lost)
    # What another test's threads write meanwhile may be listed; what is condemned may not.
    assert not set(lost) & {key for batch in sweep.unlisted_keys(NOW) for key in batch}
    sweep.delete_condemned(10_000, NOW)
    assert s3.size_of("blobs/lost") is None
    assert s3.size_of(kept_key(b"kept")) == 4


def test_objects_of_the_server_are_listed_unless_their_keeper_names_them() -> None:
    named, lost = objects.put("ab" * 20, b"1"), objects.put("ab" * 20, b"2")

    def keeper(keys: Collection[str]) -> set[str]:
        return {named} & set(keys)

    found = {key for batch in sweep.unlisted_objects(NOW, keeper) for key in batch}
    assert lost in found and named not in found
