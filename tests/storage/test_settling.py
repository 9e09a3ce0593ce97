"""How an upload ends: proven, rejected, aborted or forgotten."""

import threading
from io import BytesIO

import pytest
from django.db import connection, transaction

from storage import downloads, s3, settling, uploads
from storage.errors import (
    UploadClosed,
    UploadNotFound,
    WrongSize,
)
from storage.models import Blob, Condemned, Form, Upload
from tests.storage.helpers import (
    MIB,
    PART,
    begin_in_parts,
    ignore,
    keep,
    put,
    random_bytes,
    sha,
    store,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_bytes_that_hash_to_something_else_are_rejected_and_never_handed_out() -> None:
    upload = store(b"something else", sha256=sha(b"what was said!"))
    assert settling.hash_stored(upload, progress=ignore) == sha(b"something else")
    with transaction.atomic():
        settling.settle_rejected(upload, problem="The bytes hash to something else.")
    rejected = uploads.get(upload.pk)
    assert (rejected.state, rejected.problem) == ("rejected", "The bytes hash to something else.")
    assert Condemned.objects.filter(key=upload.final_key).exists()
    assert downloads.find_form(sha(b"what was said!")) is None
    with pytest.raises(UploadClosed):
        settling.settle_proven(upload)
    with pytest.raises(UploadClosed):
        uploads.finish(upload.pk)


def test_the_same_bytes_by_two_owners_are_kept_once() -> None:
    data = random_bytes(50)
    first, second = store(data, "one"), store(data, "two")
    assert settling.settle_proven(first) == settling.settle_proven(second)
    assert Form.objects.get().key == first.final_key
    assert Condemned.objects.filter(key=second.final_key).exists()


def test_two_proofs_at_once_make_one_blob_with_one_form() -> None:
    data, failures = random_bytes(50), []
    stored = [store(data, f"owner {number}") for number in range(6)]

    def settle(upload: Upload) -> None:
        try:
            settling.settle_proven(upload)
        except Exception as error:
            failures.append(error)
        connection.close()

    threads = [threading.Thread(target=settle, args=(upload,)) for upload in stored]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (Blob.objects.count(), Form.objects.count()) == (1, 1)
    lost = {upload.final_key for upload in stored} - {Form.objects.get().key}
    assert lost == set(Condemned.objects.filter(key__startswith="blobs/").values_list("key", flat=True))


def test_settling_again_changes_nothing() -> None:
    upload = store(b"abc")
    blob = settling.settle_proven(upload)
    assert settling.settle_proven(upload) == blob
    assert not Condemned.objects.filter(key=upload.final_key).exists()


def test_a_proof_that_the_caller_takes_back_leaves_nothing_behind() -> None:
    upload = store(b"abc")
    with pytest.raises(RuntimeError), transaction.atomic():
        settling.settle_proven(upload)
        raise RuntimeError
    assert uploads.get(upload.pk).state == "stored"
    assert not Blob.objects.exists()


def test_find_gives_the_latest_upload_that_is_of_use() -> None:
    assert uploads.find("repo", sha(b"abc")) is None
    gone = uploads.begin(owner="repo", sha256=sha(b"abc"), size=3)
    uploads.abort(gone)
    assert uploads.find("repo", sha(b"abc")) is None
    stored = store(b"abc")
    assert uploads.find("repo", sha(b"abc")) == stored
    assert uploads.find("other", sha(b"abc")) is None


def test_an_upload_that_nobody_began_is_not_found() -> None:
    for strange in ("", "x", "0" * 32):
        with pytest.raises(UploadNotFound):
            uploads.get(strange)
        with pytest.raises(UploadNotFound):
            uploads.finish(strange)


@pytest.mark.parametrize("in_parts", [False, True])
def test_an_aborted_upload_takes_no_more_bytes(in_parts: bool) -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data) if in_parts else uploads.begin(owner="r", sha256=sha(data), size=len(data))
    links = uploads.links(upload, expires=60)
    assert uploads.abort(upload)
    assert not uploads.abort(upload)
    closed = uploads.get(upload.pk)
    assert closed.state == "aborted"
    with pytest.raises(UploadClosed):
        uploads.links(closed, expires=60)
    with pytest.raises(UploadClosed):
        uploads.finish(upload.pk)
    if in_parts:
        assert put(links.parts[0], data[:PART]).status == 404
        with pytest.raises(UploadNotFound):
            uploads.write_part(upload, 1, BytesIO(data[:PART]), PART)


def test_a_proven_upload_is_not_aborted() -> None:
    keep(b"abc")
    upload = uploads.find("repo", sha(b"abc"))
    assert upload and not uploads.abort(upload)
    assert downloads.find_form(sha(b"abc"))


def test_progress_counts_up_to_the_size_and_may_stop_the_hashing() -> None:
    data = random_bytes(9 * MIB)
    upload = store(data)
    seen: list[int] = []
    settling.hash_stored(upload, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == len(data) and len(seen) >= 2

    def stop(_: int) -> None:
        raise InterruptedError("the lease is lost")

    with pytest.raises(InterruptedError):
        settling.hash_stored(upload, progress=stop)


def test_hashing_notices_an_object_of_another_size_or_none() -> None:
    upload = store(b"abc")
    s3.put_bytes(upload.final_key, b"abcd")
    with pytest.raises(WrongSize):
        settling.hash_stored(upload, progress=ignore)
    with pytest.raises(UploadClosed):
        settling.hash_stored(uploads.begin(owner="r", sha256=sha(b"q"), size=1), progress=ignore)
