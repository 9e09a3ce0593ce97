"""Files of a shard that was checked, written down as recipes."""

from collections.abc import Collection

import numpy
from django.db import transaction

from storage import layout
from storage.digests import Digest
from storage.errors import StoreUnavailable
from storage.models import Form, Recipe, RecipeXorb
from storage.registering import Verified, size_of
from storage.xet.errors import XetError
from storage.xet.hashes import to_text
from storage.xet.shards import FileEntry

# So many files are asked of the database at once.
FILES = 500

STATE = Recipe.State


def record(verified: Verified, *, owner: str) -> list[Recipe]:
    """Write down the files of a shard whose every step was taken; returns their recipes, proven or yet to be.

    Raises XetError where a file is known under another sha256, StoreUnavailable where trying again is of use.
    """
    files = {to_text(file.hash): file for file in verified.shard.files}
    with transaction.atomic():
        found: list[Recipe] = []
        # Rows go in by the order of their names, so that two shards with the same files never wait for each other.
        names = sorted(files)
        for at in range(0, len(names), FILES):
            found += _recorded(verified, {name: files[name] for name in names[at : at + FILES]}, owner)
        return found


def _recorded(verified: Verified, files: dict[str, FileEntry], owner: str) -> list[Recipe]:
    """Find or write the recipes of some files."""
    known = _proven(verified.domain, files)
    fresh = [_recipe(verified, name, file, owner) for name, file in files.items() if name not in known]
    Recipe.objects.bulk_create(fresh, ignore_conflicts=True)
    mine = _being_proven(fresh)
    RecipeXorb.objects.bulk_create(
        [
            RecipeXorb(recipe=recipe, xorb_id=pk)
            for recipe in mine
            for pk in numpy.unique(layout.unpack_terms(recipe.terms)["xorb"]).tolist()
        ],
        ignore_conflicts=True, batch_size=5000,
    )  # fmt: skip
    # Another run of the same shard may have been proven between the two looks: then it is found by a third.
    late = _proven(verified.domain, files.keys() - known.keys() - {recipe.file_hash for recipe in mine})
    for recipe in (known | late).values():
        _agree(recipe, files[recipe.file_hash])
    if len(known) + len(mine) + len(late) < len(files):
        raise StoreUnavailable("Files of this shard were given up at this very moment; try again.")
    return [*known.values(), *mine, *late.values()]


def _proven(domain: str, names: Collection[str]) -> dict[str, Recipe]:
    sound = Recipe.objects.filter(
        domain=domain, file_hash__in=names, state=STATE.PROVEN,
        form__state=Form.State.OK, form__blob__quarantined_at=None,
    )  # fmt: skip
    return {recipe.file_hash: recipe for recipe in sound.select_related("form__blob")}


def _being_proven(fresh: list[Recipe]) -> list[Recipe]:
    """Return these recipes as they stand in the database, perhaps written by another of their owner's."""
    if not fresh:
        return []
    names = {(recipe.file_hash, recipe.sha256) for recipe in fresh}
    rows = Recipe.objects.filter(
        domain=fresh[0].domain, owner=fresh[0].owner, state=STATE.PROVING,
        file_hash__in=[recipe.file_hash for recipe in fresh],
    )  # fmt: skip
    return [recipe for recipe in rows.order_by("file_hash") if (recipe.file_hash, recipe.sha256) in names]


def _agree(recipe: Recipe, file: FileEntry) -> None:
    if recipe.sha256 != file.sha256:
        raise XetError(f"The file {recipe.file_hash} does not have the sha256 {file.sha256}.")


def _recipe(verified: Verified, name: str, file: FileEntry, owner: str) -> Recipe:
    terms = [(verified.rows[term.xorb], term.start, term.end, term.unpacked) for term in file.terms]
    return Recipe(
        domain=verified.domain, owner=owner, file_hash=name, sha256=Digest.parse(file.sha256 or ""),
        size=size_of(file), terms=layout.pack_terms(terms),
    )  # fmt: skip
