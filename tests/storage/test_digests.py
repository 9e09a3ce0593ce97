import hashlib
import uuid

import pytest

from storage import keys
from storage.digests import Digest, StreamHasher
from storage.errors import BadDigest

HEX = hashlib.sha256(b"weights").hexdigest()


def test_a_digest_is_64_lowercase_hex_digits() -> None:
    assert Digest.parse(HEX) == HEX


@pytest.mark.parametrize(
    "text", ["", HEX.upper(), HEX[:-1], HEX + "0", HEX + "\n", " " + HEX[1:], "g" * 64, "٠" * 64, "../" + HEX]
)
def test_anything_else_is_refused_with_the_text_that_was_given(text: str) -> None:
    with pytest.raises(BadDigest, match="64 lowercase hexadecimal"):
        Digest.parse(text)


def test_the_refusal_of_a_huge_text_is_short() -> None:
    with pytest.raises(BadDigest) as refused:
        Digest.parse("a" * 1_000_000)
    assert len(str(refused.value)) < 200


def test_the_stream_hasher_hashes_and_counts_what_passes() -> None:
    hasher = StreamHasher()
    hasher.update(b"wei")
    hasher.update(memoryview(b"ghts"))
    assert (hasher.digest(), hasher.size) == (HEX, 7)


def test_no_two_keys_are_the_same_even_for_the_same_digest() -> None:
    digest = Digest.parse(HEX)
    made = {keys.blob_key(digest) for _ in range(1000)}
    assert len(made) == 1000
    assert all(key.startswith(f"blobs/{HEX[:2]}/{HEX[2:4]}/{HEX}-") for key in made)
    assert min(len(key.rsplit("-", 1)[1]) for key in made) * 4 >= 80


def test_staging_and_git_keys_lie_apart_from_blobs() -> None:
    upload_id = uuid.uuid4()
    assert keys.staging_key(upload_id).startswith(f"staging/{upload_id}-")
    assert keys.git_key("ab" * 20).startswith(f"git/ab/{'ab' * 20}-")


@pytest.mark.parametrize("oid", ["", "../x", "AB" * 20, "ab" * 19, "ab/cd"])
def test_a_git_key_is_made_for_object_ids_only(oid: str) -> None:
    with pytest.raises(ValueError, match="git object id"):
        keys.git_key(oid)
