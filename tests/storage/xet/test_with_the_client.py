"""The formats against the stock client: it sends what this reads, and takes what this writes."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from storage.xet import chunking, hashes, shards, xorbs
from storage.xet.xorbs import Chunk
from tests.storage.xet import client
from tests.storage.xet.samples import random_bytes, weights, xorb_entry

MIXED = random_bytes(1_500_000, 20) + b"the same words again and again. " * 60_000 + weights(3_000_000, 21)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed"
    path.write_bytes(MIXED)
    return path


def plan(server: client.Sink, name: str, chunks: list[Chunk]) -> dict[str, Any]:
    """Return how to make a file of all the chunks of one xorb."""
    raw = sum(chunk.raw for chunk in chunks)
    span = {"start": 0, "end": len(chunks)}
    source = {"chunks": span, "bytes": {"start": 0, "end": chunks[-1].end - 1}}
    return {
        "offset_into_first_range": 0,
        "terms": [{"hash": name, "unpacked_length": raw, "range": span}],
        "xorbs": {name: [{"url": f"{server.endpoint}/bytes/{name}", "ranges": [source]}]},
    }


def test_what_the_client_sends_is_read_and_proves_itself(tmp_path: Path, mixed: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"hello world")
    with client.sink() as server:
        names = client.upload(server, tmp_path / "home", mixed, small)
    known = {}
    schemes = set()
    for name, data in server.xorbs.items():
        chunks, length = xorbs.read_xorb(data)
        assert length == len(data)
        assert hashes.to_text(hashes.xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks])) == name
        known[hashes.from_text(name)] = (data, chunks)
        schemes |= {data[chunk.start + 4] for chunk in chunks}
    assert schemes == {xorbs.PLAIN, xorbs.LZ4, xorbs.GROUPED}
    files = [file for data in server.shards for file in shards.read_shard(data).files]
    assert sorted(hashes.to_text(file.hash) for file in files) == sorted(names)
    for file in files:
        content = b""
        listed = []
        assert file.ranges is not None
        for term, proof in zip(file.terms, file.ranges, strict=True):
            data, all_chunks = known[term.xorb]
            chunks = all_chunks[term.start : term.end]
            listed += [(chunk.hash, chunk.raw) for chunk in chunks]
            assert proof == hashes.range_hash([chunk.hash for chunk in chunks])
            assert term.unpacked == sum(chunk.raw for chunk in chunks)
            content += b"".join(xorbs.decode(data[chunks[0].start : chunks[-1].end], chunks))
        assert hashes.file_hash(listed) == file.hash
        assert file.sha256 == hashlib.sha256(content).hexdigest()
        assert content in (MIXED, b"hello world")
    listed_xorbs = {xorb.hash: xorb for data in server.shards for xorb in shards.read_shard(data).xorbs}
    for name_bytes, (_, chunks) in known.items():
        assert [(digest, raw) for digest, _, raw in listed_xorbs[name_bytes].chunks] == [
            (chunk.hash, chunk.raw) for chunk in chunks
        ]


def test_the_client_reads_what_this_writes(tmp_path: Path) -> None:
    data = xorbs.write_xorb(list(chunking.cut(io.BytesIO(MIXED))))
    chunks, _ = xorbs.read_xorb(data)
    assert {data[chunk.start + 4] for chunk in chunks} == {xorbs.PLAIN, xorbs.LZ4, xorbs.GROUPED}
    pairs = [(chunk.hash, chunk.raw) for chunk in chunks]
    xorb, whole = hashes.to_text(hashes.xorb_hash(pairs)), hashes.to_text(hashes.file_hash(pairs))
    target = tmp_path / "target"
    with client.sink() as server:
        server.xorbs[xorb] = data
        server.recipes[whole] = plan(server, xorb, chunks)
        client.download(server, tmp_path / "home", target=target, name=whole, size=len(MIXED))
    assert target.read_bytes() == MIXED


def test_the_client_sends_no_chunk_that_an_answer_names(tmp_path: Path, mixed: Path) -> None:
    entry = xorb_entry(tuple(chunking.cut(io.BytesIO(MIXED))))
    answer = shards.write_dedup_shard([entry], random_bytes(32, 22), expires=4_000_000_000, created=1)
    first = hashes.to_text(entry.chunks[0][0])
    with client.sink() as server:
        server.known[first] = answer
        names = client.upload(server, tmp_path / "home", mixed)
    assert first in server.asked
    assert server.xorbs == {}
    (shard,) = [shards.read_shard(data) for data in server.shards]
    (file,) = shard.files
    assert [hashes.to_text(file.hash)] == names
    assert {term.xorb for term in file.terms} == {entry.hash}
    assert file.ranges == [
        hashes.range_hash([digest for digest, _, _ in entry.chunks[term.start : term.end]])
        for term in file.terms
    ]
