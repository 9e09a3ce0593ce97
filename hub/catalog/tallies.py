"""PURE: counting what lists are narrowed by.

For each value of each facet there is one long number whose bits say which repos have it; repos are numbered by their
rows in `RepoText`.  Narrowing is ``&``, counting is ``bit_count``: a hundred thousand repos take a few microseconds
for each value, whatever is combined.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Of each facet, so many of the commonest values are kept where there are very many repos.
MOST_VALUES = 100
Bits = dict[str, dict[str, int]]


class Facts(NamedTuple):
    """One repo: its number, and its values of each facet."""

    number: int
    values: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Tally:
    """``every`` has a bit for each repo, ``bits[facet][value]`` for those with a value.

    ``whole``: no value is left out.
    """

    every: int
    bits: Bits
    whole: bool = True

    def of(self, facet: str, value: str) -> int | None:
        """Return which repos have a value; None where that is not known here."""
        return self.bits.get(facet, {}).get(value, 0 if self.whole else None)

    def pack(self) -> bytes:
        """Return this as bytes, to be kept elsewhere."""
        numbers = [self.every, *(number for table in self.bits.values() for number in table.values())]
        blobs = [number.to_bytes((number.bit_length() + 7) // 8, "little") for number in numbers]
        names = {facet: list(table) for facet, table in self.bits.items()}
        head = json.dumps(
            {"names": names, "sizes": [len(blob) for blob in blobs], "whole": self.whole}
        ).encode()
        return zlib.compress(len(head).to_bytes(4, "little") + head + b"".join(blobs), 1)

    @classmethod
    def unpack(cls, packed: bytes) -> "Tally":
        """Read what `pack` wrote."""
        text = zlib.decompress(packed)
        at = 4 + int.from_bytes(text[:4], "little")
        told = json.loads(text[4:at])
        numbers = []
        for size in told["sizes"]:
            numbers.append(int.from_bytes(text[at : at + size], "little"))
            at += size
        left = iter(numbers[1:])
        bits = {facet: {value: next(left) for value in values} for facet, values in told["names"].items()}
        return cls(numbers[0], bits, told["whole"])


def bits_of(numbers: Iterable[int]) -> int:
    """Return the number that has exactly these bits."""
    field = bytearray()
    for number in numbers:
        _set(field, number)
    return int.from_bytes(field, "little")


def _set(field: bytearray, number: int) -> None:
    place = number >> 3
    if place >= len(field):
        field.extend(bytes(place + 1 - len(field)))
    field[place] |= 1 << (number & 7)


def tally(repos: Iterable[Facts], *, most: int | None = None, all_of: Iterable[str] = ()) -> Tally:
    """Count repos.  With ``most``, only so many values of each facet are kept, but all of those in ``all_of``."""
    every = bytearray()
    fields: dict[str, dict[str, bytearray]] = defaultdict(lambda: defaultdict(bytearray))
    for number, values in repos:
        _set(every, number)
        for facet, value in values:
            _set(fields[facet][value], number)
    bits = {
        facet: {value: int.from_bytes(field, "little") for value, field in table.items()}
        for facet, table in fields.items()
    }
    spared = set(all_of)
    cut = {
        facet: table if most is None or facet in spared else _commonest(table, most)
        for facet, table in bits.items()
    }
    return Tally(int.from_bytes(every, "little"), cut, most is None)


def _commonest(table: Mapping[str, int], most: int) -> dict[str, int]:
    ordered = sorted(table.items(), key=lambda pair: -pair[1].bit_count())
    return dict(ordered[:most])
