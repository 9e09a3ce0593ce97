"""PURE: what comparing a text with the catalogue comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What a comparison came to.  Only ``exact`` and ``match`` can speak for themselves; a person reads the rest."""

    EXACT = "exact"
    MATCH = "match"
    ADDED = "added"
    ALTERED = "altered"
    MULTIPLE = "multiple"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Canonical:
    """One text of the catalogue: whose it is, which of the licence's documents, in which version."""

    license: str
    kind: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    license: str
    kind: str
    version: str
    recall: float


@dataclass(frozen=True, slots=True)
class Passage:
    """Words of the file, normalised, with the lines on which they stand, and the original ``text`` of them."""

    words: str
    length: int
    first_line: int
    last_line: int
    text: str = ""

    def quoted(self, most: int) -> str:
        """Return what the file says there, cut between words where it is longer."""
        text = self.text or self.words
        return text if len(text) <= most else f"{text[:most].rpartition(' ')[0] or text[:most]} …"


@dataclass(frozen=True, slots=True)
class Detection:
    """``matches`` names the texts found, ``residue`` is everything else in the file."""

    status: Status
    matches: tuple[Match, ...] = ()
    residue: tuple[Passage, ...] = ()
    missing: tuple[str, ...] = ()
    runner_up: Match | None = None
    note: str = ""

    @property
    def longest_run(self) -> int:
        return max((passage.length for passage in self.residue), default=0)

    @property
    def licenses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(match.license for match in self.matches))

    @property
    def is_clean(self) -> bool:
        return self.status in (Status.EXACT, Status.MATCH)
