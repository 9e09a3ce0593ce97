"""Asking for quantizations of a model, and how far they are.

The work is a job; `workers.quantize_job` does it, and `landing` puts what came out of it into a repo.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import transaction

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import access, jobs, landing, quotas, sources
from hub.catalog.errors import BadRequest, EntryNotFound, SignInNeeded, TooManyAtOnce
from hub.catalog.ggufnames import TYPES, TYPES_BY_MATRIX
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Job, Repo
from hub.catalog.sources import Source
from hub.catalog.tickets import identity_of, viewer_again
from hub.catalog.trees import Entry

KIND = "quantize"
# How much a file's answers differ from those of the weights that it was made from.
PERPLEXITY, DIVERGENCE = "perplexity", "kl"
EVALUATIONS = (PERPLEXITY, DIVERGENCE)
_EVALUATOR = "xllamacpp"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job is to do, as its payload keeps it: who asked, for what, of which file at which commit.

    ``path`` is config.json for a checkpoint, else a GGUF file; ``imatrix`` is a path too.
    """

    user: int | None
    token: int | None
    commit: str
    path: str
    types: list[str]
    target: str
    imatrix: str = ""
    evaluate: str = ""

    @classmethod
    def of(cls, job: Job) -> Self:
        """Read it back from a job."""
        return cls(**job.payload)

    def viewer(self) -> Viewer:
        """Return who asked, with the rights of now; raises NotAllowed when account or token are gone."""
        return viewer_again(self.user, self.token, what="asked for this conversion")


def ask(
    viewer: Viewer, at: Located, *, types: Sequence[str], source: str = "", target: str = "", imatrix: str = "",
    evaluate: str = "",
) -> Job:  # fmt: skip
    """Ask for quantizations of a model at a commit; an open job for the same is returned again.

    ``source`` is a file's path, needed where the commit holds several models; ``target`` the name of another repo than
    ``NAME-GGUF``; ``imatrix`` the path of an importance matrix; ``evaluate`` one of EVALUATIONS.  Raises what the gate
    says, BadRequest, NameTaken, NoRoom, OverQuota and TooManyAtOnce.
    """
    access.require_convert(viewer, at.repo)
    _require_evaluator(evaluate)
    chosen, wanted = sources.choose(at, source), _known(types)
    matrix = sources.choose_matrix(at, chosen, imatrix, wanted)
    name = landing.target_name(at.repo, target)
    landing.find_target(viewer, at.repo, name)
    require_room(at.repo, chosen, wanted, matrix)
    user, token = identity_of(viewer)
    wish = Wish(user, token, at.commit, chosen.path, wanted, name.name, imatrix, evaluate)
    about = json.dumps([chosen.path, sorted(wanted), name.key, imatrix, evaluate])
    subject = f"{at.repo.pk}:{at.commit}:{hashlib.sha256(about.encode()).hexdigest()}"
    with transaction.atomic():
        _require_turn(viewer, subject)
        return jobs.ask(kind=KIND, subject=subject, repo=at.repo, payload=asdict(wish))


def require_room(repo: Repo, source: Source, types: Sequence[str], matrix: Entry | None) -> None:
    """Raise NoRoom where the disk has not enough for a conversion, OverQuota where the namespace has not."""
    sources.require_disk(source, types, matrix)
    quotas.require_bytes(repo.namespace, sources.outcome_sizes(source, types))


def ask_again(viewer: Viewer, job: Job) -> Job:
    """Ask in the viewer's name for what a job was to do; raises what `ask` does."""
    if job.repo is None:
        raise EntryNotFound("The repository is gone.")
    wish = Wish.of(job)
    return ask(
        viewer, locate_in(job.repo, wish.commit), types=wish.types, source=wish.path, target=wish.target,
        imatrix=wish.imatrix, evaluate=wish.evaluate,
    )  # fmt: skip


def _known(types: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(name.upper() for name in types))
    unknown = [name for name in wanted if name not in (*TYPES, *TYPES_BY_MATRIX)]
    if unknown or not wanted:
        said = f"{unknown[0][:50]!r} is no type made here" if unknown else "name at least one"
        raise BadRequest(f"types: {said}; there are {', '.join((*TYPES, *TYPES_BY_MATRIX))}.")
    return wanted


def can_evaluate() -> bool:
    """True where the optional package that runs models is installed."""
    return find_spec(_EVALUATOR) is not None


def _require_evaluator(evaluate: str) -> None:
    if not evaluate:
        return
    if evaluate not in EVALUATIONS:
        raise BadRequest(f"evaluate: {evaluate[:50]!r} is unknown; there are {', '.join(EVALUATIONS)}.")
    if not can_evaluate():
        raise BadRequest(
            f"evaluate: {_EVALUATOR} is not installed on this hub; leave this out, or ask its administrator to"
            " install the extra named evaluate."
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
