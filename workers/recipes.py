"""Proving files that came as chunks: decode what a recipe names, hash it, and settle what the repo may serve."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hub.accounts.models import User
from hub.catalog import holdings, jobs
from hub.catalog.models import Job
from storage import recipes
from storage.chunks import Shelf
from storage.errors import ObjectMissing
from storage.models import Recipe
from workers.errors import Refused
from workers.verify import Progress

# Files up to this size are read from xorbs that are fetched whole.
SMALL = 4 * 2**20


def prove_chunks(job: Job) -> None:
    """Hash what the recipes in the payload make; each becomes a file of the repo, or goes with the job's last write."""
    repo = job.repo
    if repo is None:
        raise Refused("The repository is gone.")
    pending = recipes.proving(job.payload["recipes"])
    progress = Progress(job, sum(recipe.size for recipe in pending), "hashing chunks")
    found, done, shelf = [], 0, Shelf()
    for recipe in pending:
        found.append((recipe, _hash(recipe, shelf, partial(_advance, progress, done))))
        done += recipe.size
    by = User.objects.filter(pk=job.payload["user"]).first()
    result: dict[str, Any] = {"files": len(pending)}
    with jobs.finishing(job, result):
        result["problems"] = holdings.settle_recipes(found, domain=job.payload["domain"], repo=repo, by=by)


def _advance(progress: Progress, before: int, done: int) -> None:
    progress(before + done)


def _hash(recipe: Recipe, shelf: Shelf, progress: Callable[[int], None]) -> str:
    try:
        if recipe.size > SMALL:
            return recipes.hash_content(recipe, progress=progress)
        progress(0)
        return recipes.hash_small(recipe, shelf)
    except ObjectMissing as error:
        # Chunks that were sound when they came are not any more: the scrub will tell, and a new upload heals it.
        raise Refused(str(error)) from error
