"""Links: the same signature as boto3's, and what the store refuses."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from storage import presign, s3, signing
from storage.digests import Digest
from storage.keys import blob_key
from tests.storage.helpers import fetch, put, random_bytes, sha

PLACE = presign.Place("http://store.example:8333", "hub", "AKIA", "secret/key+", "eu-north-1")
_boto = boto3.session.Session().client(
    "s3",
    region_name=PLACE.region,
    endpoint_url=PLACE.endpoint,
    aws_access_key_id=PLACE.access_key,
    aws_secret_access_key=PLACE.secret_key,
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
)


def _parts(link: str) -> tuple[str, str, dict[str, list[str]]]:
    parts = urlsplit(link)
    return parts.netloc, parts.path, parse_qs(parts.query, keep_blank_values=True)


def _moment(link: str) -> datetime:
    date = parse_qs(urlsplit(link).query)["X-Amz-Date"][0]
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


@given(key=st.text("aZ09/-_.~ +%&=?#äü漢\"'()*!", min_size=1).filter(lambda key: not key.startswith("/")))
def test_a_read_link_is_the_one_that_boto3_signs(key: str) -> None:
    saved = signing.disposition(key)
    params = {"Bucket": "hub", "Key": key, "ResponseContentDisposition": saved, "ResponseContentType": "a/b"}
    theirs = _boto.generate_presigned_url("get_object", Params=params, ExpiresIn=77)
    query = {"response-content-disposition": saved, "response-content-type": "a/b"}
    ours = presign.link(PLACE, "GET", key, expires=77, now=_moment(theirs), query=query)
    assert _parts(ours) == _parts(theirs)


def test_a_part_link_is_the_one_that_boto3_signs() -> None:
    params = {"Bucket": "hub", "Key": "k", "UploadId": "u/+=", "PartNumber": 7, "ContentLength": 5}
    theirs = _boto.generate_presigned_url("upload_part", Params=params, ExpiresIn=600)
    ours = presign.link(
        PLACE,
        "PUT",
        "k",
        expires=600,
        now=_moment(theirs),
        query={"partNumber": "7", "uploadId": "u/+="},
        headers={"Content-Length": "5"},
    )
    assert _parts(ours) == _parts(theirs)
    assert _parts(ours)[2]["X-Amz-SignedHeaders"] == ["content-length;host"]


@pytest.mark.parametrize("expires", [0, -1, presign.MAX_EXPIRES + 1])
def test_a_link_that_lives_no_time_or_more_than_a_week_is_refused(expires: int) -> None:
    with pytest.raises(ValueError, match="seconds"):
        presign.link(PLACE, "GET", "k", expires=expires, now=datetime.now(UTC))


def test_signing_a_link_takes_less_than_half_of_the_time_of_boto3() -> None:
    asked = {"Bucket": "hub", "Key": "key", "UploadId": "upload", "PartNumber": 7, "ContentLength": 5}

    def of_fifty(sign: Callable[[], str]) -> float:
        start = time.process_time()
        for _ in range(50):
            sign()
        return time.process_time() - start

    def ours() -> str:
        return signing.presign_part("key", "upload", 7, length=5, expires=600)

    def theirs() -> str:
        return _boto.generate_presigned_url("upload_part", Params=asked, ExpiresIn=600)

    assert min(of_fifty(ours) for _ in range(5)) < min(of_fifty(theirs) for _ in range(5)) / 2


@pytest.mark.parametrize(
    ("filename", "wanted"),
    [
        (
            "model.safetensors",
            "attachment; filename=\"model.safetensors\"; filename*=UTF-8''model.safetensors",
        ),
        ("a/b/c d.bin", "attachment; filename=\"c d.bin\"; filename*=UTF-8''c%20d.bin"),
        (
            'x"\r\nSet-Cookie: a=b',
            "attachment; filename=\"x_Set-Cookie: a=b\"; filename*=UTF-8''x%22Set-Cookie%3A%20a%3Db",
        ),
        ("größe.gguf", "attachment; filename=\"gr__e.gguf\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.gguf"),
    ],
)
def test_a_file_is_saved_under_its_own_name_and_nothing_more(filename: str, wanted: str) -> None:
    assert signing.disposition(filename) == wanted


@pytest.fixture
def stored() -> tuple[str, bytes]:
    data = random_bytes(1000)
    key = blob_key(Digest.parse(sha(data)))
    s3.put_bytes(key, data)
    return key, data


def test_a_read_link_gives_the_bytes_their_name_and_their_ranges(stored: tuple[str, bytes]) -> None:
    key, data = stored
    link = signing.presign_get(key, filename="d/größe.bin", content_type="application/x-test", expires=60)
    whole, part = fetch(link), fetch(link, Range="bytes=10-19")
    assert (whole.status, whole.data) == (200, data)
    assert whole.headers["Content-Type"] == "application/x-test"
    assert whole.headers["Content-Disposition"] == signing.disposition("größe.bin")
    assert (part.status, part.data, part.headers["Content-Range"]) == (206, data[10:20], "bytes 10-19/1000")


def test_a_link_that_was_changed_or_is_used_otherwise_is_refused(stored: tuple[str, bytes]) -> None:
    key, data = stored
    link = signing.presign_get(key, filename="f", content_type="a/b", expires=60)
    other = key.replace("blobs/", "blobs//")
    assert fetch(link.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")).status == 403
    assert fetch(link.replace("a%2Fb", "text%2Fhtml")).status == 403
    assert fetch(link.replace(key, other)).status in (403, 404)
    assert fetch(link[:-1] + ("0" if link[-1] != "0" else "1")).status == 403
    assert put(link, b"other").status == 403
    assert fetch(link, "DELETE").status == 403
    assert s3.get_bytes(key) == data


def test_an_expired_link_is_refused(stored: tuple[str, bytes]) -> None:
    link = signing.presign_get(stored[0], filename="f", content_type="a/b", expires=1)
    time.sleep(2.1)
    assert fetch(link).status == 403


def test_a_write_link_takes_exactly_the_announced_length() -> None:
    key = "staging/length-test-" + random_bytes(12).hex()
    link = signing.presign_put(key, length=100, expires=60)
    assert put(link, b"x" * 99).status == 403
    assert put(link, b"x" * 101).status == 403
    assert s3.size_of(key) is None
    assert put(link, b"x" * 100).status == 200
    assert s3.size_of(key) == 100


def test_links_for_clients_name_the_public_endpoint(settings: Settings) -> None:
    settings.HUB_S3 = {**settings.HUB_S3, "public_endpoint": "https://bytes.example.org/s3"}
    link = signing.presign_get("k", filename="f", content_type="a/b", expires=60)
    assert link.startswith(f"https://bytes.example.org/s3/{settings.HUB_S3['bucket']}/k?")
