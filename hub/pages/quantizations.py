"""The quantizations of a model: those that are there, those that are being made, and a form to ask for more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, conversions, family, jobs, landing, sources
from hub.catalog.errors import BadRequest, NameTaken, NoRoom, SignInNeeded, TooManyAtOnce
from hub.catalog.ggufnames import TYPES, TYPES_BY_MATRIX
from hub.catalog.ggufs import Gguf, models_in
from hub.catalog.lookups import DEFAULT_REVISION, Located, find_repo, locate, locate_heads
from hub.catalog.models import Job, Repo
from hub.pages import fitting
from hub.pages.addresses import repo_url
from hub.pages.doors import page, personal_page
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.web import repo_name

# What most people want, in the order of size; all others stand behind a fold.
COMMON = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M")
MAX_TARGETS = 20
PANEL = "quantizations"


@dataclass(frozen=True, slots=True)
class Line:
    """One model in GGUF, in the repo itself or in one that was made from it, and how good it is where that is told.

    ``is_close`` is False for what is by others and only says that it was made from this; ``quality`` is told by the
    record that the hub writes of what it makes.
    """

    repo: Repo
    model: Gguf
    quality: landing.Quality | None = None
    is_close: bool = True
    may_pull: bool = False
    fit: fitting.Fit | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A conversion as the page tells it."""

    job: Job
    wish: conversions.Wish
    state: str
    seconds: int | None

    @property
    def is_open(self) -> bool:
        return self.job.state in jobs.OPEN


@require_http_methods(["GET", "HEAD", "POST"])
@personal_page
def show(request: HttpRequest, viewer: Viewer, *, repo: str) -> HttpResponse:
    """The page; its panel alone where that is asked for again and again; a POST asks for types."""
    at = locate(viewer, repo_name("model", repo), request.GET.get("revision", DEFAULT_REVISION)[:255])
    error = _asked(request, viewer, at) if request.method == "POST" else ""
    if error is None:
        return HttpResponseRedirect(f"{repo_url(at.repo)}/{PANEL}")
    posted = request.POST.getlist("types")
    context = {**_panel(viewer, at, request.GET), "error": error, "posted": posted, "form": request.POST}
    if request.headers.get("HX-Target") == PANEL:
        return render(request, "repo/quantizations_panel.html", context)
    return render(
        request, "repo/quantizations.html", {**shell(viewer, at, tab=PANEL), **context},
        status=400 if error else 200,
    )  # fmt: skip


def _asked(request: HttpRequest, viewer: Viewer, at: Located) -> str | None:
    """Ask for what the form says; returns what is wrong with it, or None."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to quantize.")
    wanted = request.POST
    try:
        conversions.ask(
            viewer, at, types=wanted.getlist("types"), source=wanted.get("source", ""),
            target=wanted.get("target", "").strip()[:200], imatrix=wanted.get("imatrix", ""),
            evaluate=wanted.get("evaluate", ""),
        )  # fmt: skip
    except (BadRequest, NameTaken, NoRoom, TooManyAtOnce) as error:
        return said(error)
    messages.success(request, _("The quantization was asked for. This page shows how far it is."))
    return None


@require_POST
@page
def cancel(request: HttpRequest, viewer: Viewer, *, repo: str, job: str) -> HttpResponse:
    """End a conversion."""
    found = find_repo(viewer, repo_name("model", repo))
    conversions.cancel(viewer, conversions.find(viewer, found, job))
    return HttpResponseRedirect(f"{repo_url(found)}/{PANEL}")


def _panel(viewer: Viewer, at: Located, chosen: QueryDict) -> dict[str, Any]:
    found = sources.sources_in(at)
    may = access.may_convert(viewer, at.repo).allowed
    works = [_work(job) for job in conversions.recent(at.repo)] if may else []
    lines = _lines(viewer, at, found.models) + _made(viewer, at.repo)
    lines.sort(key=lambda line: (-line.model.bits, line.model.path))
    memory = fitting.fits([line.model for line in lines], chosen, close=[line.is_close for line in lines])
    lines = [replace(line, fit=fit) for line, fit in zip(lines, memory["fits"], strict=True)]
    rest = [name for name in (*TYPES, *TYPES_BY_MATRIX) if name not in COMMON]
    evaluated = any(line.quality is not None and line.quality.perplexity is not None for line in lines)
    return {
        "repo": at.repo, "lines": lines, "evaluated": evaluated, "works": works,
        "measured": any(line.quality is not None and line.quality.error is not None for line in lines),
        "running": any(work.is_open for work in works),
        "sources": found.fit, "matrices": found.matrices, "obstacles": _faults(found), "may_convert": may,
        **memory, "chosen": lines[memory["best"]] if memory["best"] is not None else None,
        "common": COMMON, "rest": rest, "panel": PANEL, "rev": at.revision, "can_evaluate": conversions.can_evaluate(),
    }  # fmt: skip


def _faults(found: sources.Sources) -> list[str]:
    """Why the checkpoint cannot be quantized, if it cannot."""
    checkpoint = found.checkpoint
    return [said(checkpoint.problem)] if checkpoint is not None and checkpoint.problem else []


def _made(viewer: Viewer, repo: Repo) -> list[Line]:
    """Return what lies in the repos that were made from this one, or say so, at their tips."""
    near = family.quantized(viewer, repo, MAX_TARGETS)
    return [
        line
        for at in locate_heads(near).values()
        for line in _lines(viewer, at, models_in(at.repo, at.tree), is_close=family.is_close(at.repo, repo))
    ]


def _lines(viewer: Viewer, at: Located, models: Sequence[Gguf], *, is_close: bool = True) -> list[Line]:
    told = landing.qualities(at) if models else {}
    may = access.may_pull(viewer, at.repo).allowed if models else False
    return [Line(at.repo, model, told.get(model.shards[0].sha256), is_close, may) for model in models]


def _work(job: Job) -> Work:
    left = conversions.progress_of(job).get("secondsLeft")
    return Work(job, conversions.Wish.of(job), conversions.state_of(job), left)
