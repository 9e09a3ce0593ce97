"""What hostile files say of themselves is kept as far as the database keeps it; no inspection fails of it."""

import json
import struct

import pytest

from hub.catalog.models import CommitRecord, Job
from tests.factories import jobs_of, make_repo, make_viewer, push, push_large, work

pytestmark = pytest.mark.django_db


def _safetensors(name: str) -> bytes:
    header = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + b"\0" * 4


def _gguf(architecture: bytes) -> bytes:
    key = b"general.architecture"
    pair = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(architecture)) + architecture
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair


SMALL = {
    "config.json": [b'{"model_type":"a\\u0000"}', b'{"architectures":["\\ud800\\u0000"]}',
                    b'{"quantization_config":{"quant_method":"\\udfff"}}'],
    "model.safetensors.index.json": [b'{"weight_map":{"a\\u0000":"b\\u0000.safetensors","c":"\\ud800"}}'],
}  # fmt: skip
LARGE = {
    "m.gguf": _gguf(b"a\0b"),
    "m.safetensors": _safetensors("a\0b"),
    "n.safetensors": _safetensors("\ud800"),
}


@pytest.mark.parametrize(
    ("path", "content"), [(path, item) for path, items in SMALL.items() for item in items]
)
def test_odd_letters_in_small_files_fail_no_inspection(path: str, content: bytes) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    done = push(viewer, repo, {path: content})
    work()
    assert {job.state for job in jobs_of(repo, "inspect")} <= {Job.State.DONE}
    assert CommitRecord.objects.get(network=repo.network_id, oid=done.oid).facts["complete"]


@pytest.mark.parametrize("path", LARGE)
def test_odd_letters_in_weights_fail_no_inspection(path: str) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push_large(viewer, repo, path, LARGE[path])
    states = {job.state for job in jobs_of(repo, "inspect")}
    assert states == {Job.State.DONE}
