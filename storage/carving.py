"""Chunked forms that the hub makes itself, of blobs that lie as one object.

One pass over the object cuts it where the client would, keeps the chunks as xorbs of a domain, and hashes the whole: a
recipe that comes of it is proven when that hash is the blob's.  A run that breaks off leaves xorbs that the next run
finds under their names and need not make again; those that no recipe comes to need are swept like any others.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import numpy
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from storage import dedup, layout, proof, recipes, xorbs
from storage.digests import StreamHasher
from storage.errors import ObjectMissing
from storage.models import Blob, Form, Recipe, RecipeXorb
from storage.streams import PieceStream, ahead
from storage.xet.chunking import cut
from storage.xet.hashes import Hash, chunk_hash, file_hash_of, to_text, xorb_hash
from storage.xet.merkle import Tree
from storage.xet.xorbs import MAX_CHUNKS, MAX_RAW, write_xorb

OK, PLAIN, CHUNKED = Form.State.OK, Form.Kind.PLAIN, Form.Kind.CHUNKED
Pairs = list[tuple[Hash, int]]


def lacking_chunks(larger_than: int, digests: Collection[str] | None = None) -> QuerySet[Blob]:
    """Return the blobs above a size, all or of these, that can be handed out, but not by chunks."""
    sound = Form.objects.filter(blob=OuterRef("pk"), state=OK)
    large = Blob.objects.filter(size__gt=larger_than, quarantined_at=None)
    mine = large if digests is None else large.filter(sha256__in=digests)
    return mine.filter(Exists(sound.filter(kind=PLAIN)), ~Exists(sound.filter(kind=CHUNKED)))


def form_to_carve(sha256: str) -> Form | None:
    """Return the plain form of a blob that has no chunked one yet, with its blob."""
    forms = Form.objects.filter(blob__in=lacking_chunks(0, [sha256]), kind=PLAIN, state=OK)
    return forms.select_related("blob").order_by("pk").first()


@dataclass(slots=True)
class Carved:
    """What cutting an object gave: xorbs in order (name, chunks, raw bytes), the hash of the file, and its sha256.

    `healed` are blobs that were made whole again because a xorb of theirs was damaged and came anew.
    """

    xorbs: list[tuple[str, int, int]] = field(default_factory=list)
    file_hash: str = ""
    sha256: str = ""
    healed: list[Blob] = field(default_factory=list)


def carve(form: Form, *, domain: str, progress: Callable[[int], None]) -> Carved:
    """Cut a plain form into chunks and keep them as xorbs of a domain.

    `progress` gets the number of bytes done and may raise to stop.  Not to be called in a transaction.  Raises
    ObjectMissing, StoreUnavailable.
    """
    found, tree, hasher, done = Carved(), Tree(), StreamHasher(), 0
    with (
        closing(proof.pieces_of(form.key, form.blob.size)) as pieces,
        closing(ahead(_hashed(pieces, hasher))) as coming,
    ):
        for chunks in _gathered(cut(cast("BinaryIO", PieceStream(coming)))):
            pairs = [(chunk_hash(chunk), len(chunk)) for chunk in chunks]
            found.xorbs.append(_kept(chunks, pairs, domain, found.healed))
            tree.add(b"".join(digest for digest, _ in pairs), numpy.array([raw for _, raw in pairs]))
            done += found.xorbs[-1][2]
            # These 64 MiB go before the next ones are gathered.
            del chunks
            progress(done)
    found.file_hash, found.sha256 = to_text(file_hash_of(tree)), hasher.digest()
    return found


def _hashed(pieces: Iterator[bytes], hasher: StreamHasher) -> Iterator[bytes]:
    """Pass pieces on once they are hashed, which happens where they are made ahead."""
    for piece in pieces:
        hasher.update(piece)
        yield piece


def _gathered(chunks: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield chunks by as many as make a xorb."""
    held: list[bytes] = []
    raw = 0
    for chunk in chunks:
        if len(held) == MAX_CHUNKS or raw + len(chunk) > MAX_RAW:
            yield held
            held, raw = [], 0
        held.append(chunk)
        raw += len(chunk)
    if held:
        yield held


def _kept(chunks: list[bytes], pairs: Pairs, domain: str, healed: list[Blob]) -> tuple[str, int, int]:
    """Keep a xorb unless the domain has it, and return its name, its number of chunks and its raw bytes."""
    name = to_text(xorb_hash(pairs))
    if not xorbs.named_in(domain, [name]):
        with TemporaryFile() as file:
            for chunk in chunks:
                # The data part of a xorb is that of its chunks, one behind another; whole it would take much memory.
                file.write(write_xorb([chunk]))
            healed += xorbs.keep(name, file, file.tell(), domain=domain).healed
    return name, len(pairs), sum(raw for _, raw in pairs)


def settle(blob: Blob, carved: Carved, *, domain: str, owner: str) -> None:
    """Write the chunked form of a blob whose carving gave its sha256, in the caller's transaction.

    Raises ObjectMissing where a xorb was lost meanwhile.
    """
    with transaction.atomic():
        rows = xorbs.named_in(domain, {name for name, _, _ in carved.xorbs})
        lost = [name for name, _, _ in carved.xorbs if name not in rows]
        if lost:
            raise ObjectMissing(f"The xorb {lost[0]} was lost meanwhile.")
        terms = [(rows[name].pk, 0, count, raw) for name, count, raw in carved.xorbs]
        recipe = Recipe.objects.create(
            domain=domain, owner=owner, file_hash=carved.file_hash, sha256=blob.sha256, size=blob.size,
            terms=layout.pack_terms(terms),
        )  # fmt: skip
        needs = [RecipeXorb(recipe=recipe, xorb_id=pk) for pk in sorted(row.pk for row in rows.values())]
        RecipeXorb.objects.bulk_create(needs, batch_size=5000)
        recipes.settle([(recipe, carved.sha256)])
        dedup.learn(recipes.find_all([carved.file_hash], domain=domain), domain)
