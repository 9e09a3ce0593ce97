"""A file is what its bytes say; a name that promises something else is a fault."""

import io
import json
import pickle
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.formats.build import ARCHITECTURE, codes, gguf, safetensors
from workers.formats.findings import Format
from workers.formats.reader import BytesReader
from workers.formats.sniff import inspect, named_format, sniff
from workers.formats.zip_names import zip_names


class Trap:
    """Unpickling this fails the test."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was loaded",)


def archive(*names: str, compressed: bool = False) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED) as made:
        for name in names:
            made.writestr(name, pickle.dumps(Trap()))
    return held.getvalue()


TORCH = archive("model/data.pkl", "model/data/0", "model/version")
FILES: dict[str, tuple[Format, bytes]] = {
    "a GGUF file": ("gguf", gguf([ARCHITECTURE], [])),
    "a safetensors file": ("safetensors", safetensors({})),
    "a shard index": ("shard-index", b'{\n  "metadata": {},\n  "weight_map": {}}'),
    "an archive of PyTorch": ("pickle", TORCH),
    "a pickle of protocol 2": ("pickle", pickle.dumps(Trap(), 2)),
    "a pickle of protocol 5": ("pickle", pickle.dumps(Trap(), 5)),
    "an archive of pictures": ("unknown", archive("a.png")),
    "an archive without its end": ("pickle", TORCH[:-30]),
    "an empty archive": ("unknown", archive()),
    "nothing": ("unknown", b""),
    "a config": ("unknown", b'{"architectures": ["Llama"]}'),
    "text": ("unknown", b"hello, world, this is text"),
}


@pytest.mark.parametrize(("kind", "raw"), FILES.values(), ids=FILES.keys())
def test_a_file_is_what_its_bytes_say(kind: Format, raw: bytes) -> None:
    assert sniff(BytesReader(raw)) == kind
    assert inspect(BytesReader(raw)).format == kind


def test_a_pickle_is_told_and_never_loaded() -> None:
    found = inspect(BytesReader(TORCH), name="pytorch_model.bin")
    assert (found.format, codes(found), found.ok) == ("pickle", ["pickle"], True)


def test_a_pickle_named_as_weights_is_refused() -> None:
    for name in ("model.safetensors", "MODEL.GGUF", "a.safetensors.index.json"):
        found = inspect(BytesReader(TORCH), name=name)
        assert (found.format, codes(found), found.ok) == ("pickle", ["wrong-format"], False)


def test_a_name_makes_a_broken_file_broken_rather_than_unknown() -> None:
    assert codes(inspect(BytesReader(b""), name="model.safetensors")) == ["truncated"]
    assert codes(inspect(BytesReader(b"GGU"), name="model.gguf")) == ["truncated"]
    assert codes(inspect(BytesReader(b"[]"), name="model.safetensors.index.json")) == ["bad-json"]


def test_names_promise_formats_whatever_their_case() -> None:
    assert named_format("sub/Model-00001-of-00002.SafeTensors") == "safetensors"
    assert named_format("x.safetensors.index.json") == "shard-index"
    assert named_format("x.gguf") == "gguf"
    assert named_format("x.bin") is None


def test_names_are_read_from_any_sound_archive() -> None:
    names = [f"folder/{number}" for number in range(300)]
    assert [name.decode() for name in zip_names(BytesReader(archive(*names, compressed=True)))] == names


@given(
    st.lists(st.tuples(st.integers(0, len(TORCH) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(TORCH)),
)
def test_damaged_archives_never_raise(changes: list[tuple[int, int]], length: int) -> None:
    raw = bytearray(TORCH)
    for position, value in changes:
        raw[position] = value
    inspect(BytesReader(bytes(raw[:length])))


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"GGUF\3\0\0\0", b"PK\3\4", b"\x80\4", b"\4\0\0\0\0\0\0\0{"]),
)
def test_any_bytes_are_judged_without_raising(raw: bytes, start: bytes) -> None:
    for name in ("", "a.safetensors", "a.gguf", "a.safetensors.index.json"):
        json.dumps(inspect(BytesReader(start + raw), name=name).to_json(), allow_nan=False).encode()
