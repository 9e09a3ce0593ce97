"""Bytes on their way out, and small objects of the server's own."""

from contextlib import closing

import pytest
from django.utils import timezone

from storage import downloads, objects, s3, scrub
from storage.errors import ObjectMissing, RangeNotSatisfiable, StorageError, StoreUnavailable
from storage.models import Blob
from tests.storage.faults import Relay
from tests.storage.helpers import MIB, fetch, keep, kept_key, random_bytes, sha, store

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_proven_is_handed_out_by_link_and_by_range() -> None:
    data = random_bytes(3 * MIB + 5)
    keep(data)
    digest = sha(data)
    assert downloads.size(digest) == len(data)
    assert fetch(downloads.link(digest, filename="a.bin", expires=60)).data == data
    assert b"".join(downloads.open_range(digest, 0, len(data))) == data
    assert b"".join(downloads.open_range(digest, MIB - 1, 2 * MIB)) == data[MIB - 1 : 3 * MIB - 1]
    assert b"".join(downloads.open_range(digest, len(data) - 1, 1)) == data[-1:]


def test_empty_bytes_have_a_size_and_a_link_but_no_range() -> None:
    keep(b"")
    assert downloads.size(sha(b"")) == 0
    assert fetch(downloads.link(sha(b""), filename="empty", expires=60)).data == b""
    with pytest.raises(RangeNotSatisfiable):
        downloads.open_range(sha(b""), 0, 1)


@pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 0), (0, -1), (0, 101), (100, 1), (99, 2)])
def test_a_range_outside_the_bytes_is_refused(start: int, length: int) -> None:
    data = random_bytes(100)
    keep(data)
    with pytest.raises(RangeNotSatisfiable):
        downloads.open_range(sha(data), start, length)
    with pytest.raises(RangeNotSatisfiable):
        s3.open_range(kept_key(data), start, length)


def test_bytes_that_were_stored_but_not_proven_are_missing() -> None:
    store(b"abc")
    for ask in (downloads.size, downloads.BlobReader, lambda digest: downloads.open_range(digest, 0, 1)):
        with pytest.raises(ObjectMissing):
            ask(sha(b"abc"))
    with pytest.raises(ObjectMissing):
        downloads.link(sha(b"abc"), filename="f", expires=60)


def test_a_quarantined_blob_is_missing_whatever_its_forms() -> None:
    keep(b"abc")
    Blob.objects.update(quarantined_at=timezone.now(), quarantine_reason="an admin said so")
    assert downloads.find_form(sha(b"abc")) is None
    with pytest.raises(ObjectMissing):
        downloads.size(sha(b"abc"))


def test_a_damaged_form_is_missing_until_the_bytes_come_again() -> None:
    data = random_bytes(100)
    form = keep(data, "one").forms.get()
    assert scrub.mark_damaged(form).quarantined_at
    assert downloads.find_form(sha(data)) is None
    blob = keep(data, "two")
    assert blob.quarantined_at is None
    assert kept_key(data) != form.key
    assert fetch(downloads.link(sha(data), filename="f", expires=60)).data == data


def test_new_bytes_do_not_lift_a_quarantine_that_has_another_reason() -> None:
    form = keep(b"abc", "one").forms.get()
    Blob.objects.update(quarantined_at=timezone.now(), quarantine_reason="an admin said so")
    scrub.mark_damaged(form)
    keep(b"abc", "two")
    assert downloads.find_form(sha(b"abc")) is None


def test_stopping_early_drops_the_connection_and_not_the_store() -> None:
    data = random_bytes(20 * MIB)
    keep(data)
    for _ in range(40):
        stream = downloads.open_range(sha(data), 0, len(data))
        assert next(stream) == data[:MIB]
        stream.close()
    with closing(downloads.open_range(sha(data), 5, 10)) as stream:
        assert b"".join(stream) == data[5:15]


def test_a_reader_reads_exactly_what_is_asked() -> None:
    data = random_bytes(1000)
    keep(data)
    reader = downloads.BlobReader(sha(data))
    assert reader.size == 1000
    assert reader.read(0, 8) == data[:8]
    assert reader.read(990, 10) == data[990:]
    assert reader.read(1000, 0) == b""
    for start, length in ((995, 10), (-1, 5), (1001, 0), (0, -1)):
        with pytest.raises(RangeNotSatisfiable):
            reader.read(start, length)


def test_a_key_that_is_gone_from_the_store_is_missing() -> None:
    keep(b"abc")
    s3.delete_keys([kept_key(b"abc")])
    with pytest.raises(ObjectMissing):
        downloads.open_range(sha(b"abc"), 0, 3)


def test_a_connection_that_breaks_in_the_middle_is_a_store_that_does_not_answer(relay: Relay) -> None:
    data = random_bytes(64 * MIB)
    keep(data)
    stream = downloads.open_range(sha(data), 0, len(data))
    next(stream)
    relay.lose = b"get /"
    with pytest.raises(StoreUnavailable):
        for _ in stream:
            pass


@pytest.mark.usefixtures("no_store")
def test_without_a_store_a_link_is_made_and_a_range_is_not() -> None:
    Blob.objects.create(sha256=sha(b"abc"), size=3).forms.create(key="blobs/none")
    assert downloads.link(sha(b"abc"), filename="f", expires=60)
    with pytest.raises(StoreUnavailable):
        downloads.open_range(sha(b"abc"), 0, 3)


def test_an_object_of_the_server_comes_back_from_its_key() -> None:
    oid, data = "ab" * 20, random_bytes(100_000)
    first, second = objects.put(oid, data), objects.put(oid, data)
    assert first != second
    assert objects.get(first) == objects.get(second) == data
    with pytest.raises(ObjectMissing):
        objects.get(first + "0")


def test_every_error_of_the_room_has_one_base() -> None:
    assert issubclass(ObjectMissing, StorageError) and issubclass(StoreUnavailable, StorageError)
