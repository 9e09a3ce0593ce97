"""Rows of a checkpoint to the bytes of the file, a bounded number of weights at a time."""

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any, NamedTuple

import gguf
import numpy as np
from numpy.typing import NDArray

from workers import kernel
from workers.converting.checkpoint import Source
from workers.converting.errors import ConvertError
from workers.converting.plan import Piece, Planned, Work

# Weights in one slab; a piece that is turned as a whole may be larger.
SLAB = 4 * 2**20
EIGHT = "F8_E4M3"
WORDS: dict[str, Any] = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", EIGHT: "u1"}
SIZES = {"F32": 4, "F16": 2, "BF16": 2, EIGHT: 1}


class Slab(NamedTuple):
    """A part of a tensor that is made at once."""

    tensor: Planned
    piece: Piece | None
    weights: int


class Made(NamedTuple):
    """The bytes of a slab, and how many of its weights the type could not hold."""

    data: bytes
    overflows: int


def cut(tensor: Planned) -> Iterator[Slab]:
    """The slabs of a tensor, in order."""
    if tensor.values is not None:
        yield Slab(tensor, None, tensor.values.size)
    for piece in tensor.pieces:
        columns = max(piece.source.columns, 1)
        step = piece.rows if piece.turn else max(SLAB // columns, 1)
        for first in range(piece.first, piece.first + piece.rows, step):
            rows = min(step, piece.first + piece.rows - first)
            yield Slab(tensor, Piece(piece.source, first, rows, piece.turn), rows * columns)


def check_types(tensors: Iterable[Planned], work: Work) -> None:
    """Refuse weights of a type that is not read, and 8-bit floats without scales."""
    for source in dict.fromkeys(piece.source for tensor in tensors for piece in tensor.pieces):
        if source.dtype not in WORDS:
            raise ConvertError(
                f"{work.where(source)} is {source.dtype}; converted are F32, F16, BF16 and F8_E4M3 with scales"
            )
        if source.dtype == EIGHT:
            _scale_of(source, work)


def make(slab: Slab, work: Work) -> Made:
    """Read, rearrange and convert. Raises ConvertError that names file and tensor."""
    if slab.piece is None:
        assert slab.tensor.values is not None
        return Made(slab.tensor.values.astype("<f4").tobytes(), 0)
    rows = _rows(slab.piece, work)
    if slab.piece.turn is not None:
        rows = slab.piece.turn(rows)
    matrix = np.ascontiguousarray(rows).reshape(-1, slab.tensor.columns)
    _refuse_odd(matrix, slab.piece.source, work)
    return _converted(matrix, slab.tensor.type)


def _rows(piece: Piece, work: Work) -> NDArray[Any]:
    source = piece.source
    if source.dtype == EIGHT:
        return _eights(piece, work)
    size = source.columns * SIZES[source.dtype]
    data = work.checkpoint.read(source, piece.first * size, piece.rows * size)
    return np.frombuffer(data, WORDS[source.dtype]).reshape(piece.rows, source.columns)


def _eights(piece: Piece, work: Work) -> NDArray[Any]:
    """8-bit floats times their scales; read from the beginning of a row of blocks."""
    source, columns = piece.source, piece.source.columns
    scale = _scale_of(source, work)
    block = _block(source, scale, work)
    start = piece.first // block[0] * block[0]
    rows = piece.first + piece.rows - start
    codes = np.frombuffer(work.checkpoint.read(source, start * columns, rows * columns), np.uint8)
    wide = -(-columns // block[1])
    factors = _scale(scale, work).reshape(-1, wide)[start // block[0] : -(-(start + rows) // block[0])]
    try:
        floats = kernel.dequantize_fp8(codes.reshape(rows, columns), factors, block=block)
    except (kernel.KernelError, ValueError) as error:
        raise ConvertError(f"{work.where(source)}: {error}") from error
    return floats[piece.first - start :]


def _scale_of(source: Source, work: Work) -> Source:
    scale = work.scales.get(source.name + "_scale_inv")
    if scale is None:
        raise ConvertError(
            f"{work.where(source)} is {EIGHT}, but the checkpoint has no {source.name}_scale_inv"
        )
    return scale


def _block(source: Source, scale: Source, work: Work) -> tuple[int, int]:
    """The rows and columns that share a scale, checked against the number of scales."""
    if prod(scale.shape) == 1:
        return max(source.rows, 1), max(source.columns, 1)
    quantization = work.settings.values.get("quantization_config")
    given = quantization.get("weight_block_size") if isinstance(quantization, dict) else None
    if not isinstance(given, list) or len(given) != 2 or not all(type(n) is int and n > 0 for n in given):
        raise work.settings.fault("quantization_config.weight_block_size", given, "two sizes")
    if len(source.shape) != 2 or scale.shape != tuple(
        -(-n // b) for n, b in zip(source.shape, given, strict=True)
    ):
        raise ConvertError(
            f"{work.where(scale)} has shape {list(scale.shape)}; it does not fit {source.name!r}"
        )
    return given[0], given[1]


def _scale(scale: Source, work: Work) -> NDArray[np.float32]:
    if scale.dtype not in ("F32", "F16", "BF16"):
        raise ConvertError(f"{work.where(scale)} is {scale.dtype}; scales are floats")
    return widened(np.frombuffer(work.checkpoint.read(scale, 0, scale.size), WORDS[scale.dtype]))


def widened(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Any of the stored types as float32."""
    if rows.dtype == np.uint16:
        return (rows.astype(np.uint32) << 16).view(np.float32)
    return rows.astype(np.float32)


def _refuse_odd(matrix: NDArray[Any], source: Source, work: Work) -> None:
    bits = matrix.dtype == np.uint16
    odd = (matrix & 0x7F80) == 0x7F80 if bits else ~np.isfinite(matrix)
    if odd.any():
        raise ConvertError(f"{work.where(source)} holds {int(odd.sum())} weights that are NaN or infinite")


def _converted(matrix: NDArray[Any], kind: str) -> Made:
    if kind == "F32":
        return Made(widened(matrix).tobytes(), 0)
    if kind == "BF16" and matrix.dtype == np.uint16:
        return Made(matrix.tobytes(), 0)
    try:
        return Made(kernel.quantize(matrix, kind), 0)
    except kernel.KernelError:
        return _overflowing(widened(matrix), kind)


def _overflowing(matrix: NDArray[np.float32], kind: str) -> Made:
    """Weights beyond the type's range become infinite as the reference has it, and are counted for a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        data = gguf.quants.quantize(matrix, gguf.GGMLQuantizationType[kind])
        back = gguf.quants.dequantize(data, gguf.GGMLQuantizationType[kind])
    return Made(data.tobytes(), max(int((~np.isfinite(back)).sum()), 1))
