"""What a client's shard says, checked in every point but the sha256 of its files, and written down as recipes.

First what the shard itself tells (`parse`), then what our own xorbs tell (`verify`, in steps, since a large file
has millions of chunks), and only then rows (`record`).
"""

from collections.abc import Iterator

from django.db import transaction

from storage import layout, xorbs
from storage.digests import Digest
from storage.models import Form, Recipe, RecipeXorb, Xorb
from storage.xet.errors import XetError
from storage.xet.hashes import Hash, file_hash, range_hash, to_text
from storage.xet.shards import FileEntry, Shard, Term, XorbEntry, read_shard

# Files of a shard may name the same chunks over and over; this bounds the work before it begins.  500 GB have
# 8,000,000 chunks of the client's usual size.
MAX_CHUNKS = 8_000_000
MAX_FILES = 100_000
# The client cuts no chunk below 8 KiB but a file's last, and does not scatter a file over ever smaller terms.  What
# a file costs us is thereby bounded by its size: half of that, and room for small files.
LEAST_CHUNK, SPARE_CHUNKS = 4 * 1024, 16
LEAST_TERM, SPARE_TERMS = 64 * 1024, 64
# So many terms' indexes are at hand at once: at most 20 MB of them, mostly far less.
WINDOW = 64

STATE = Recipe.State


def parse(data: bytes, *, max_bytes: int) -> Shard:
    """Read a shard and bound what it asks for; raises XetError."""
    shard = read_shard(data)
    if not 0 < len(shard.files) <= MAX_FILES:
        raise XetError(f"The shard names {len(shard.files)} files; expected 1 to {MAX_FILES}.")
    total = 0
    for number, file in enumerate(shard.files):
        total += _bound(file, f"File {number} of the shard", max_bytes)
    if total > MAX_CHUNKS:
        raise XetError(f"The files of the shard have more than {MAX_CHUNKS} chunks together.")
    return shard


def _bound(file: FileEntry, where: str, max_bytes: int) -> int:
    """Return how many chunks a file has."""
    if not file.terms or file.sha256 is None or file.ranges is None:
        raise XetError(f"{where} must have terms, a range hash for each, and a sha256.")
    size, chunks = _size(file), sum(term.end - term.start for term in file.terms)
    if size > max_bytes:
        raise XetError(f"{where} has {size} bytes; at most {max_bytes} are taken.")
    if chunks > SPARE_CHUNKS + size // LEAST_CHUNK:
        raise XetError(f"{where} has {size} bytes in {chunks} chunks; chunks of that size are not taken.")
    if len(file.terms) > SPARE_TERMS + size // LEAST_TERM:
        raise XetError(
            f"{where} has {size} bytes in {len(file.terms)} terms; it is too scattered to be taken."
        )
    return chunks


def _size(file: FileEntry) -> int:
    return sum(term.unpacked for term in file.terms)


class Verified:
    """A shard and the xorbs that it names, in one domain."""

    def __init__(self, shard: Shard, domain: str) -> None:
        """Find the xorbs; raises XetError for one that this domain does not have."""
        self.shard, self.domain = shard, domain
        wanted = {to_text(term.xorb) for file in shard.files for term in file.terms}
        wanted |= {to_text(xorb.hash) for xorb in shard.xorbs}
        self.xorbs = xorbs.named_in(domain, wanted)
        for name in sorted(wanted - self.xorbs.keys()):
            raise XetError(f"The xorb {name} is not known here; upload it before the shard that names it.")
        self._indexes: dict[str, layout.Index] = {}

    def steps(self) -> Iterator[int]:
        """Check the shard against the xorbs, yielding the number of chunks done; raises XetError."""
        done = 0
        for entry in self.shard.xorbs:
            self._check_xorb(entry)
            yield (done := done + len(entry.chunks))
        for number, file in enumerate(self.shard.files):
            for count in self._check_file(file, f"file {number} of the shard"):
                yield (done := done + count)

    def _check_xorb(self, entry: XorbEntry) -> None:
        name = to_text(entry.hash)
        held = self._index_of([name])[name].pairs()
        if [(digest, length) for digest, _, length in entry.chunks] != held:
            raise XetError(f"The chunks of the xorb {name} are not the ones that it holds.")

    def _check_file(self, file: FileEntry, where: str) -> Iterator[int]:
        pieces: list[tuple[Hash, int]] = []
        proofs = file.ranges or []
        for at in range(0, len(file.terms), WINDOW):
            window = file.terms[at : at + WINDOW]
            indexes = self._index_of([to_text(term.xorb) for term in window])
            for number, term in enumerate(window, start=at):
                index = indexes[to_text(term.xorb)]
                pieces += _taken(index, term, proofs[number], f"Term {number} of {where}")
            yield sum(term.end - term.start for term in window)
        if file_hash(pieces) != file.hash:
            raise XetError(f"{where.capitalize()} does not have the hash {to_text(file.hash)}.")

    def _index_of(self, names: list[str]) -> dict[str, layout.Index]:
        """Return the indexes of these xorbs; only the last few are kept."""
        missing = {self.xorbs[name].pk for name in names if name not in self._indexes}
        if missing:
            if len(self._indexes) > WINDOW:
                self._indexes = {name: self._indexes[name] for name in names if name in self._indexes}
            rows = Xorb.objects.filter(pk__in=missing).values_list("hash", "index")
            self._indexes.update((name, layout.Index.of(packed)) for name, packed in rows)
        for name in names:
            if name not in self._indexes:
                raise XetError(f"The xorb {name} was removed meanwhile; upload it again.")
        return self._indexes


