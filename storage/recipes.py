"""Recipes: proven by hashing what they make, and found again by the hash of their file."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing

from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from storage import chunks, layout
from storage.digests import Digest, StreamHasher
from storage.models import Blob, Form, Recipe, RecipeXorb, Xorb
from storage.quarantine import release_if_sound
from storage.soundness import locked
from storage.streams import ahead

STATE = Recipe.State
# The stock client takes larger files in no other way.
ONLY_BY_CHUNKS = 50_000_000_000


def find(name: str, *, near: str) -> Recipe | None:
    """Return the proven recipe of a file hash whose form is sound, with its blob, in one query.

    Equal file hashes are equal files.  The recipe of the domain `near` comes first; another domain's is taken only
    where there is no plain form, or clients take none: what is pushed in one piece then tells nobody whether
    somebody else has it in chunks.
    """
    plain = Form.objects.filter(blob=OuterRef("form__blob"), kind=Form.Kind.PLAIN, state=Form.State.OK)
    sound = Recipe.objects.filter(
        Q(domain=near) | Q(size__gt=ONLY_BY_CHUNKS) | ~Exists(plain),
        file_hash=name, state=STATE.PROVEN, form__state=Form.State.OK, form__blob__quarantined_at=None,
    )  # fmt: skip
    distance = Case(When(domain=near, then=Value(0)), default=Value(1))
    return sound.select_related("form__blob").order_by(distance, "pk").first()


def find_all(names: Collection[str], *, domain: str) -> list[Recipe]:
    """Return a domain's proven recipes of these file hashes."""
    found = Recipe.objects.filter(domain=domain, file_hash__in=names, state=STATE.PROVEN)
    return list(found.order_by("file_hash"))


def proving(pks: Collection[int]) -> list[Recipe]:
    """Return which of these recipes are still to be proven; they are safe from the sweep from now on."""
    mine = Recipe.objects.filter(pk__in=pks, state=STATE.PROVING)
    mine.update(touched_at=timezone.now())
    return list(mine.order_by("pk"))


def missing(pks: Collection[int]) -> int:
    """Return how many of these recipes are no more: the sweep took them, or another file's proof made them needless."""
    return len(set(pks)) - Recipe.objects.filter(pk__in=pks).count()


def give_up(spoiled: Collection[Recipe]) -> None:
    """Forget recipes that can never be proven."""
    Recipe.objects.filter(pk__in=[recipe.pk for recipe in spoiled], state=STATE.PROVING).delete()


def needing_damaged(pks: Collection[int]) -> set[int]:
    """Return which of these recipes need a xorb that is known to be damaged."""
    needs = RecipeXorb.objects.filter(recipe__in=pks, xorb__state=Xorb.State.DAMAGED)
    return set(needs.values_list("recipe", flat=True))


def nearby(found: Collection[Recipe]) -> list[Recipe]:
    """Return recipes in the order in which their first chunks lie in the store, so that they are read quickest."""
    return sorted(found, key=lambda recipe: layout.unpack_terms(recipe.terms)[0].item())


def hash_contents(
    found: Iterable[Recipe], *, progress: Callable[[int], None]
) -> Iterator[tuple[Recipe, Digest]]:
    """Yield the sha256 of what each recipe makes; what follows is fetched and decoded while this is hashed.

    `progress` gets the number of bytes hashed so far and may raise to stop.  Raises ObjectMissing, ChunksDamaged,
    StoreUnavailable.
    """
    done, hasher = 0, StreamHasher()
    with closing(chunks.read_all(found)) as contents, closing(ahead(contents)) as coming:
        for pieces in coming:
            for recipe, data in pieces:
                hasher.update(data)
                if hasher.size == recipe.size:
                    done += hasher.size
                    yield recipe, hasher.digest()
                    hasher = StreamHasher()
            progress(done + hasher.size)


