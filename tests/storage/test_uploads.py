"""Bytes on their way in, by links and through the hub, until they are proven, rejected or given up."""

import threading
from io import BytesIO

import pytest
from django.db import connection

from storage import s3, settling, uploads
from storage.errors import (
    BadDigest,
    PartsMismatch,
    StoreUnavailable,
    UploadNotFound,
    WrongSize,
)
from storage.models import Condemned, Upload
from tests.storage.helpers import (
    MIB,
    PART,
    begin_in_parts,
    ignore,
    pieces,
    put,
    put_parts,
    random_bytes,
    sha,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_beginning_again_resumes_the_open_upload() -> None:
    first = uploads.begin(owner="repo", sha256=sha(b"a"), size=1)
    assert uploads.begin(owner="repo", sha256=sha(b"a"), size=1).pk == first.pk
    assert uploads.begin(owner="other", sha256=sha(b"a"), size=1).pk != first.pk
    assert uploads.begin(owner="repo", sha256=sha(b"b"), size=1).pk != first.pk


def test_beginning_again_moves_the_time_of_the_last_touch() -> None:
    first = uploads.begin(owner="repo", sha256=sha(b"a"), size=1)
    again = uploads.begin(owner="repo", sha256=sha(b"a"), size=1)
    assert uploads.get(again.pk).touched_at > first.touched_at


def test_resuming_in_parts_keeps_the_multipart_upload_of_the_store() -> None:
    data = random_bytes(PART + 1)
    first = begin_in_parts(data)
    assert first.s3_upload_id
    assert begin_in_parts(data).s3_upload_id == first.s3_upload_id


def test_a_client_that_knows_no_parts_is_not_given_an_upload_in_parts() -> None:
    data = random_bytes(PART + 1)
    in_parts = begin_in_parts(data)
    single = uploads.begin(owner="repo", sha256=sha(data), size=len(data))
    assert single.part_size == 0 and single.pk != in_parts.pk
    assert begin_in_parts(data).pk == in_parts.pk


def test_two_who_begin_at_once_get_the_same_upload() -> None:
    data, got = random_bytes(PART + 1), []

    def begin() -> None:
        got.append(begin_in_parts(data))
        connection.close()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(upload.pk, upload.s3_upload_id) for upload in got}) == 1
    key = got[0].final_key
    assert [number for name, number, _ in s3.list_multiparts() if name == key] == [got[0].s3_upload_id]


def test_an_upload_needs_a_digest_and_a_size() -> None:
    with pytest.raises(BadDigest):
        uploads.begin(owner="repo", sha256="x", size=1)
    with pytest.raises(WrongSize):
        uploads.begin(owner="repo", sha256=sha(b""), size=-1)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("size", [0, 1, MIB + 1, 2 * MIB])
def test_a_small_upload_goes_by_one_link_until_it_is_proven(size: int) -> None:
    data = random_bytes(size)
    upload = uploads.begin(owner="repo", sha256=sha(data), size=size, single_limit=2 * MIB)
    links = uploads.links(upload, expires=60)
    assert links.single and not links.parts and uploads.part_plan(upload) == []
    assert put(links.single, data).status == 200
    stored = uploads.finish(upload.pk)
    assert stored.state == "stored"
    assert settling.hash_stored(stored, progress=ignore) == sha(data)
    blob = settling.settle_proven(stored)
    assert (blob.sha256, blob.size) == (sha(data), size)
    assert uploads.get(upload.pk).state == "proven"
    assert s3.get_bytes(blob.forms.get().key) == data


def test_more_than_the_limit_goes_in_parts() -> None:
    assert uploads.begin(owner="r", sha256=sha(b"1"), size=uploads.SINGLE_LIMIT).part_size == 0
    large = uploads.begin(owner="r", sha256=sha(b"2"), size=uploads.SINGLE_LIMIT + 1)
    assert uploads.part_plan(large) == [(1, uploads.PART_SIZE), (2, 1)]
    uploads.abort(large)


@pytest.mark.parametrize("size", [1, PART, PART + 1, 2 * PART + 7])
def test_an_upload_in_parts_goes_by_links_until_it_is_proven(size: int) -> None:
    data = random_bytes(size)
    upload = begin_in_parts(data)
    seen = put_parts(upload, data)
    assert [length for _, length in uploads.part_plan(upload)] == [len(piece) for piece in pieces(data)]
    stored = uploads.finish(upload.pk, parts=seen)
    assert settling.hash_stored(stored, progress=ignore) == sha(data)
    assert s3.get_bytes(settling.settle_proven(stored).forms.get().key) == data


def test_parts_may_arrive_in_any_order_and_again() -> None:
    data = random_bytes(2 * PART + 7)
    upload = begin_in_parts(data)
    links = uploads.links(upload, expires=60).parts
    spoiled = put(links[1], b"x" * PART).headers["ETag"]
    etags = {number: put(links[number], pieces(data)[number]).headers["ETag"] for number in (2, 0, 1)}
    assert spoiled != etags[1]
    stored = uploads.finish(upload.pk, parts=[(number + 1, etag) for number, etag in sorted(etags.items())])
    assert settling.hash_stored(stored, progress=ignore) == sha(data)


