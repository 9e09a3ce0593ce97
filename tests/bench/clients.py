"""Clients as programs of their own: each does one thing, times itself where that is asked, and prints the seconds."""

import itertools
import sys
import threading
import time
from collections.abc import Callable

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from huggingface_hub import hf_hub_download

# The parts that the hub asks for, so that both sides send the store the same requests.
PART = 64 * 2**20


def download(repo: str, name: str, cache: str) -> None:
    """Fetch one file into an empty cache; the time is the call's own, without the interpreter's start."""
    started = time.perf_counter()
    hf_hub_download(repo, name, cache_dir=cache)
    print(time.perf_counter() - started)


def fetch(url: str, size: str) -> None:
    """Fetch an address as plain bytes, redirects followed, and drop them; prints the seconds of the transfer."""
    started = time.perf_counter()
    with requests.get(url, stream=True, timeout=120) as answer:
        assert answer.status_code == 200, answer.text[:500]
        read = sum(len(piece) for piece in answer.raw.stream(2**20, decode_content=False))
    assert read == int(size), f"{read} of {size} bytes came"
    print(time.perf_counter() - started)


def pages(*urls: str) -> None:
    """Ask for pages in turn, one at a time, until the standard input ends; prints the milliseconds of each."""
    stopped = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(stopped,), daemon=True).start()
    with requests.Session() as session:
        for url in itertools.cycle(urls):
            if stopped.is_set():
                return
            started = time.perf_counter()
            session.get(url, timeout=120).raise_for_status()
            print((time.perf_counter() - started) * 1000)


def _wait_for_the_end(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def put(path: str, key: str, endpoint: str, bucket: str, access_key: str, secret_key: str) -> None:
    """Put a file into the store as boto3's ``upload_file`` does by default, but in the hub's part size."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        region_name="us-east-1",
    )  # fmt: skip
    client.upload_file(path, bucket, key, Config=TransferConfig(multipart_chunksize=PART))


def delete(key: str, endpoint: str, bucket: str, access_key: str, secret_key: str) -> None:
    """Take a file out of the store again."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        region_name="us-east-1",
    )  # fmt: skip
    client.delete_object(Bucket=bucket, Key=key)


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {
        "download": download,
        "fetch": fetch,
        "pages": pages,
        "put": put,
        "delete": delete,
    }
    programs[sys.argv[1]](*sys.argv[2:])
