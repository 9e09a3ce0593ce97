"""Making second forms of proven files, so that more clients get them, or get them faster."""

from collections.abc import Callable
from functools import partial

from django.db import transaction

from hub.catalog import forms, holdings, jobs
from hub.catalog.models import Job
from storage import carving, forming, settling
from storage.errors import ChunksDamaged, ObjectMissing, RangeNotSatisfiable, StoreUnavailable
from storage.models import Recipe, Upload
from workers import care
from workers.errors import Refused
from workers.verify import Progress


def make_plain(job: Job) -> None:
    """Put a file that lies in chunks together as one object; its form stands with the job's last write."""
    sha256 = job.payload["sha256"]
    recipe = forming.recipe_for(sha256)
    if recipe is None:
        # It has a plain form by now, or cannot be handed out at all.
        with jobs.finishing(job, {"made": False}):
            return
    forms.make_room(recipe.size)
    upload, found = _assembled(recipe, Progress(job, 2 * recipe.size, f"putting together {sha256[:12]}"))
    if found != sha256:
        _reject(job, upload, found)
    with jobs.finishing(job, {"made": True}):
        blob = settling.settle_proven(upload)
        transaction.on_commit(partial(holdings.reconcile, [blob.pk]))
        transaction.on_commit(partial(forms.forget_pulls, sha256))


def _assembled(recipe: Recipe, progress: Callable[[int], None]) -> tuple[Upload, str]:
    """Return the upload of a file put together and the sha256 of what the store holds of it."""
    try:
        upload = forming.assemble(recipe, owner=forms.OWNER, progress=progress)
        return upload, settling.hash_stored(upload, progress=lambda done: progress(recipe.size + done))
    except ChunksDamaged:
        # Somebody looks at that xorb now; the next run sees what is left.
        raise
    except ObjectMissing as error:
        # The stored object is gone, or the file is held back by now.
        raise Refused(str(error)) from error


def _reject(job: Job, upload: Upload, found: str) -> None:
    """Throw away what went wrong on its way into the store; the next run begins anew."""
    problem = f"The stored object has the sha256 {found}."
    with jobs.fenced(job):
        settling.settle_rejected(upload, problem=problem)
    raise StoreUnavailable(problem)


def make_chunked(job: Job) -> None:
    """Cut a file that lies as one object into chunks; its form stands with the job's last write."""
    sha256, domain = job.payload["sha256"], job.payload["domain"]
    form = carving.form_to_carve(sha256)
    if form is None:
        # It has chunks by now, or cannot be handed out at all.
        with jobs.finishing(job, {"made": False}):
            return
    progress = Progress(job, form.blob.size, f"cutting {sha256[:12]} into chunks")
    try:
        carved = carving.carve(form, domain=domain, progress=progress)
    except (ObjectMissing, RangeNotSatisfiable):
        carved = None
    if carved is None or carved.sha256 != sha256:
        care.reread(job, form)
        raise StoreUnavailable("The stored object did not read as what it is; it was read again.")
    holdings.reconcile([blob.pk for blob in carved.healed])
    with jobs.finishing(job, {"made": True, "xorbs": len(carved.xorbs)}):
        carving.settle(form.blob, carved, domain=domain, owner=forms.OWNER)
        transaction.on_commit(partial(holdings.reconcile, [form.blob_id]))
