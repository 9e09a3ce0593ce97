"""Recipes: read from a client's shard, checked against our own xorbs, proven by hashing what they make."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

from django.db import transaction

from storage import chunks, layout, xorbs
from storage.digests import Digest, StreamHasher
from storage.models import Blob, Form, Recipe, RecipeXorb
from storage.quarantine import release_if_sound
from storage.xet.errors import XetError
from storage.xet.hashes import Hash, file_hash, range_hash, to_text
from storage.xet.shards import FileEntry, Shard, Term, XorbEntry, read_shard

# Files of a shard may name the same chunks over and over; this bounds the work before it begins.
MAX_CHUNKS = 8_000_000
# So many chunks are decoded while as many are hashed.
AT_ONCE = 32
STATE = Recipe.State


class Known:
    """The xorbs that a shard names, as this hub knows them."""

    def __init__(self, shard: Shard, domain: str) -> None:
        """Find them; raises XetError for one that this domain may not name."""
        wanted = {to_text(term.xorb) for file in shard.files for term in file.terms}
        wanted |= {to_text(xorb.hash) for xorb in shard.xorbs}
        self.xorbs = xorbs.named_in(domain, wanted)
        for name in sorted(wanted - self.xorbs.keys()):
            raise XetError(f"The xorb {name} is not known here; upload it before the shard that names it.")
        self.chunks = {name: layout.Index.of(xorb.index).pairs() for name, xorb in self.xorbs.items()}

    def check(self, entry: XorbEntry) -> None:
        """Raise XetError unless a xorb's chunks are said to be what they are."""
        if [(digest, length) for digest, _, length in entry.chunks] != self.chunks[to_text(entry.hash)]:
            raise XetError(f"The chunks of the xorb {to_text(entry.hash)} are not the ones that it holds.")

    def taken(self, term: Term, proof: Hash, where: str) -> list[tuple[Hash, int]]:
        """Return the chunks of a term; raises XetError unless its bounds, length and range hash are right."""
        held = self.chunks[to_text(term.xorb)]
        if term.end > len(held):
            raise XetError(f"{where} names chunks up to {term.end} of a xorb that has {len(held)}.")
        found = held[term.start : term.end]
        if sum(raw for _, raw in found) != term.unpacked:
            raise XetError(f"{where} does not have {term.unpacked} bytes.")
        if range_hash([digest for digest, _ in found]) != proof:
            raise XetError(f"{where} does not have the range hash that was sent.")
        return found


def read(data: bytes, *, domain: str, owner: str, max_bytes: int) -> list[Recipe]:
    """Check a shard in every point but the sha256 of its files; returns their recipes, proven or yet to be.

    Nothing is written before everything was checked.  Raises XetError.
    """
    shard = read_shard(data)
    if not shard.files:
        raise XetError("The shard names no files.")
    _bound(shard, max_bytes)
    known = Known(shard, domain)
    for entry in shard.xorbs:
        known.check(entry)
    for number, file in enumerate(shard.files):
        _check(file, known, f"File {number} of the shard")
    with transaction.atomic():
        return [_recipe(file, known, owner) for file in shard.files]


def _bound(shard: Shard, max_bytes: int) -> None:
    if sum(term.end - term.start for file in shard.files for term in file.terms) > MAX_CHUNKS:
        raise XetError(f"The files of the shard have more than {MAX_CHUNKS} chunks together.")
    for number, file in enumerate(shard.files):
        if (size := _size(file)) > max_bytes:
            raise XetError(f"File {number} of the shard has {size} bytes; at most {max_bytes} are taken.")


def _size(file: FileEntry) -> int:
    return sum(term.unpacked for term in file.terms)


def _check(file: FileEntry, known: Known, where: str) -> None:
    if not file.terms or file.sha256 is None or file.ranges is None:
        raise XetError(f"{where} must have terms, a range hash for each, and a sha256.")
    pieces: list[tuple[Hash, int]] = []
    for number, (term, proof) in enumerate(zip(file.terms, file.ranges, strict=True)):
        pieces += known.taken(term, proof, f"Term {number} of {where[0].lower()}{where[1:]}")
    if file_hash(pieces) != file.hash:
        raise XetError(f"{where} does not have the hash {to_text(file.hash)}.")