def settle(found: Sequence[tuple[Recipe, str]]) -> dict[int, Blob]:
    """Write what hashing gave, recipe by recipe with its sha256, in the caller's transaction.

    Returns the blobs by the ids of the recipes that told the truth; the others are deleted, and so are those of
    which a xorb was found damaged since.  When a domain has proven the same file meanwhile, that recipe stays and
    the new one goes.
    """
    spoiled = _spoiled([recipe.pk for recipe, _ in found])
    rows = Recipe.objects.select_for_update().filter(pk__in=[recipe.pk for recipe, _ in found])
    kept = {row.pk: row for row in rows.order_by("pk")}
    hashes = {recipe.pk: sha256 for recipe, sha256 in found}
    true = {pk: row for pk, row in kept.items() if row.sha256 == hashes[pk] and pk not in spoiled}
    Recipe.objects.filter(pk__in=kept.keys() - true.keys()).delete()
    blobs = _blobs_of(list(true.values()))
    _take_place(list(true.values()), blobs)
    for blob in blobs.values():
        release_if_sound(blob)
    return {pk: blobs[row.sha256] for pk, row in true.items()} | _gone_but_proven(found, kept)


def _spoiled(pks: Collection[int]) -> set[int]:
    """Return which recipes need a damaged xorb, and keep their xorbs as they are until the transaction has ended."""
    needed = RecipeXorb.objects.filter(recipe__in=pks).values("xorb")
    list(Xorb.objects.select_for_update(no_key=True).filter(pk__in=needed).order_by("pk").values_list("pk"))
    return needing_damaged(pks)


def _blobs_of(rows: list[Recipe]) -> dict[str, Blob]:
    """Return the locked blobs of these recipes by sha256, those made first that did not exist."""
    sizes = dict(sorted((row.sha256, row.size) for row in rows))
    made = [Blob(sha256=sha256, size=size) for sha256, size in sizes.items()]
    Blob.objects.bulk_create(made, ignore_conflicts=True, batch_size=1000)
    pks = set(Blob.objects.filter(sha256__in=sizes).values_list("pk", flat=True))
    return {blob.sha256: blob for blob in locked(pks)}


def _take_place(rows: list[Recipe], blobs: dict[str, Blob]) -> None:
    """Make recipes proven, or let them mend or leave the place to one that was proven before."""
    older: dict[tuple[str, str], Recipe] = {
        (recipe.domain, recipe.file_hash): recipe
        for recipe in Recipe.objects.filter(
            file_hash__in=[row.file_hash for row in rows], state=STATE.PROVEN
        ).select_related("form")
    }
    fresh = []
    for row in rows:
        before = older.get((row.domain, row.file_hash))
        if before is None:
            fresh.append(row)
        elif before.pk != row.pk:
            _replace(before, row) if before.form.state == Form.State.DAMAGED else row.delete()
    Recipe.objects.filter(pk__in=[row.pk for row in fresh]).update(state=STATE.PROVEN)
    forms = [Form(blob=blobs[row.sha256], kind=Form.Kind.CHUNKED, recipe=row) for row in fresh]
    Form.objects.bulk_create(forms, batch_size=1000)


def _gone_but_proven(found: Sequence[tuple[Recipe, str]], kept: dict[int, Recipe]) -> dict[int, Blob]:
    """Return the blobs of recipes whose rows went because somebody else proved the same file."""
    blobs = {}
    for recipe, sha256 in found:
        if recipe.pk not in kept and sha256 == recipe.sha256:
            other = find(recipe.file_hash, near=recipe.domain)
            if other is not None and other.domain == recipe.domain:
                blobs[recipe.pk] = other.form.blob
    return blobs


def _replace(older: Recipe, newer: Recipe) -> None:
    """Put a sound recipe in the place of one whose xorbs are damaged."""
    newer_needs = list(RecipeXorb.objects.filter(recipe=newer).values_list("xorb", flat=True))
    older.terms = newer.terms
    older.save(update_fields=["terms"])
    RecipeXorb.objects.filter(recipe=older).delete()
    newer.delete()
    RecipeXorb.objects.bulk_create([RecipeXorb(recipe=older, xorb_id=pk) for pk in newer_needs])
    Form.objects.filter(recipe=older).update(state=Form.State.OK)
