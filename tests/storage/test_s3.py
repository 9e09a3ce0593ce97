"""The object store itself, where the other tests do not reach it."""

import multiprocessing
import os

import pytest
from pytest_django.fixtures import Settings

from storage import s3
from storage.errors import ObjectMissing, StoreUnavailable
from tests.storage.helpers import PART, random_bytes


def test_a_bucket_that_is_not_there_is_made(settings: Settings) -> None:
    settings.HUB_S3 = {**settings.HUB_S3, "bucket": "made-" + random_bytes(6).hex()}
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        s3.put_bytes("k", b"x")
    s3.ensure_bucket()
    s3.put_bytes("k", b"x")
    assert s3.get_bytes("k") == b"x"


def test_wrong_keys_to_the_store_are_told_without_showing_them(settings: Settings) -> None:
    settings.HUB_S3 = {**settings.HUB_S3, "secret_key": "not-the-secret"}
    with pytest.raises(StoreUnavailable) as refused:
        s3.put_bytes("k", b"x")
    assert "not-the-secret" not in str(refused.value)


def test_a_store_that_is_not_configured_is_told_by_the_name_of_the_setting(settings: Settings) -> None:
    settings.HUB_S3 = {**settings.HUB_S3, "endpoint": ""}
    with pytest.raises(StoreUnavailable, match="HUB_S3_ENDPOINT"):
        s3.put_bytes("k", b"x")


def test_copying_what_is_not_there_is_refused() -> None:
    with pytest.raises(ObjectMissing):
        s3.copy("blobs/none", "blobs/other", 1)
    assert s3.size_of("blobs/other") is None


def test_a_large_object_is_copied_piece_by_piece() -> None:
    data = random_bytes(2 * PART + 7)
    s3.put_bytes("blobs/large", data)
    s3.copy("blobs/large", "blobs/large-copy", len(data), piece=PART)
    assert s3.get_bytes("blobs/large-copy") == data


def test_a_copy_piece_by_piece_that_fails_leaves_nothing() -> None:
    with pytest.raises(ObjectMissing):
        s3.copy("blobs/none", "blobs/failed", 2 * PART, piece=PART)
    assert s3.size_of("blobs/failed") is None
    assert "blobs/failed" not in {key for key, _, _ in s3.list_multiparts()}


def test_a_key_that_is_not_there_counts_as_deleted() -> None:
    s3.put_bytes("blobs/there", b"x")
    assert s3.delete_keys(["blobs/there", "blobs/not-there"]) == ["blobs/there", "blobs/not-there"]
    assert s3.delete_keys([]) == []


def _read(key: str) -> None:
    os._exit(0 if s3.get_bytes(key) == b"shared" else 1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own() -> None:
    s3.put_bytes("blobs/shared", b"shared")
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_read, args=("blobs/shared",)) for _ in range(3)]
    for child in children:
        child.start()
    for _ in range(20):
        assert s3.get_bytes("blobs/shared") == b"shared"
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
