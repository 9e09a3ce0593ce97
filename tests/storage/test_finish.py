"""Finishing an upload: wrong parts, lost answers, killed processes, and two who finish at once."""

import json
import signal
import subprocess
import sys
import threading

import pytest
from django.conf import settings as live_settings
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from storage import s3, settling, uploads
from storage.errors import PartsMismatch, StorageError, StoreUnavailable, UploadClosed, UploadNotFound
from storage.models import Condemned, Upload
from tests.storage.faults import Relay
from tests.storage.helpers import PART, begin_in_parts, ignore, put, put_parts, random_bytes, sha, store

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = '"' + "0" * 32 + '"'


def _assembling() -> bytes:
    """Return how the request begins that puts parts together."""
    return f"post /{live_settings.HUB_S3['bucket']}/blobs/".lower().encode()


def _small(data: bytes) -> Upload:
    upload = uploads.begin(owner="repo", sha256=sha(data), size=len(data))
    link = uploads.links(upload, expires=60).single
    assert link and put(link, data).status == 200
    return upload


def test_finishing_again_returns_the_same_upload() -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data)
    seen = put_parts(upload, data)
    first = uploads.finish(upload.pk, parts=seen)
    assert uploads.finish(upload.pk, parts=seen).final_key == first.final_key
    assert uploads.finish(upload.pk).state == "stored"
    settling.settle_proven(first)
    assert uploads.finish(upload.pk, parts=seen).state == "proven"


def test_wrong_parts_leave_the_upload_open_and_right_ones_end_it() -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data)
    first, second = put_parts(upload, data)
    lists = [[], [first], [second], [first, first], [first, (2, WRONG)], [first, second, (3, WRONG)]]
    for wrong in lists:
        with pytest.raises(PartsMismatch):
            uploads.finish(upload.pk, parts=wrong)
        assert uploads.get(upload.pk).state == "open"
    assert uploads.finish(upload.pk, parts=[second, first]).state == "stored"


def test_a_part_that_did_not_arrive_is_named() -> None:
    data = random_bytes(2 * PART + 1)
    upload = begin_in_parts(data)
    links = uploads.links(upload, expires=60).parts
    put(links[0], data[:PART])
    put(links[2], data[2 * PART :])
    with pytest.raises(PartsMismatch, match="Part 2 has not arrived"):
        uploads.finish(upload.pk)
    put(links[1], data[PART : 2 * PART])
    assert settling.hash_stored(uploads.finish(upload.pk), progress=ignore) == sha(data)


def test_a_multipart_upload_that_the_store_gave_up_begins_anew() -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data)
    s3.abort_multipart(upload.final_key, upload.s3_upload_id)
    with pytest.raises(UploadNotFound, match="begin it again"):
        uploads.finish(upload.pk)
    again = begin_in_parts(data)
    assert again.pk != upload.pk
    assert uploads.finish(again.pk, parts=put_parts(again, data)).state == "stored"


def test_the_staged_copy_is_condemned_and_the_stored_one_is_not() -> None:
    upload = store(b"abc")
    assert list(Condemned.objects.values_list("key", flat=True)) == [upload.staging_key]


def test_a_lost_answer_after_the_copy_costs_a_key_but_no_bytes(relay: Relay, settings: Settings) -> None:
    upload = _small(b"abc")
    relay.lose = b"x-amz-copy-source"
    with pytest.raises(StoreUnavailable):
        uploads.finish(upload.pk)
    assert relay.carried_out.is_set()
    abandoned = uploads.get(upload.pk)
    assert abandoned.state == "open" and s3.size_of(abandoned.final_key) == 3
    relay.lose = None
    stored = uploads.finish(upload.pk)
    assert stored.final_key != abandoned.final_key
    condemned = set(Condemned.objects.values_list("key", flat=True))
    assert condemned == {abandoned.final_key, stored.staging_key}
    assert settling.hash_stored(stored, progress=ignore) == sha(b"abc")


