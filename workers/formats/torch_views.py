"""What a pickle of `torch.save` may say: storages, tensors as views of them, and dicts of these.

Every call that such a pickle makes stands here as a function that judges its arguments and builds a note of them.
"""

from dataclasses import dataclass, field
from typing import Any

from workers.formats.findings import FormatError
from workers.formats.pickled import Name, Rules, put_all
from workers.formats.safetensors import BITS

MAX_DIMENSIONS = 16

STORAGES = {
    "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
}  # fmt: skip
DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64", "bool": "BOOL",
    "complex64": "C64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}  # fmt: skip
UNTYPED = "torch.storage.UntypedStorage"
NAMES = {f"torch.{name}": dtype for name, dtype in (*STORAGES.items(), *DTYPES.items())} | {UNTYPED: "U8"}


@dataclass(frozen=True, slots=True)
class Storage:
    """What a pickle tells of numbers that are kept elsewhere."""

    key: str
    dtype: str
    number: int

    @property
    def size(self) -> int:
        return self.number * width(self.dtype)


@dataclass(frozen=True, slots=True)
class View:
    """A tensor before its storage is found."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(slots=True)
class Reading:
    """One file on its way: the storages that its pickle has named."""

    storages: dict[str, Storage] = field(default_factory=dict)

    def keep(self, given: tuple[Any, ...]) -> Storage:
        """The storage that a pickle refers to: ("storage", type, key, device, number of items[, view])."""
        if len(given) not in (5, 6) or given[5:] not in ((), (None,)):
            raise FormatError("bad-pickle", "the pickle refers to something that is no storage")
        kind, name, key, _, number = given[:5]
        if kind != "storage" or type(name) is not Name or type(key) is not str:
            raise FormatError("bad-pickle", "the pickle refers to something that is no storage")
        if name.name not in NAMES or name.name.removeprefix("torch.") in DTYPES:
            raise FormatError("bad-pickle", f"the pickle has {name.name!r} for the type of a storage")
        storage = Storage(key, NAMES[name.name], _whole(number, "a storage's length"))
        known = self.storages.setdefault(key, storage)
        if known != storage:
            raise FormatError("bad-pickle", f"the pickle tells storage {key[:200]!r} twice, and not the same")
        return known

    @property
    def rules(self) -> Rules:
        calls = {
            "collections.OrderedDict": _ordered,
            "torch._utils._rebuild_tensor": _tensor,
            "torch._utils._rebuild_tensor_v2": _tensor,
            "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
            "torch._utils._rebuild_parameter": _parameter,
        }
        return Rules(calls, NAMES, self.keep)


def _ordered(given: tuple[Any, ...]) -> dict[Any, Any]:
    """A dict that keeps its order: empty, or of a list of pairs as Python 2 wrote it."""
    made: dict[Any, Any] = {}
    pairs = given[0] if given else []
    if (
        len(given) > 1
        or type(pairs) is not list
        or any(type(pair) not in (list, tuple) or len(pair) != 2 for pair in pairs)
    ):
        raise FormatError("bad-pickle", "the pickle makes an OrderedDict of something else than pairs")
    put_all(made, pairs)
    return made


def _tensor(given: tuple[Any, ...]) -> View:
    """Of (storage, offset, shape, strides[, requires_grad, hooks[, metadata]])."""
    if not 4 <= len(given) <= 7 or type(given[0]) is not Storage:
        raise FormatError("bad-pickle", "the pickle makes a tensor of something that is no storage")
    storage, offset, shape, strides = given[:4]
    return _view(storage, storage.dtype, offset, shape, strides)


def _tensor_of_dtype(given: tuple[Any, ...]) -> View:
    """Of (storage, offset, shape, strides, requires_grad, hooks, dtype[, metadata])."""
    if not 7 <= len(given) <= 8 or type(given[0]) is not Storage or type(given[6]) is not Name:
        raise FormatError("bad-pickle", "the pickle makes a tensor of something that is no storage")
    name = given[6].name.removeprefix("torch.")
    if name not in DTYPES:
        raise FormatError("unknown-dtype", f"the pickle has {name[:200]!r} for a type of numbers")
    return _view(given[0], DTYPES[name], *given[1:4])


def _view(storage: Storage, dtype: str, offset: object, shape: object, strides: object) -> View:
    if type(shape) is not tuple or type(strides) is not tuple or len(shape) != len(strides):
        raise FormatError("bad-shape", "the pickle has a tensor whose shape and strides do not fit")
    if len(shape) > MAX_DIMENSIONS:
        raise FormatError("bad-shape", f"the pickle has a tensor of {len(shape)} dimensions")
    shape = tuple(_whole(size, "a tensor's shape") for size in shape)
    strides = tuple(_whole(size, "a tensor's strides") for size in strides)
    return View(storage, dtype, _whole(offset, "a tensor's offset"), shape, strides)


def _parameter(given: tuple[Any, ...]) -> View:
    if not given or type(given[0]) is not View:
        raise FormatError("bad-pickle", "the pickle makes a parameter of something that is no tensor")
    return given[0]


def _whole(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 2**62:
        raise FormatError("bad-shape", f"the pickle has no whole number for {what}")
    return value


def width(dtype: str) -> int:
    """Bytes of one number."""
    return BITS[dtype] // 8
