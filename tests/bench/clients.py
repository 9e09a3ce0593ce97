"""Clients as programs of their own: each does one thing, times itself where that is asked, and prints the seconds."""

import sys
import time
from collections.abc import Callable

import boto3
from boto3.s3.transfer import TransferConfig
from huggingface_hub import hf_hub_download

# The parts that the hub asks for, so that both sides send the store the same requests.
PART = 64 * 2**20


def download(repo: str, name: str, cache: str) -> None:
    """Fetch one file into an empty cache; the time is the call's own, without the interpreter's start."""
    started = time.perf_counter()
    hf_hub_download(repo, name, cache_dir=cache)
    print(time.perf_counter() - started)


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
    programs: dict[str, Callable[..., None]] = {"download": download, "put": put, "delete": delete}
    programs[sys.argv[1]](*sys.argv[2:])
