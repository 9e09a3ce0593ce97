"""What a client's shard says, checked in every point but the sha256 of its files.

First what the shard itself tells (`parse`), then what our own xorbs tell (`Verified`, in steps, since a large file
has millions of chunks).  Only then `storage.recording` writes it down.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from storage import xorbs
from storage.xet.errors import XetError
from storage.xet.hashes import Hash, file_hash_of, range_hash, to_text
from storage.xet.merkle import Tree
from storage.xet.shards import FileEntry, Shard, Term, XorbEntry, read_shard
from storage.xet.xorbs import MAX_CHUNKS as MOST_IN_XORB

# Files of a shard may name the same chunks over and over; this bounds the work before it begins.  500 GB have
# 8,000,000 chunks of the client's usual size.
MAX_CHUNKS = 8_000_000
MAX_FILES = 100_000
MAX_XORBS = 20_000
# The client cuts no chunk below 8 KiB but a file's last, and does not scatter a file over ever smaller terms.  What
# a file costs us is thereby bounded by its size: half of that, and room for small files.
LEAST_CHUNK, SPARE_CHUNKS = 4 * 1024, 16
LEAST_TERM, SPARE_TERMS = 64 * 1024, 64
# Terms are checked by so many, or by as many as have so many chunks, of which a few megabytes are read.
TERMS, CHUNKS = 1000, 64 * 1024
# So many names are asked of the database at once.
NAMES = 500

_LISTED = numpy.dtype([("hash", "V32"), ("raw", "<u4")])


def parse(data: bytes, *, max_bytes: int) -> Shard:
    """Read a shard and bound what it asks for; raises XetError."""
    shard = read_shard(data)
    if not 0 < len(shard.files) <= MAX_FILES:
        raise XetError(f"The shard names {len(shard.files)} files; expected 1 to {MAX_FILES}.")
    if len(shard.xorbs) > MAX_XORBS or len({xorb.hash for xorb in shard.xorbs}) < len(shard.xorbs):
        raise XetError(f"The shard lists more than {MAX_XORBS} xorbs, or one of them twice.")
    total = 0
    seen: dict[Hash, str | None] = {}
    for number, file in enumerate(shard.files):
        total += _bound(file, f"File {number} of the shard", max_bytes)
        if total > MAX_CHUNKS:
            raise XetError(f"The files of the shard have more than {MAX_CHUNKS} chunks together.")
        if seen.setdefault(file.hash, file.sha256) != file.sha256:
            raise XetError(f"The shard gives two sha256 to the file {to_text(file.hash)}; it has one.")
    return shard


def _bound(file: FileEntry, where: str, max_bytes: int) -> int:
    """Return how many chunks a file has."""
    if not file.terms or file.sha256 is None or file.ranges is None:
        raise XetError(f"{where} must have terms, a range hash for each, and a sha256.")
    size, chunks = size_of(file), sum(term.end - term.start for term in file.terms)
    if size > max_bytes:
        raise XetError(f"{where} has {size} bytes; at most {max_bytes} are taken.")
    if chunks > SPARE_CHUNKS + size // LEAST_CHUNK:
        raise XetError(f"{where} has {size} bytes in {chunks} chunks; chunks of that size are not taken.")
    if len(file.terms) > SPARE_TERMS + size // LEAST_TERM:
        raise XetError(
            f"{where} has {size} bytes in {len(file.terms)} terms; it is too scattered to be taken."
        )
    return chunks


def size_of(file: FileEntry) -> int:
    """Return the bytes of a file."""
    return sum(term.unpacked for term in file.terms)


class Verified:
    """A shard that is checked against the xorbs of one domain; only once all its steps are taken it may be recorded."""

    def __init__(self, shard: Shard, domain: str) -> None:
        self.shard, self.domain = shard, domain
        # The rows of the xorbs that are named, which are safe from the sweep.
        self.rows: dict[Hash, int] = {}

    def steps(self) -> Generator[None, None, None]:
        """Check everything, step by step; raises XetError."""
        for names in _slices(self._named(), NAMES):
            self._find(names)
            yield
        for entry in self.shard.xorbs:
            self._check_xorb(entry)
            yield
        yield from self._check_files()

    def forget(self) -> None:
        """Let go of the shard and of what was read for it."""
        self.shard = Shard([], [])
        self.rows.clear()

    def _named(self) -> Iterator[Hash]:
        """Yield the xorbs that are not found yet; each may come again."""
        for xorb in self.shard.xorbs:
            if xorb.hash not in self.rows:
                yield xorb.hash
        for file in self.shard.files:
            for term in file.terms:
                if term.xorb not in self.rows:
                    yield term.xorb

    def _find(self, names: set[Hash]) -> None:
        found = xorbs.named_in(self.domain, [to_text(name) for name in names])
        for name in sorted(names):
            if to_text(name) not in found:
                raise XetError(
                    f"The xorb {to_text(name)} is not known here; upload it before the shard that names it. "
                    "A client that remembers having sent it forgets so when the folder xet in its HF_HOME is removed."
                )
            self.rows[name] = found[to_text(name)].pk

    def _check_xorb(self, entry: XorbEntry) -> None:
        (rows,) = self._rows_of([Term(entry.hash, entry.bytes_in_xorb, 0, MOST_IN_XORB)])
        listed = numpy.array([(digest, length) for digest, _, length in entry.chunks], dtype=_LISTED)
        if any(rows[name].tobytes() != listed[name].tobytes() for name in _LISTED.names or ()):
            raise XetError(f"The chunks of the xorb {to_text(entry.hash)} are not the ones that it holds.")

    def _check_files(self) -> Iterator[None]:
        tree, slab = Tree(), _Slab()
        for window in _windows(_claims(self.shard.files)):
            for claim, rows in zip(window, self._rows_of([claim.term for claim in window]), strict=True):
                slab.add(rows, claim)
                if claim.ends:
                    slab.move_to(tree)
                    if file_hash_of(tree) != claim.ends:
                        raise XetError(
                            f"File {claim.file} of the shard does not have the hash {to_text(claim.ends)}."
                        )
                    tree = Tree()
            slab.move_to(tree)
            yield

    def _rows_of(self, terms: Sequence[Term]) -> list[NDArray[numpy.void]]:
        """Return what the indexes say of the chunks that each term names, as far as there are such chunks."""
        wanted = [(self.rows[term.xorb], term.start, term.end - term.start) for term in terms]
        found = xorbs.parts_of_indexes(wanted)
        for number, term in enumerate(terms):
            if number not in found:
                raise XetError(f"The xorb {to_text(term.xorb)} was removed meanwhile; upload it again.")
        return [found[number].rows for number in range(len(terms))]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A term as a shard has it; `ends` is the hash of its file where it is the last one of that."""

    file: int
    number: int
    term: Term
    proof: Hash
    ends: Hash


