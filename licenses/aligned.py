"""PURE: what comparing an uploaded text with a known one comes to, as rows that a page can show."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    SAME = "same"
    ADDED = "added"
    MISSING = "missing"
    CHANGED = "changed"
    # Lines that only say who holds the rights since when.
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a text; ``mark`` is the letter of the difference that begins here, ``terms`` are those that rest on it.

    ``opens`` are the terms whose passage begins here.
    """

    kind: Kind
    text: str
    mark: str = ""
    terms: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A clause as it stands in the known text and in the upload; ``number`` is 0 where it is in the upload only."""

    kind: Kind
    number: int
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    line: int
    words: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """One difference: the words, what stood there before, how many there are, and which of them can change a right."""

    kind: Kind
    mark: str
    text: str
    was: str
    line: int
    words: int
    signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """``shared`` of the ``known`` words stand in the upload's ``given`` ones; ``whole`` unless time ran out."""

    rows: tuple[Row, ...]
    remarks: tuple[Remark, ...]
    shared: int
    known: int
    given: int
    hidden: int
    whole: bool

    @property
    def recall(self) -> float:
        return self.shared / self.known if self.known else 0.0

    @property
    def longest_added(self) -> int:
        return max((one.words for one in self.remarks if one.kind is Kind.ADDED), default=0)


@dataclass(frozen=True, slots=True)
class Step:
    """``start:end`` of the known words stands as ``new_start:new_end`` in the upload."""

    kind: Kind
    start: int
    end: int
    new_start: int
    new_end: int
    mark: str = ""
