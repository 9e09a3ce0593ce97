"""What several families do to tensors."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.converting.checkpoint import Source
from workers.converting.errors import ConvertError
from workers.converting.plan import Piece, Placed, Turn, Work, whole
from workers.converting.settings import Settings

SILENT = (
    "vision_", "vision.", "visual.", "audio_", "audio.", "projector.", "patch_embed", "patch_merger.", "image_newline",
)  # fmt: skip


def rename(name: str) -> str | None:
    """Names as text models have them; None for tensors of pictures and sounds."""
    if any(part in name for part in SILENT):
        return None
    return name.replace("e_score_correction_bias", "e_score_correction.bias").replace("language_model.", "")


def straight(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    """The tensor as it is."""
    return [whole(name, source)]


def nothing(work: Work) -> Iterable[Placed]:
    return ()


def keep(work: Work, name: str) -> bool:
    return False


def own_blocks(settings: Settings) -> int:
    return settings.whole("num_hidden_layers")


def interleaved(name: str, source: Source, heads: int, work: Work) -> Placed:
    """Rows of queries or keys from two halves of a head to pairs, the order in which GGUF rotates them."""
    rows = source.shape[0]
    if not heads or rows % (2 * heads):
        raise ConvertError(
            f"{work.where(source)} has {rows} rows; config.json's {heads} heads do not share them"
        )
    size = rows // heads
    if len(source.shape) == 1:
        return whole(
            name, source, lambda row: row.reshape(heads, 2, size // 2).swapaxes(1, 2).reshape(1, rows)
        )
    pieces = tuple(Piece(source, head * size, size, _paired) for head in range(heads))
    return Placed(name, source.shape, pieces)


def _paired(head: NDArray[Any]) -> NDArray[Any]:
    return head.reshape(2, head.shape[0] // 2, -1).swapaxes(0, 1).reshape(head.shape)


def stacked(
    work: Work, name: str, source: Source, block: int | None, *, parts: Sequence[str], made: str
) -> Iterable[Placed]:
    """Gather the experts of a block; once all have come, give one tensor for each part.

    `name` must end in NUMBER.PART.weight; `made` names what is given, with {block} and {part}.
    """
    count = work.settings.whole("num_local_experts", "num_experts", "n_routed_experts")
    if block is None:
        raise ConvertError(f"{work.where(source)} is an expert of no block")
    found = work.experts.setdefault(block, {})
    number, part = name.removesuffix(".weight").split(".")[-2:]
    if not number.isdecimal() or int(number) >= count or part not in parts:
        raise ConvertError(f"{work.where(source)} is none of {count} experts with {', '.join(parts)}")
    found[f"{int(number)}.{part}"] = source
    if len(found) < count * len(parts):
        return []
    placed = [_stack(work, found, count, part, made.format(block=block, part=part)) for part in parts]
    found.clear()
    return placed


def _stack(work: Work, found: dict[str, Source], count: int, part: str, name: str) -> Placed:
    sources = [found[f"{number}.{part}"] for number in range(count)]
    for source in sources:
        if source.shape != sources[0].shape or len(source.shape) != 2:
            raise ConvertError(
                f"{work.where(source)} has shape {list(source.shape)}, another expert {list(sources[0].shape)}"
            )
    return Placed(
        name, (count, *sources[0].shape), tuple(Piece(source, 0, source.rows) for source in sources)
    )


def plus_one(row: NDArray[Any]) -> NDArray[Any]:
    """Add one: in float32, but where the checkpoint is float16 in that."""
    if row.dtype == np.uint16:
        row = (row.astype(np.uint32) << 16).view(np.float32)
    raised: NDArray[Any] = row + row.dtype.type(1)
    return raised


def swapped(first: int, last: int) -> Turn:
    """A transpose of columns `first` to `last`."""
    return lambda matrix: matrix[:, first:last].T


def added(folder: Any, name: str) -> bool:
    return bool((folder / name).is_file())
