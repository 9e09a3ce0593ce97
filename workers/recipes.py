"""Proving files that came as chunks: decode what recipes name, hash it, and settle what the repo may serve."""

from functools import partial
from typing import Any

from hub.accounts.models import User
from hub.catalog import holdings, jobs, tellings
from hub.catalog.models import Job
from storage import recipes
from storage.errors import ChunksDamaged, ObjectMissing
from storage.models import Recipe
from workers import care
from workers.errors import Refused
from workers.verify import Progress

SPOILED = "Stored chunks of the file {} were found damaged. Push it again: its chunks are then sent anew."
GONE = "Some files were given up before they were proven. Send them again."


def prove_chunks(job: Job) -> None:
    """Hash what the recipes in the payload make; each becomes a file of the repo, or goes with the job's last write.

    A file of which stored chunks are damaged is given up, and the client told that trying again is of use.
    """
    repo = job.repo
    if repo is None:
        raise Refused("The repository is gone.")
    named = job.payload["recipes"]
    gone = recipes.missing(named)
    pending = recipes.nearby(recipes.proving(named))
    hashes = _hash_all(job, pending)
    found = [(recipe, hashes[recipe.pk]) for recipe in pending if recipe.pk in hashes]
    spoiled = [recipe for recipe in pending if recipe.pk not in hashes]
    by = User.objects.filter(pk=job.payload["user"]).first()
    result: dict[str, Any] = {"files": len(pending), "again": bool(spoiled or gone)}
    with jobs.finishing(job, result):
        problems, again = holdings.settle_recipes(found, domain=job.payload["domain"], repo=repo, by=by)
        result["again"] |= again
        recipes.give_up(spoiled)
        problems += [SPOILED.format(recipe.file_hash) for recipe in spoiled] + ([GONE] if gone else [])
        result["problems"] = problems
        if found and not problems:
            tellings.proven(repo, by)


def _hash_all(job: Job, pending: list[Recipe]) -> dict[int, str]:
    """Return what recipes make by their ids, without those of which chunks are damaged."""
    progress = Progress(job, sum(recipe.size for recipe in pending), "hashing chunks")
    hashes: dict[int, str] = {}
    done = 0
    while pending:
        try:
            for recipe, digest in recipes.hash_contents(pending, progress=partial(_advance, progress, done)):
                hashes[recipe.pk] = digest
        except ObjectMissing as error:
            if isinstance(error, ChunksDamaged):
                care.look_at(error.xorb)
            damaged = recipes.needing_damaged([recipe.pk for recipe in pending])
            if not damaged - hashes.keys():
                # What was read is sound after all, or not there for another reason: the next run will tell.
                raise
            done += sum(recipe.size for recipe in pending if recipe.pk in hashes)
            pending = [recipe for recipe in pending if recipe.pk not in damaged | hashes.keys()]
        else:
            break
    return hashes


def _advance(progress: Progress, before: int, done: int) -> None:
    progress(before + done)
