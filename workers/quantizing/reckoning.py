"""How large a file of each type would be, reckoned from a model's tensors and metadata before anything is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.formats.layout import align_up
from workers.quantizing.errors import QuantizeError
from workers.quantizing.mix import Wishes, choose_types
from workers.quantizing.model import SourceTensor, trimmed, writing_order
from workers.quantizing.traits import Traits, read_traits
from workers.quantizing.types import FILE_TYPES, FLOATS, FileType, bytes_of

# Each type is a pass over all tensors; the largest models in use have some thousand.
MAX_TENSORS = 20_000
# Made with an importance matrix only, which changes what some tensors get.
BY_MATRIX = ("Q2_K_S",)


@dataclass(frozen=True, slots=True)
class Kept:
    """Metadata as inspections keep it: an array is {type, len, head}."""

    values: Mapping[str, Any]
    paths: Sequence[Path] = (Path("model"),)

    def value(self, key: str) -> Any:
        """Return a value, or None."""
        return self.values.get(key)


def tensor(name: str, type_: str, shape: Sequence[int], size: int) -> SourceTensor:
    """Return a tensor of which only the header was read; the shape is fastest dimension first."""
    return SourceTensor(name, type_, trimmed(tuple(shape)), 0, 0, size)


def sizes(tensors: Iterable[SourceTensor], metadata: Mapping[str, Any], *, total: int) -> dict[str, int]:
    """Return about how many bytes a file of each type takes, without those types that cannot be made.

    ``total`` is what the source takes, headers and all: the headers of what is made are about as long.
    """
    ordered = sorted(tensors, key=writing_order)
    if not ordered or len(ordered) > MAX_TENSORS or any(one.type not in FLOATS for one in ordered):
        return {}
    alignment = metadata.get("general.alignment", 32)
    beside = max(total - sum(align_up(one.size, alignment) for one in ordered), 0)
    try:
        traits = read_traits(Kept(metadata))
    except QuantizeError:
        return {}
    found = {name: _size(ordered, traits, file, alignment) for name, file in FILE_TYPES.items()}
    return {name: size + beside for name, size in found.items() if size is not None}


def _size(tensors: Sequence[SourceTensor], traits: Traits, file: FileType, alignment: int) -> int | None:
    try:
        choices = choose_types(
            tensors, traits=traits, file=file, wishes=Wishes(), has_imatrix=file.name in BY_MATRIX
        )
    except QuantizeError:
        return None
    return sum(
        align_up(bytes_of(choice.type, one.columns) * one.rows, alignment)
        for one, choice in zip(tensors, choices, strict=True)
    )