def _claims(files: Iterable[FileEntry]) -> Iterator[_Claim]:
    for at, file in enumerate(files):
        last = len(file.terms) - 1
        for number, (term, proof) in enumerate(zip(file.terms, file.ranges or (), strict=True)):
            yield _Claim(at, number, term, proof, file.hash if number == last else b"")


def _windows(claims: Iterable[_Claim]) -> Iterator[list[_Claim]]:
    """Gather terms by so many, or so many chunks."""
    window: list[_Claim] = []
    chunks = 0
    for claim in claims:
        window.append(claim)
        chunks += claim.term.end - claim.term.start
        if len(window) == TERMS or chunks >= CHUNKS:
            yield window
            window, chunks = [], 0
    if window:
        yield window


class _Slab:
    """Hashes and lengths of the chunks of some terms, which a tree takes quickest together."""

    def __init__(self) -> None:
        self._hashes: list[bytes] = []
        self._sizes: list[NDArray[numpy.int64]] = []

    def add(self, rows: NDArray[numpy.void], claim: _Claim) -> None:
        """Add a term's chunks; raises XetError unless all that is said of them is right."""
        term, where = claim.term, f"Term {claim.number} of file {claim.file} of the shard"
        if term.end - term.start > len(rows):
            raise XetError(f"{where} names chunks up to {term.end} of a xorb that has fewer.")
        hashes, sizes = rows["hash"].tobytes(), rows["raw"].astype(numpy.int64)
        if int(sizes.sum()) != term.unpacked:
            raise XetError(f"{where} does not have {term.unpacked} bytes.")
        if range_hash([hashes]) != claim.proof:
            raise XetError(f"{where} does not have the range hash that was sent.")
        self._hashes.append(hashes)
        self._sizes.append(sizes)

    def move_to(self, tree: Tree) -> None:
        """Give all that was added to the tree."""
        if self._hashes:
            tree.add(b"".join(self._hashes), numpy.concatenate(self._sizes))
            self._hashes.clear()
            self._sizes.clear()


def _slices(names: Iterator[Hash], size: int) -> Iterator[set[Hash]]:
    """Gather names, each once, by so many."""
    slab: set[Hash] = set()
    for name in names:
        slab.add(name)
        if len(slab) == size:
            yield slab
            slab = set()
    if slab:
        yield slab
