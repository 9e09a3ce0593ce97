"""What will be written: every tensor with its type and size, every shard with its header and offsets.

All of it is known before the first weight is read, so headers are written first and hashed as they go.
"""

import os
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from workers.formats.added_metadata import Metadata, merged, typed
from workers.formats.layout import align_up
from workers.quantizing.errors import QuantizeError
from workers.quantizing.importance import Importance, read_importance
from workers.quantizing.mix import TOKEN_EMBEDDINGS, Choice, Wishes, choose_types
from workers.quantizing.model import SHARD, Model, SourceTensor
from workers.quantizing.pairs import I32, U16, U32, Pair, number_pair, string, text_pair
from workers.quantizing.traits import read_traits
from workers.quantizing.types import FLOATS, MADE, NUMBERS, FileType, bytes_of, file_type, tensor_type

# The stock client of hubs refuses files above 50 GB; headers come on top of a shard's data.
SPLIT_BYTES = 48 * 10**9
VERSION = 3
QUANTIZATION_VERSION = 2
# Rows above this would take too much memory; the longest in use have a few hundred thousand weights.
MAX_COLUMNS = 2**24
# llama-quantize keeps texts about the importance matrix in 128 bytes, the last of them NUL.
MAX_LABEL = 127
MAX_SHARDS = 65_535

FILE_TYPE, QUANTIZATION = "general.file_type", "general.quantization_version"
SPLIT_NO, SPLIT_COUNT, SPLIT_TENSORS = "split.no", "split.count", "split.tensors.count"
IMATRIX_FILE, IMATRIX_DATASET = "quantize.imatrix.file", "quantize.imatrix.dataset"
IMATRIX_ENTRIES, IMATRIX_CHUNKS = "quantize.imatrix.entries_count", "quantize.imatrix.chunks_count"


