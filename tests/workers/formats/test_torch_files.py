"""PyTorch's files: what torch itself wrote is read, and nothing that a pickle asks for is ever run."""

import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.formats.pickles import (
    Call,
    Name,
    Raw,
    Storage,
    archive,
    dumped,
    legacy_file,
    state,
    torch_file,
    view,
)
from workers.formats.findings import FormatError
from workers.formats.reader import BytesReader
from workers.formats.torch_files import TorchTensor, read_torch

DATA = Path(__file__).parent / "data"
FLOATS = Storage("0", "F32", 6)
BYTES = bytes(range(24))
# What torch 2.13 saved into these files; the last two only where the type is new.
SAVED = {
    "a": ("F32", (6, 10)), "b": ("F16", (6, 10)), "bf": ("BF16", (6, 10)), "t": ("F32", (10, 6)),
    "view": ("F32", (3, 10)), "tail": ("F32", (50,)), "i": ("I64", (5,)), "boo": ("BOOL", (2,)),
    "scalar": ("F32", ()), "empty": ("F32", (0, 4)), "p": ("F32", (2, 10)), "exp": ("F32", (2, 5)),
    "d": ("F64", (6, 10)), "u8": ("U8", (4,)), "tied": ("F32", (6, 10)), "one": ("F32", (3, 1)),
}  # fmt: skip
NEW = {"f8": ("F8_E4M3", (6, 10)), "u16": ("U16", (4,))}

_watched: list[str] | None = None


def _watch(event: str, _: Any) -> None:
    if _watched is not None and event.partition(".")[0] in (
        "import",
        "exec",
        "compile",
        "os",
        "open",
        "subprocess",
    ):
        _watched.append(event)


sys.addaudithook(_watch)


def read(raw: bytes) -> list[TorchTensor]:
    return read_torch(BytesReader(raw))


def refusal(raw: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read(raw)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["zip", "legacy", "p4", "v3"])
def test_files_that_torch_wrote_are_read(kind: str) -> None:
    tensors = {tensor.name: tensor for tensor in read((DATA / f"torch-{kind}.bin").read_bytes())}
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()} == (
        SAVED | NEW if kind == "v3" else SAVED
    )
    assert tensors["t"].strides == (1, 10)
    assert tensors["exp"].strides == (1, 0)
    assert tensors["tied"].start == tensors["t"].start == tensors["a"].start
    assert tensors["a"].strides == tensors["one"].strides == ()


def test_a_pickled_module_is_refused_by_name() -> None:
    assert "'torch.nn.modules.container.Sequential'" in refusal((DATA / "torch-whole.bin").read_bytes())


def test_both_formats_written_by_hand_are_read() -> None:
    told, storages = state({"x": ("F32", (2, 3), BYTES), "y": ("U8", (4,), b"abcd")})
    by_key = {storage.key: raw for storage, raw in storages.items()}
    for raw in (torch_file(told, by_key), legacy_file(told, storages)):
        tensors = read(raw)
        assert [tensor[:3] for tensor in tensors] == [("x", "F32", (2, 3)), ("y", "U8", (4,))]
        assert [raw[tensor.start : tensor.end] for tensor in tensors] == [BYTES, b"abcd"]


HOSTILE = {
    "os.system": Call(Name("os", "system"), ("true",)),
    "posix.system": Call(Name("posix", "system"), ("true",)),
    "builtins.eval": Call(Name("builtins", "eval"), ("1",)),
    "builtins.getattr": Call(Name("builtins", "getattr"), ("x", "y")),
    "torch.load": Call(Name("torch", "load"), ("x",)),
    "torch._utils._rebuild_tensor_v2.__globals__": Call(
        Name("torch._utils", "_rebuild_tensor_v2.__globals__"), ()
    ),
    "numpy.core.multiarray._reconstruct": Call(Name("numpy.core.multiarray", "_reconstruct"), ()),
    "torch._utils._rebuild_sparse_tensor": Call(Name("torch._utils", "_rebuild_sparse_tensor"), ()),
    "nt.system": Raw(b"\x8c\x02nt\x8c\x06system\x93"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_pickle_asks_for_beside_tensors_is_refused_by_name(name: str) -> None:
    for raw in (torch_file({"x": HOSTILE[name]}, {}), legacy_file({"x": HOSTILE[name]}, {})):
        assert repr(name) in refusal(raw)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (b"cos\nsystem\n.", "'os.system'"),
        (b"(S'true'\nios\nsystem\n.", "operation b'S'"),
        (b"(ios\nsystem\n.", "operation b'i'"),
        (b"ctorch\nFloatStorage\n)\x81.", "operation b'\\x81'"),
        (b"\x82\x01.", "operation b'\\x82'"),
        (b"ctorch\nFloatStorage\n)R.", "only a name"),
        (b"K\x01)R.", "a int for a Name"),
        (b"NNb.", "a NoneType for a dict"),
        (b"K\x01}b.", "a int for a dict"),
        (b"}NK\x01s.", "a NoneType for a key"),
        (b"}))s.", "a tuple for a key"),
        (b"}(K\x01u.", "a key without a value"),
        (b"}K\x01K\x01sK\x01K\x01s.", "gives '1' twice"),
        (b"h\x05.", "recalls what it has not kept"),
        (b"\x8d" + struct.pack("<Q", 2**60) + b".", "ends within an item"),
        (b"X\xff\xff\xff\xff.", "ends within an item"),
        (b"t.", "no mark to go back to"),
        (b"(.", "takes what it has not made"),
        (b"Na.", "takes what it has not made"),
        (b"", "ends within an item"),
        (b"c" + b"a" * 2000 + b".", "a name without an end"),
        (b"\x80\x09.", "protocol above 5"),
        (b"N" * 2_100_000 + b".", "more than 2000000 operations"),
        (b"K\x01Q.", "a int for a tuple"),
        (b")Q.", "no storage"),
        (b"Nr\xff\xff\xff\xff0.", "operation b'0'"),
        (b"]r\xff\xff\xff\xff.", "holds no dict of tensors"),
        (b"K\x07" + b"h\x00\x86" * 3, "recalls what it has not kept"),
    ],
)
def test_an_odd_pickle_is_refused(code: bytes, told: str) -> None:
    assert told in refusal(archive({"data.pkl": code}))


