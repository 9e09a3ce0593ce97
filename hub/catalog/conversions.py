"""Asking for quantizations of a model, and how far they are.

The work is a job; `workers.quantize_job` does it, and `landing` puts what came out of it into a repo.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import transaction

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import access, jobs, landing
from hub.catalog.errors import BadRequest, EntryNotFound, NoRoom, SignInNeeded, TooManyAtOnce
from hub.catalog.ggufs import TOWER, Gguf, models_in
from hub.catalog.lookups import Located
from hub.catalog.models import Job, Repo
from hub.catalog.tickets import identity_of, viewer_again

KIND = "quantize"
# What the worker makes of a model without an importance matrix; a test holds this against the worker's own list.
TYPES = (
    "F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
    "IQ4_NL", "IQ4_XS", "MXFP4_MOE", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "TQ2_0", "TQ1_0", "Q2_0", "Q1_0",
)  # fmt: skip
_BYTES = {"F32": 4.0, "F16": 2.0, "BF16": 2.0}
# No other type takes more than Q8_0 does: 34 bytes for 32 weights.
_MOST_BYTES = 34 / 32


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job is to do, as its payload keeps it: who asked, for what, of which file at which commit."""

    user: int | None
    token: int | None
    commit: str
    path: str
    types: list[str]
    target: str

    @classmethod
    def of(cls, job: Job) -> Self:
        """Read it back from a job."""
        return cls(**job.payload)

    def viewer(self) -> Viewer:
        """Return who asked, with the rights of now; raises NotAllowed when account or token are gone."""
        return viewer_again(self.user, self.token, what="asked for this conversion")


def ask(viewer: Viewer, at: Located, *, types: Sequence[str], source: str = "", target: str = "") -> Job:
    """Ask for quantizations of a model at a commit; an open job for the same is returned again.

    ``source`` is a file's path, needed where the commit holds several models; ``target`` the name of another repo than
    ``NAME-GGUF``.  Raises what the gate says, BadRequest, NameTaken, NoRoom and TooManyAtOnce.
    """
    access.require_convert(viewer, at.repo)
    chosen, wanted = choose(at, source), _known(types)
    name = landing.target_name(at.repo, target)
    landing.find_target(viewer, at.repo, name)
    _require_disk(chosen, wanted)
    user, token = identity_of(viewer)
    wish = Wish(user, token, at.commit, chosen.path, wanted, name.name)
    about = json.dumps([chosen.path, sorted(wanted), name.key])
    subject = f"{at.repo.pk}:{at.commit}:{hashlib.sha256(about.encode()).hexdigest()}"
    with transaction.atomic():
        _require_turn(viewer, subject)
        return jobs.ask(kind=KIND, subject=subject, repo=at.repo, payload=asdict(wish))


def _known(types: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(name.upper() for name in types))
    unknown = [name for name in wanted if name not in TYPES]
    if unknown or not wanted:
        said = f"{unknown[0][:50]!r} is no type made here" if unknown else "name at least one"
        raise BadRequest(f"types: {said}; there are {', '.join(TYPES)}.")
    return wanted


def choose(at: Located, source: str = "") -> Gguf:
    """Return the model to be quantized: the one at a path, or the only one that can be; raises BadRequest."""
    models = models_in(at.repo, at.tree)
    if source:
        found = next((model for model in models if source in [shard.path for shard in model.shards]), None)
        if found is None:
            raise BadRequest(f"source: {source[:200]!r} is no GGUF file at this commit.")
        if found.problem:
            raise BadRequest(f"source: {found.path} cannot be quantized: {found.problem}.")
        return found
    fit = [model for model in models if not model.problem and model.architecture != TOWER]
    if len(fit) == 1:
        return fit[0]
    if fit:
        raise BadRequest(f"source: name one of {', '.join(model.path for model in fit[:20])}.")
    faults = "; ".join(f"{model.path}: {model.problem}" for model in models[:5] if model.problem)
    raise BadRequest(
        "There is no GGUF file of F32, F16 or BF16 weights here to quantize."
        + (f" {faults}." if faults else "")
    )


def room_for(model: Gguf, types: Sequence[str]) -> int:
    """Return about how many bytes of disk a conversion takes at once: the source, and its largest outcome."""
    return model.size + int(model.weights * max(_BYTES.get(name, _MOST_BYTES) for name in types))


def _require_disk(model: Gguf, types: Sequence[str]) -> None:
    folder = settings.HUB_DATA.absolute()
    # The worker makes the folder when it first needs it.
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    needed = room_for(model, types) + settings.HUB_CONVERT_DISK
    if free < needed:
        raise NoRoom(
            f"This conversion needs {needed / 1e9:.1f} GB of free disk on the hub, which has {free / 1e9:.1f} GB."
            " Ask for smaller types, or its administrator for room."
        )


def _require_turn(viewer: Viewer, subject: str) -> None:
    """Raise TooManyAtOnce where the viewer has as many other conversions open as one may have."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to convert.")
    # Two requests of one user are counted one after the other.
    User.objects.select_for_update(no_key=True).get(pk=viewer.user.pk)
    mine = Job.objects.filter(kind=KIND, state__in=jobs.OPEN, payload__user=viewer.user.pk)
    if mine.exclude(subject=subject).count() >= settings.HUB_CONVERT_OPEN:
        raise TooManyAtOnce(
            f"You have {settings.HUB_CONVERT_OPEN} conversions open; ask again when one of them is done."
        )


def find(viewer: Viewer, repo: Repo, job_id: str) -> Job:
    """Return a conversion of a repo, for those who may write there; raises EntryNotFound."""
    access.require_write(viewer, repo)
    try:
        job = Job.objects.filter(pk=UUID(job_id), repo=repo, kind=KIND).first()
    except ValueError:
        job = None
    if job is None:
        raise EntryNotFound("There is no such conversion of this repository.")
    return job


def recent(repo: Repo, limit: int = 5) -> list[Job]:
    """Return the newest conversions of a repo; the caller has asked the gate."""
    return list(Job.objects.filter(repo=repo, kind=KIND).order_by("-created_at")[:limit])


def cancel(viewer: Viewer, job: Job) -> Job:
    """End a conversion that is still open; nothing happens to one that has ended."""
    name = viewer.user.username if viewer.user else ""
    jobs.cancel(job, why=f"Cancelled by {name}.")
    job.refresh_from_db()
    return job


def state_of(job: Job) -> str:
    """Return ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``."""
    return jobs.CANCELLED if job.result.get(jobs.CANCELLED) else job.state


def progress_of(job: Job) -> dict[str, Any]:
    """Return how far a run is: bytes and tensors done of all, and about how many seconds are left."""
    return dict(job.result) if job.state == Job.State.RUNNING else {}