def test_a_lost_answer_after_the_parts_were_put_together_is_made_good(relay: Relay) -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data)
    seen = put_parts(upload, data)
    relay.lose = _assembling()
    with pytest.raises(StoreUnavailable):
        uploads.finish(upload.pk, parts=seen)
    assert relay.carried_out.is_set()
    assert uploads.get(upload.pk).state == "open"
    relay.lose = None
    stored = uploads.finish(upload.pk, parts=seen)
    assert settling.hash_stored(stored, progress=ignore) == sha(data)
    assert not Condemned.objects.filter(key=stored.final_key).exists()


CHILD = """
import json, sys
import django
from django.conf import settings
given = json.loads(sys.argv[1])
settings.configure(DATABASES=given["databases"], HUB_S3=given["s3"], INSTALLED_APPS=["storage"], USE_TZ=True)
django.setup()
from storage import uploads
uploads.finish(sys.argv[2])
"""


def _finish_in_a_child(upload: Upload) -> subprocess.Popen[bytes]:
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")
    database = {name: connection.settings_dict[name] for name in names}
    given = json.dumps({"databases": {"default": database}, "s3": live_settings.HUB_S3})
    return subprocess.Popen([sys.executable, "-c", CHILD, given, str(upload.pk)])


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_process_killed_while_it_finishes_does_not_stop_the_next_one(relay: Relay, in_parts: bool) -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data) if in_parts else _small(data)
    if in_parts:
        put_parts(upload, data)
    relay.hold = _assembling() if in_parts else b"x-amz-copy-source"
    child = _finish_in_a_child(upload)
    assert relay.carried_out.wait(30)
    child.send_signal(signal.SIGKILL)
    child.wait()
    relay.hold = None
    relay.release.set()
    stored = uploads.finish(upload.pk)
    assert stored.state == "stored"
    assert settling.hash_stored(stored, progress=ignore) == sha(data)


def _finish_by_many(upload: Upload, parts: list[tuple[int, str]] | None) -> list[Upload | StorageError]:
    ended: list[Upload | StorageError] = []

    def finish() -> None:
        try:
            ended.append(uploads.finish(upload.pk, parts=parts))
        except StorageError as error:
            ended.append(error)
        connection.close()

    threads = [threading.Thread(target=finish) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


@pytest.mark.parametrize("in_parts", [False, True])
def test_all_who_finish_at_once_get_the_one_stored_object(in_parts: bool) -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data) if in_parts else _small(data)
    parts = put_parts(upload, data) if in_parts else None
    ended = _finish_by_many(upload, parts)
    assert {upload.final_key for upload in ended if isinstance(upload, Upload)} == {
        uploads.get(upload.pk).final_key
    }
    assert len(ended) == 6 and all(isinstance(upload, Upload) for upload in ended)
    assert not Condemned.objects.filter(key__startswith="blobs/").exists()


@pytest.mark.parametrize("in_parts", [False, True])
def test_an_upload_aborted_while_it_is_finished_stays_aborted(relay: Relay, in_parts: bool) -> None:
    data = random_bytes(PART + 1)
    upload = begin_in_parts(data) if in_parts else _small(data)
    if in_parts:
        put_parts(upload, data)
    relay.hold = _assembling() if in_parts else b"x-amz-copy-source"
    ended: list[Exception] = []

    def finish() -> None:
        try:
            uploads.finish(upload.pk)
        except StorageError as error:
            ended.append(error)
        connection.close()

    thread = threading.Thread(target=finish)
    thread.start()
    assert relay.carried_out.wait(30)
    relay.hold = None
    assert uploads.abort(upload)
    relay.release.set()
    thread.join()
    assert [type(error) for error in ended] == [UploadClosed]
    assert uploads.get(upload.pk).state == "aborted"
    key = uploads.get(upload.pk).final_key
    assert Condemned.objects.filter(key=key).exists()


def test_finishing_in_a_transaction_is_a_mistake_of_the_caller() -> None:
    upload = _small(b"abc")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        uploads.finish(upload.pk)
    assert uploads.finish(upload.pk).state == "stored"