def test_an_upload_in_parts_goes_through_the_hub() -> None:
    data = random_bytes(PART + 9)
    upload = begin_in_parts(data)
    for number, piece in enumerate(pieces(data), start=1):
        assert uploads.write_part(upload, number, BytesIO(piece), len(piece)).startswith('"')
    stored = uploads.finish(upload.pk)
    assert settling.hash_stored(stored, progress=ignore) == sha(data)


@pytest.mark.parametrize("sent", [b"", b"x" * 9, b"x" * 11, b"x" * (3 * MIB)])
def test_a_body_of_another_length_is_refused_and_cannot_be_finished(sent: bytes) -> None:
    upload = uploads.begin(owner="repo", sha256=sha(b"x" * 10), size=10)
    with pytest.raises(WrongSize):
        uploads.write_single(upload, BytesIO(sent), 10)
    with pytest.raises((UploadNotFound, WrongSize), match="arrived"):
        uploads.finish(upload.pk)
    assert uploads.get(upload.pk).state == "open"
    uploads.write_single(upload, BytesIO(b"x" * 10), 10)
    assert uploads.finish(upload.pk).state == "stored"


def test_an_empty_upload_takes_no_bytes_at_all() -> None:
    upload = uploads.begin(owner="repo", sha256=sha(b""), size=0)
    with pytest.raises(WrongSize):
        uploads.write_single(upload, BytesIO(b"x"), 0)
    assert s3.size_of(upload.staging_key) is None


@pytest.mark.parametrize("sent", [b"x" * (PART - 1), b"x" * (PART + 1)])
def test_a_part_of_another_length_is_refused_and_does_not_count(sent: bytes) -> None:
    data = random_bytes(PART + 9)
    upload = begin_in_parts(data)
    with pytest.raises(WrongSize):
        uploads.write_part(upload, 1, BytesIO(sent), PART)
    uploads.write_part(upload, 2, BytesIO(data[PART:]), 9)
    with pytest.raises(PartsMismatch, match="Part 1 has not arrived"):
        uploads.finish(upload.pk)
    uploads.write_part(upload, 1, BytesIO(data[:PART]), PART)
    assert settling.hash_stored(uploads.finish(upload.pk), progress=ignore) == sha(data)


def test_a_sender_who_breaks_off_is_told_apart_from_a_broken_store() -> None:
    class Dying(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            if not data:
                raise ConnectionResetError("the client went away")
            return data

    upload = uploads.begin(owner="repo", sha256=sha(b"x"), size=2 * MIB)
    with pytest.raises(WrongSize, match="broke off after 1000 of"):
        uploads.write_single(upload, Dying(b"x" * 1000), 2 * MIB)
    with pytest.raises((UploadNotFound, WrongSize), match="arrived"):
        uploads.finish(upload.pk)


def test_lengths_and_parts_that_are_not_planned_are_refused_before_a_byte_is_read() -> None:
    small = uploads.begin(owner="repo", sha256=sha(b"x"), size=10)
    large = begin_in_parts(random_bytes(PART + 9))
    unread = BytesIO(b"x" * 100)
    with pytest.raises(WrongSize):
        uploads.write_single(small, unread, 11)
    with pytest.raises(WrongSize):
        uploads.write_part(large, 2, unread, 10)
    for number in (0, 3, -1):
        with pytest.raises(PartsMismatch):
            uploads.write_part(large, number, unread, 9)
    with pytest.raises(PartsMismatch):
        uploads.write_single(large, unread, PART + 9)
    with pytest.raises(PartsMismatch):
        uploads.write_part(small, 1, unread, 10)
    assert unread.tell() == 0


def test_a_part_link_is_dead_once_the_upload_is_finished() -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data)
    replayed = uploads.links(upload, expires=60).parts[0]
    uploads.finish(upload.pk, parts=put_parts(upload, data))
    assert put(replayed, b"x" * PART).status == 404
    assert put(replayed.split("?")[0], b"x").status == 403
    assert s3.get_bytes(upload.final_key) == data


def test_a_replayed_single_link_cannot_change_what_was_stored() -> None:
    data = random_bytes(100)
    upload = uploads.begin(owner="repo", sha256=sha(data), size=100)
    link = uploads.links(upload, expires=60).single
    assert link and put(link, data).status == 200
    stored = uploads.finish(upload.pk)
    assert put(link, b"x" * 100).status == 200
    assert settling.hash_stored(stored, progress=ignore) == sha(data)
    assert uploads.finish(upload.pk).final_key == stored.final_key
    assert s3.get_bytes(stored.final_key) == data


@pytest.mark.usefixtures("no_store")
def test_without_a_store_nothing_begins_in_parts_and_the_next_try_can() -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as raised:
        begin_in_parts(random_bytes(PART + 1))
    assert "127.0.0.1" not in str(raised.value)


@pytest.mark.usefixtures("no_store")
def test_without_a_store_writing_fails_and_changes_nothing() -> None:
    upload = uploads.begin(owner="repo", sha256=sha(b"abc"), size=3)
    with pytest.raises(StoreUnavailable):
        uploads.write_single(upload, BytesIO(b"abc"), 3)
    with pytest.raises(StoreUnavailable):
        uploads.finish(upload.pk)
    assert uploads.get(upload.pk).state == "open"
    assert not Condemned.objects.exists()
