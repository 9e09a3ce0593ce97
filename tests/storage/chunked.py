"""A file that lies in chunks only, for tests of what is made of it."""

import hashlib

from django.db import transaction

from storage import recipes
from storage.models import Blob, Recipe
from tests.storage.files import Pile, register
from tests.storage.xet.samples import file_entry, xorb_entry


def keep_chunks(chunks: tuple[bytes, ...], *, domain: str = "d") -> Blob:
    """Keep a file of these chunks in one xorb, registered and proven."""
    pile, sha256 = Pile(chunks, xorb_entry(chunks)), hashlib.sha256(b"".join(chunks)).hexdigest()
    pile.keep(domain)
    (recipe,) = register([file_entry(pile.entry, sha256)], [pile.entry], domain=domain)
    with transaction.atomic():
        return recipes.settle([(recipe, sha256)])[recipe.pk]


def recipe_of(blob: Blob) -> Recipe:
    return Recipe.objects.get(form__blob=blob)