def _taken(index: layout.Index, term: Term, proof: Hash, where: str) -> list[tuple[Hash, int]]:
    """Return the chunks of a term; raises XetError unless its bounds, length and range hash are right."""
    if term.end > len(index):
        raise XetError(f"{where} names chunks up to {term.end} of a xorb that has {len(index)}.")
    found = index.pairs(term.start, term.end)
    if sum(raw for _, raw in found) != term.unpacked:
        raise XetError(f"{where} does not have {term.unpacked} bytes.")
    if range_hash([digest for digest, _ in found]) != proof:
        raise XetError(f"{where} does not have the range hash that was sent.")
    return found


def record(verified: Verified, *, owner: str) -> list[Recipe]:
    """Write down the files of a shard whose every step was taken; returns their recipes, proven or yet to be.

    Raises XetError where a file is known under another sha256.
    """
    files = {to_text(file.hash): file for file in verified.shard.files}
    with transaction.atomic():
        proven = _proven(verified.domain, list(files))
        fresh = [_recipe(verified, name, files[name], owner) for name in sorted(files) if name not in proven]
        known = [_agreed(recipe, files[name]) for name, recipe in proven.items()]
        return known + _created(verified, fresh)


def _proven(domain: str, names: list[str]) -> dict[str, Recipe]:
    sound = Recipe.objects.filter(
        domain=domain, file_hash__in=names, state=STATE.PROVEN,
        form__state=Form.State.OK, form__blob__quarantined_at=None,
    )  # fmt: skip
    return {recipe.file_hash: recipe for recipe in sound.select_related("form__blob")}


def _agreed(recipe: Recipe, file: FileEntry) -> Recipe:
    if recipe.sha256 != file.sha256:
        raise XetError(f"The file {recipe.file_hash} does not have the sha256 {file.sha256}.")
    return recipe


def _recipe(verified: Verified, name: str, file: FileEntry, owner: str) -> Recipe:
    terms = [
        (verified.xorbs[to_text(term.xorb)].pk, term.start, term.end, term.unpacked) for term in file.terms
    ]
    return Recipe(
        domain=verified.domain, owner=owner, file_hash=name, sha256=Digest.parse(file.sha256 or ""),
        size=_size(file), terms=layout.pack_terms(terms),
    )  # fmt: skip


def _created(verified: Verified, fresh: list[Recipe]) -> list[Recipe]:
    """Write recipes, or find those that the same owner is having proven already."""
    if not fresh:
        return []
    # Rows go in by the order of their names, so that two shards with the same files never wait for each other.
    Recipe.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
    names = {(recipe.file_hash, recipe.sha256) for recipe in fresh}
    found = [
        recipe
        for recipe in Recipe.objects.filter(
            domain=verified.domain, owner=fresh[0].owner, state=STATE.PROVING,
            file_hash__in=[recipe.file_hash for recipe in fresh],
        ).order_by("file_hash")
        if (recipe.file_hash, recipe.sha256) in names
    ]  # fmt: skip
    needs = [
        RecipeXorb(recipe=recipe, xorb_id=int(pk))
        for recipe in found
        for pk in sorted({int(pk) for pk in layout.unpack_terms(recipe.terms)["xorb"]})
    ]
    RecipeXorb.objects.bulk_create(needs, ignore_conflicts=True, batch_size=5000)
    return found
