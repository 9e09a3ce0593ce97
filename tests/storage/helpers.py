"""What the tests of the storage room share: bytes, a client that only knows links, and ways to store and spoil."""

import hashlib
import os
from datetime import timedelta
from io import BytesIO

import urllib3
from django.utils import timezone

from storage import downloads, s3, settling, uploads
from storage.models import Blob, Upload

MIB = 2**20
PART = 5 * MIB
_http = urllib3.PoolManager(retries=False)


def random_bytes(size: int) -> bytes:
    return os.urandom(size)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def ignore(_: int) -> None:
    """Take progress and do nothing with it."""


def put(link: str, data: bytes) -> urllib3.BaseHTTPResponse:
    """PUT as the stock client does: no headers of ours, only the length that every client sends."""
    return _http.request("PUT", link, body=data, headers={"Content-Length": str(len(data))})


def fetch(link: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    return _http.request(method, link, headers=headers)


def begin_in_parts(data: bytes, owner: str = "repo") -> Upload:
    return uploads.begin(owner=owner, sha256=sha(data), size=len(data), single_limit=0, part_size=PART)


def pieces(data: bytes) -> list[bytes]:
    return [data[start : start + PART] for start in range(0, len(data), PART)]


def put_parts(upload: Upload, data: bytes) -> list[tuple[int, str]]:
    """Send every part by its link and return what the client saw."""
    links = uploads.links(upload, expires=60).parts
    answers = [put(link, piece) for link, piece in zip(links, pieces(data), strict=True)]
    assert [answer.status for answer in answers] == [200] * len(links)
    return [(number, answer.headers["ETag"]) for number, answer in enumerate(answers, start=1)]


def store(data: bytes, owner: str = "repo", sha256: str = "") -> Upload:
    """Upload small bytes through the hub up to the state stored."""
    upload = uploads.begin(owner=owner, sha256=sha256 or sha(data), size=len(data))
    uploads.write_single(upload, BytesIO(data), len(data))
    return uploads.finish(upload.pk)


def keep(data: bytes, owner: str = "repo") -> Blob:
    """Upload small bytes and prove them."""
    return settling.settle_proven(store(data, owner))


def overwrite(key: str, data: bytes) -> None:
    """Damage a stored object, as a broken disk would."""
    s3.put_bytes(key, data)


def kept_key(data: bytes) -> str:
    form = downloads.find_form(sha(data))
    assert form
    return form.key


def age(upload: Upload, by: timedelta) -> None:
    Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now() - by)