def _recipe(file: FileEntry, known: Known, owner: str) -> Recipe:
    name, sha256 = to_text(file.hash), Digest.parse(file.sha256 or "")
    proven = find(name)
    if proven is not None:
        if proven.sha256 != sha256:
            raise XetError(f"The file {name} has the sha256 {proven.sha256}, not {sha256}.")
        return proven
    rows = [known.xorbs[to_text(term.xorb)] for term in file.terms]
    terms = [
        (row.pk, term.start, term.end, term.unpacked) for row, term in zip(rows, file.terms, strict=True)
    ]
    recipe, created = Recipe.objects.get_or_create(
        owner=owner, file_hash=name, sha256=sha256, state=STATE.PROVING,
        defaults={"size": _size(file), "terms": layout.pack_terms(terms)},
    )  # fmt: skip
    if created:
        needs = [RecipeXorb(recipe=recipe, xorb=row) for row in {row.pk: row for row in rows}.values()]
        RecipeXorb.objects.bulk_create(needs)
    return recipe


def find(name: str) -> Recipe | None:
    """Return the proven recipe of a file hash whose form is sound, with its blob, in one query."""
    sound = Recipe.objects.filter(
        file_hash=name, state=STATE.PROVEN, form__state=Form.State.OK, form__blob__quarantined_at=None
    )
    return sound.select_related("form__blob").first()


def find_all(names: Collection[str]) -> list[Recipe]:
    """Return the proven recipes of these file hashes."""
    return list(Recipe.objects.filter(file_hash__in=names, state=STATE.PROVEN))


def proving(pks: Collection[int]) -> list[Recipe]:
    """Return which of these recipes are still to be proven."""
    return list(Recipe.objects.filter(pk__in=pks, state=STATE.PROVING).order_by("pk"))


def hash_content(recipe: Recipe, *, progress: Callable[[int], None]) -> Digest:
    """Return the sha256 of what a recipe makes; the next piece is decoded while this one is hashed.

    `progress` gets the number of bytes hashed so far and may raise to stop.  Raises ObjectMissing, StoreUnavailable.
    """
    hasher = StreamHasher()
    with closing(chunks.read(recipe, 0, recipe.size)) as content, ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(_some, content)
        while piece := ahead.result():
            ahead = reader.submit(_some, content)
            for data in piece:
                hasher.update(data)
            progress(hasher.size)
    return hasher.digest()


def hash_small(recipe: Recipe, shelf: chunks.Shelf) -> Digest:
    """Return the sha256 of what a recipe of a small file makes; raises as `hash_content`."""
    hasher = StreamHasher()
    for data in shelf.read(recipe):
        hasher.update(data)
    return hasher.digest()


def _some(content: Iterator[bytes]) -> list[bytes]:
    return list(islice(content, AT_ONCE))


def settle(recipe: Recipe, *, found: str) -> Blob | None:
    """Write what hashing gave, in the caller's transaction: the blob, or None for a recipe that told untruth.

    Such a recipe is deleted.  When the same file was proven meanwhile, that recipe stays and this one goes.
    """
    row = Recipe.objects.select_for_update().filter(pk=recipe.pk).first()
    if row is None or found != row.sha256:
        Recipe.objects.filter(pk=recipe.pk).delete()
        return None
    blob, _ = Blob.objects.select_for_update().get_or_create(sha256=row.sha256, defaults={"size": row.size})
    if row.state == STATE.PROVEN:
        return blob
    older = Recipe.objects.filter(file_hash=row.file_hash, state=STATE.PROVEN).first()
    if older is not None:
        _replace(older, row) if older.form.state == Form.State.DAMAGED else row.delete()
    else:
        row.state = STATE.PROVEN
        row.save(update_fields=["state"])
        Form.objects.create(blob=blob, kind=Form.Kind.CHUNKED, recipe=row)
    release_if_sound(blob)
    return blob


def _replace(older: Recipe, newer: Recipe) -> None:
    """Put a sound recipe in the place of one whose xorbs are damaged."""
    newer_needs = list(RecipeXorb.objects.filter(recipe=newer).values_list("xorb", flat=True))
    older.terms = newer.terms
    older.save(update_fields=["terms"])
    RecipeXorb.objects.filter(recipe=older).delete()
    newer.delete()
    RecipeXorb.objects.bulk_create([RecipeXorb(recipe=older, xorb_id=pk) for pk in newer_needs])
    Form.objects.filter(recipe=older).update(state=Form.State.OK)
