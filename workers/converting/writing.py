"""The file: header, metadata, then tensor after tensor as they are made by threads."""

import os
import struct
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import gguf

from workers.converting.errors import ConvertError
from workers.converting.plan import Planned, Work
from workers.converting.slabs import Made, Slab, cut, make
from workers.formats.ggml_types import SCALARS
from workers.formats.layout import align_up
from workers.quantizing.errors import QuantizeError
from workers.quantizing.outputs import Outputs, WrittenFile
from workers.quantizing.types import NUMBERS

VERSION = 3
ALIGNMENT = 32
# Weights that may be on their way at once; the pieces turned as a whole are the largest of them.
IN_FLIGHT = 24 * 2**20
PACKS = {kind: "<?" if name == "bool" else pack for kind, (name, pack) in SCALARS.items()}
STRING, ARRAY = gguf.GGUFValueType.STRING, gguf.GGUFValueType.ARRAY


class Progress(NamedTuple):
    """How far a conversion is, in bytes of output."""

    done: int
    total: int
    tensor: str


Watcher = Callable[[Progress], None]


@dataclass(slots=True)
class Run:
    work: Work
    outputs: Outputs
    pool: ThreadPoolExecutor
    watcher: Watcher | None
    total: int
    waiting: deque[tuple[Slab, bool, Future[Made]]] = field(default_factory=deque)
    in_flight: int = 0
    done: int = 0
    written: int = 0
    overflows: dict[str, int] = field(default_factory=dict)


def write_file(
    work: Work, tensors: list[Planned], target: Path, *, threads: int, watcher: Watcher | None
) -> tuple[WrittenFile, dict[str, int]]:
    """Write the whole file or nothing; also tell tensors with weights that became infinite, and how many."""
    header = _header(work, tensors)
    total = len(header) + _data_size(tensors)
    try:
        with Outputs([target], total) as outputs, ThreadPoolExecutor(threads, "convert") as pool:
            run = Run(work, outputs, pool, watcher, total)
            outputs.write(0, header)
            _write_tensors(run, tensors)
            work.checkpoint.check_unchanged()
            (file,) = outputs.finish()
    except QuantizeError as error:
        raise ConvertError(str(error)) from error
    return file, run.overflows


def file_size(work: Work, tensors: list[Planned]) -> int:
    """The size in bytes of what `write_file` would write."""
    return len(_header(work, tensors)) + _data_size(tensors)


def _data_size(tensors: list[Planned]) -> int:
    return sum(align_up(tensor.size, ALIGNMENT) for tensor in tensors)


def cores() -> int:
    """The cores that this process may use; all where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _write_tensors(run: Run, tensors: Iterable[Planned]) -> None:
    try:
        for tensor in tensors:
            slabs = list(cut(tensor))
            for number, slab in enumerate(slabs, 1):
                while run.waiting and run.in_flight + slab.weights > IN_FLIGHT:
                    _write_next(run)
                run.waiting.append((slab, number == len(slabs), run.pool.submit(make, slab, run.work)))
                run.in_flight += slab.weights
        while run.waiting:
            _write_next(run)
    except BaseException:
        run.pool.shutdown(wait=True, cancel_futures=True)
        raise


def _write_next(run: Run) -> None:
    slab, last, future = run.waiting.popleft()
    made, tensor = future.result(), slab.tensor
    run.outputs.write(0, made.data)
    run.in_flight -= slab.weights
    run.done += len(made.data)
    run.written += len(made.data)
    if made.overflows:
        run.overflows[tensor.name] = run.overflows.get(tensor.name, 0) + made.overflows
    if last:
        if run.written != tensor.size:
            raise ConvertError(
                f"tensor {tensor.name!r}: made {run.written} bytes; {tensor.size} were planned"
            )
        run.outputs.write(0, bytes(align_up(tensor.size, ALIGNMENT) - tensor.size))
        run.written = 0
    if run.watcher is not None:
        run.watcher(Progress(run.done, run.total, tensor.name))


def _header(work: Work, tensors: list[Planned]) -> bytes:
    pairs = work.keys.kv_data[0]
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(pairs))]
    for key, pair in pairs.items():
        parts += [_text(key), struct.pack("<I", pair.type), _value(key, pair.value, pair.type, pair.sub_type)]
    offset = 0
    for tensor in tensors:
        shape = tensor.shape[::-1]
        parts.append(_text(tensor.name))
        parts.append(struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, NUMBERS[tensor.type], offset))
        offset += align_up(tensor.size, ALIGNMENT)
    raw = b"".join(parts)
    return raw + bytes(align_up(len(raw), ALIGNMENT) - len(raw))


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack("<Q", len(raw)) + raw


def _value(key: str, value: Any, kind: int, inner: int | None = None) -> bytes:
    if kind == STRING:
        return _text(value)
    if kind != ARRAY:
        try:
            return struct.pack(PACKS[kind], value)
        except (struct.error, OverflowError) as error:
            raise ConvertError(
                f"metadata {key}: {str(value)[:80]!r} does not fit its type: {error}"
            ) from error
    if inner is None:
        inner = gguf.GGUFValueType.get_type(value[0])
    head = struct.pack("<IQ", inner, len(value))
    if inner in (STRING, ARRAY):
        return head + b"".join(_value(key, item, inner) for item in value)
    return head + struct.pack(f"<{len(value)}{PACKS[inner][1:]}", *value)