def test_tuples_within_tuples_are_never_walked() -> None:
    code = b"K\x01\x85q\x00" + b"h\x00h\x00\x86q\x00" * 200_000 + b"."
    assert "no dict of tensors" in refusal(archive({"data.pkl": code}))


@pytest.mark.parametrize(
    ("tensor", "told"),
    [
        (view(FLOATS, (7,)), "reaches beyond its storage"),
        (view(FLOATS, (2, 3), (4, 1)), "reaches beyond its storage"),
        (view(FLOATS, (2,), (1,), 5), "reaches beyond its storage"),
        (view(FLOATS, (2,), (2**61,)), "reaches beyond its storage"),
        (view(FLOATS, (2,), (-1,), 1), "no whole number for a tensor's strides"),
        (view(FLOATS, (-1,)), "no whole number for a tensor's shape"),
        (view(FLOATS, (2**63,), (0,)), "no whole number for a tensor's shape"),
        (view(FLOATS, (2**61, 2**61), (0, 0)), "overflows 64 bits"),
        (view(FLOATS, (2**40,), (0,)), "cannot hold"),
        (view(FLOATS, (2,), (1, 1)), "shape and strides do not fit"),
        (view(FLOATS, (1,) * 17), "17 dimensions"),
        (view(FLOATS, (6,), None, 2**70), "no whole number for a tensor's offset"),
        (view(Storage("0", "F32", 5), (5,)), "has 24 bytes, not 20"),
        (view(Storage("9", "F32", 6), (6,)), "storage '9' is not there"),
        ([view(FLOATS, (6,))], "'x' is a list, no tensor"),
        (3, "'x' is a int, no tensor"),
    ],
)
def test_a_tensor_that_lies_about_its_numbers_is_refused(tensor: Any, told: str) -> None:
    assert told in refusal(torch_file({"x": tensor}, {"0": BYTES}))


def test_a_storage_told_in_two_ways_is_refused() -> None:
    told = {"x": view(FLOATS, (6,)), "y": view(Storage("0", "U8", 24), (24,))}
    assert "twice, and not the same" in refusal(torch_file(told, {"0": BYTES}))


def test_archives_that_torch_never_writes_are_refused() -> None:
    pickle = dumped({"x": view(FLOATS, (6,))})
    members = {"data.pkl": pickle, "data/0": BYTES}
    good = archive(members)
    assert read(good)[0].name == "x"
    assert "is packed" in refusal(archive(members, packed=True))
    assert "big-endian" in refusal(archive({**members, "byteorder": b"big"}))
    assert "TorchScript" in refusal(archive({**members, "constants.pkl": b""}))
    assert "0 data.pkl" in refusal(archive({"data/0": BYTES}))
    assert "2 data.pkl" in refusal(archive({**members, "b/data.pkl": pickle}))
    assert "checksum" in refusal(good.replace(b"FloatStorage", b"HalfStorage_", 1))
    assert "no end record" in refusal(good[:-30])


def test_members_over_one_another_are_refused() -> None:
    raw = bytearray(archive({"data.pkl": dumped({"x": view(FLOATS, (6,))}), "data/0": BYTES}))
    first, last = raw.index(b"PK\x01\x02"), raw.rindex(b"PK\x01\x02")
    raw[last + 42 : last + 46] = raw[first + 42 : first + 46]
    assert "is not where the directory says" in refusal(bytes(raw))


def test_big_and_older_files_are_refused_with_the_way_out() -> None:
    assert "save it as safetensors" in refusal(b"./pickle\0" + bytes(600))
    assert "save it as safetensors" in refusal(b"")
    assert "save it as safetensors" in refusal(dumped({"x": 1}))
    told, storages = state({"x": ("F32", (6,), BYTES)})
    assert "not whole" in refusal(legacy_file(told, storages)[:-1])


@settings(max_examples=400, deadline=None)
@given(
    source=st.sampled_from(["zip", "legacy", "v3", "p4", "whole"]),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
    inside=st.booleans(),
    end=st.one_of(st.none(), st.floats(0, 1)),
)
def test_a_changed_file_is_read_or_refused_and_runs_nothing(
    source: str, changes: list[tuple[float, int]], inside: bool, end: float | None
) -> None:
    """With `inside` only the pickle changes, and the archive around it is whole again."""
    global _watched
    raw = bytearray((DATA / f"torch-{source}.bin").read_bytes())
    inside = inside and source != "legacy"
    if inside:
        start = raw.index(b"\x80", 30)
        raw = raw[start : raw.index(b"PK", start)]
    for place, byte in changes:
        raw[int(place * len(raw))] = byte
    data = bytes(raw if end is None else raw[: int(end * len(raw))])
    data = archive({"data.pkl": data, **{f"data/{n}": bytes(400) for n in range(20)}}) if inside else data
    _watched = []
    try:
        read(data)
    except FormatError:
        pass
    finally:
        seen, _watched = _watched, None
    assert seen == []
