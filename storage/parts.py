"""How an upload is cut into parts, and which of the parts that arrived make it up.  PURE."""

from dataclasses import dataclass
from datetime import datetime

from storage.errors import PartsMismatch

MIB = 2**20
# A store takes 10,000, but each is an address that is signed and sent at once; these make parts of 240 MiB at 500 GB.
MAX_PARTS = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store holds for a multipart upload; `size` in bytes."""

    number: int
    etag: str
    size: int
    modified: datetime


def size_for(size: int, *, at_least: int) -> int:
    """Return the size of all parts but the last, so that `size` bytes make at most `MAX_PARTS` of them."""
    needed = -(-size // MAX_PARTS)
    return max(at_least, -(-needed // MIB) * MIB)


def count(size: int, part_size: int) -> int:
    """Return how many parts `size` bytes make."""
    return -(-size // part_size)


def plan(size: int, part_size: int) -> dict[int, int]:
    """Return the length of every part by its number, from 1."""
    starts = range(0, size, part_size)
    return {number: min(part_size, size - start) for number, start in enumerate(starts, start=1)}


def choose(
    planned: dict[int, int], arrived: list[Part], named: list[tuple[int, str]] | None
) -> list[tuple[int, str]]:
    """Return (number, ETag) to assemble: each planned part, of its planned length, as the store holds it.

    `named` is what the client believes that it sent; without it the newest arrival of a part is taken.
    Raises PartsMismatch.
    """
    wanted = None if named is None else _by_number(planned, named)
    held: dict[int, list[Part]] = {number: [] for number in planned}
    for part in arrived:
        if planned.get(part.number) == part.size:
            held[part.number].append(part)
    return [(number, _etag(number, held[number], wanted)) for number in planned]


def _by_number(planned: dict[int, int], named: list[tuple[int, str]]) -> dict[int, str]:
    wanted = {number: etag.strip('"') for number, etag in named}
    if len(wanted) != len(named) or wanted.keys() != planned.keys():
        raise PartsMismatch(f"Expected parts 1 to {len(planned)}, each named once.")
    return wanted


def _etag(number: int, held: list[Part], wanted: dict[int, str] | None) -> str:
    if not held:
        raise PartsMismatch(f"Part {number} has not arrived.")
    if wanted is None:
        return max(held, key=lambda part: part.modified).etag
    for part in held:
        if part.etag.strip('"') == wanted[number]:
            return part.etag
    raise PartsMismatch(f"Part {number} arrived with another ETag than {wanted[number][:80]!r}.")