@dataclass(frozen=True, slots=True)
class Options:
    """How to quantize beside the file type; names and defaults are those of the command line.

    `imatrix_label` is what the file says of its importance matrix: the path by default. `tensor_types` pairs
    patterns with types. `measure` adds the relative error of every quantized tensor to the outcome. `metadata` maps
    keys to texts, numbers, booleans or lists of them, and goes into the (first) header behind the model's own
    general.* keys, or over keys of the same name; without it the file is llama-quantize's to the last byte.
    """

    imatrix: str | None = None
    imatrix_label: str | None = None
    pure: bool = False
    leave_output: bool = False
    allow_requantize: bool = False
    output_tensor_type: str | None = None
    token_embedding_type: str | None = None
    tensor_types: tuple[tuple[str, str], ...] = ()
    threads: int | None = None
    split_bytes: int = SPLIT_BYTES
    measure: bool = False
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One tensor of the output."""

    source: SourceTensor
    type: str
    size: int
    instead_of: str | None = None
    important: bool = False

    @property
    def changes(self) -> bool:
        return self.type != self.source.type


@dataclass(slots=True)
class Shard:
    """One output file: header first, then every tensor padded to the alignment."""

    path: Path
    header: bytes = b""
    tensors: list[Planned] = field(default_factory=list)
    data_size: int = 0

    @property
    def size(self) -> int:
        return len(self.header) + self.data_size


@dataclass(frozen=True, slots=True)
class Plan:
    """`lacking` is a tensor whose type would be useless without an importance matrix, and there is none for it."""

    file: FileType
    shards: list[Shard]
    alignment: int
    importance: Importance | None
    lacking: str | None

    @property
    def tensors(self) -> list[Planned]:
        return [tensor for shard in self.shards for tensor in shard.tensors]

    @property
    def size(self) -> int:
        return sum(shard.size for shard in self.shards)


def make_plan(model: Model, target: Path, type_name: str, options: Options) -> Plan:
    """Decide everything. Raises QuantizeError for what cannot be done, before anything is written."""
    file = file_type(type_name)
    importance = _importance(model, options)
    choices = choose_types(
        model.tensors,
        traits=read_traits(model),
        file=file,
        wishes=_wishes(options),
        has_imatrix=importance is not None,
    )
    tensors = [
        _planned(tensor, choice, importance, options)
        for tensor, choice in zip(model.tensors, choices, strict=True)
    ]
    shards = _shards(model, tensors, target, options.split_bytes)
    _write_headers(shards, _pairs(model, file, importance, options), model.alignment)
    return Plan(file, shards, model.alignment, importance, _lacking(tensors, file, importance))


def _importance(model: Model, options: Options) -> Importance | None:
    """The matrix that was given. One that fits no tensor llama-quantize would name in the file and not use."""
    if options.imatrix is None:
        return None
    importance = read_importance(Path(options.imatrix))
    if importance.entries.keys().isdisjoint(tensor.name for tensor in model.tensors):
        raise QuantizeError(
            f"{importance.path}: no entry is for a tensor of {model.paths[0]}; it was made for another model"
        )
    return importance


def _wishes(options: Options) -> Wishes:
    output, embedding = options.output_tensor_type, options.token_embedding_type
    return Wishes(
        pure=options.pure,
        leave_output=options.leave_output,
        output=tensor_type(output) if output else None,
        token_embedding=tensor_type(embedding) if embedding else None,
        patterns=tuple((_pattern(text), tensor_type(name)) for text, name in options.tensor_types),
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise QuantizeError(f"the pattern {text!r} for tensor types is wrong: {error}") from error


def _planned(
    tensor: SourceTensor, choice: Choice, importance: Importance | None, options: Options
) -> Planned:
    if choice.type == tensor.type:
        return Planned(tensor, tensor.type, tensor.size)
    if tensor.type not in MADE:
        raise QuantizeError(f"tensor {tensor.name!r}: {tensor.type} cannot be turned into {choice.type}")
    if tensor.type not in FLOATS and not options.allow_requantize:
        raise QuantizeError(
            f"tensor {tensor.name!r} is {tensor.type} already, and quantizing it again loses more; begin with "
            "F16, BF16 or F32, or allow it with --allow-requantize"
        )
    if tensor.columns > MAX_COLUMNS:
        raise QuantizeError(
            f"tensor {tensor.name!r}: a row has {tensor.columns} weights; the limit is {MAX_COLUMNS}"
        )
    size = bytes_of(choice.type, tensor.columns) * tensor.rows
    return Planned(tensor, choice.type, size, choice.instead_of, _is_important(tensor, importance))


def _is_important(tensor: SourceTensor, importance: Importance | None) -> bool:
    """Whether the matrix has an entry for the tensor; one of another size is an error."""
    entry = importance.entries.get(tensor.name) if importance is not None else None
    if importance is None or entry is None:
        return False
    expected = tensor.columns * tensor.experts
    if entry.weights == expected:
        return True
    if tensor.name in TOKEN_EMBEDDINGS:
        # Embeddings are looked up, not multiplied with, so their entry counts something else.
        return False
    raise QuantizeError(
        f"{importance.path}: the entry of tensor {tensor.name!r} has {entry.weights} values, the tensor needs "
        f"{expected}: it was made for another model"
    )


def _lacking(tensors: list[Planned], file: FileType, importance: Importance | None) -> str | None:
    if file.name != "Q2_K_S":
        return None
    exempt = ("output.weight", *TOKEN_EMBEDDINGS)
    return next(
        (
            planned.source.name
            for planned in tensors
            if planned.type == "Q2_K"
            and not planned.important
            and planned.source.name not in exempt
            and (planned.changes or importance is None)
        ),
        None,
    )


def _shards(model: Model, tensors: list[Planned], target: Path, limit: int) -> list[Shard]:
    """Cut where the next tensor would pass the limit; a tensor is never cut."""
    shards = [Shard(target)]
    for tensor in tensors:
        size = align_up(tensor.size, model.alignment)
        if shards[-1].tensors and shards[-1].data_size + size > limit:
            shards.append(Shard(target))
        shards[-1].tensors.append(tensor)
        shards[-1].data_size += size
    if len(shards) > MAX_SHARDS:
        raise QuantizeError(f"{target}: would become {len(shards)} shards; raise the split size")
    if len(shards) > 1:
        for number, shard in enumerate(shards):
            name = target.name.removesuffix(".gguf") + SHARD.format(number=number + 1, count=len(shards))
            shard.path = target.with_name(name)
    return shards


def _pairs(model: Model, file: FileType, importance: Importance | None, options: Options) -> list[Pair]:
    """The input's pairs in order, and at the end what quantizing has to say."""
    ours = [
        number_pair(QUANTIZATION, U32, QUANTIZATION_VERSION),
        number_pair(FILE_TYPE, U32, file.number),
    ]
    if importance is not None:
        label = options.imatrix_label or str(options.imatrix)
        ours.append(text_pair(IMATRIX_FILE, os.fsencode(label)[:MAX_LABEL]))
        if importance.dataset is not None:
            ours.append(text_pair(IMATRIX_DATASET, importance.dataset[:MAX_LABEL]))
        ours.append(number_pair(IMATRIX_ENTRIES, U32, len(importance.entries)))
        if importance.chunks > 0:
            ours.append(number_pair(IMATRIX_CHUNKS, U32, importance.chunks))
    gone = {SPLIT_NO, SPLIT_COUNT, SPLIT_TENSORS, *(pair.key for pair in ours)}
    own = [(pair.key, pair) for pair in model.pairs if pair.key not in gone]
    return [*(pair for _, pair in merged(own, _added(options.metadata))), *ours]


def _added(metadata: Metadata) -> dict[str, Pair]:
    try:
        return {key: Pair(key, told.kind, told.to_bytes()) for key, told in typed(metadata).items()}
    except ValueError as error:
        raise QuantizeError(str(error)) from error


def _write_headers(shards: list[Shard], pairs: list[Pair], alignment: int) -> None:
    """Only the first shard carries the metadata; the order of the split keys is llama-gguf-split's."""
    total = sum(len(shard.tensors) for shard in shards)
    for number, shard in enumerate(shards):
        own = [] if number else pairs
        if len(shards) > 1:
            own = [
                *own,
                number_pair(SPLIT_NO, U16, number),
                number_pair(SPLIT_TENSORS, I32, total),
                number_pair(SPLIT_COUNT, U16, len(shards)),
            ]
        shard.header = _header(shard, own, alignment)


def _header(shard: Shard, pairs: list[Pair], alignment: int) -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(shard.tensors), len(pairs))]
    parts += [pair.to_bytes() for pair in pairs]
    offset = 0
    for tensor in shard.tensors:
        shape = tensor.source.shape
        parts.append(string(tensor.source.name.encode()))
        parts.append(struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, NUMBERS[tensor.type], offset))
        offset += align_up(tensor.size, alignment)
    raw = b"".join(parts)
    return raw + bytes(align_up(len(raw), alignment) - len(raw))
