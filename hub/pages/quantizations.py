"""The quantizations of a model: those that are there, those that are being made, and a form to ask for more."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.identity import Viewer
from hub.catalog import access, conversions, family, jobs, landing, sources
from hub.catalog.errors import BadRequest, NameTaken, NoRoom, SignInNeeded, TooManyAtOnce
from hub.catalog.ggufs import Gguf, models_in
from hub.catalog.lookups import DEFAULT_REVISION, Located, find_repo, locate, locate_heads
from hub.catalog.models import Job, Repo
from hub.pages import fitting, typechoices
from hub.pages.addresses import repo_url
from hub.pages.doors import page, personal_page
from hub.pages.repos import shell
from hub.pages.saying import said
from hub.web import repo_name

MAX_TARGETS = 20
PANEL = "quantizations"
# How the examination of a checkpoint says that its kind is unknown, or that a file is not there.
_UNKNOWN = re.compile(r"architecture '([^']{1,200})' is not converted")
_MISSING = re.compile(r"(\S{1,200}): is missing")


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
    context = {**_panel(request, viewer, at), "error": error, "form": request.POST}
    if request.headers.get("HX-Target") == PANEL:
        return render(request, "repo/quantizations_panel.html", {**context, "alone": True})
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


def _panel(request: HttpRequest, viewer: Viewer, at: Located) -> dict[str, Any]:
    found = sources.sources_in(at)
    may = access.may_convert(viewer, at.repo).allowed
    works = [_work(job) for job in conversions.recent(at.repo)] if may else []
    lines = _lines(viewer, at, found.models) + _made(viewer, at.repo)
    lines.sort(key=lambda line: (-line.model.bits, line.model.path))
    memory = fitting.fits(
        [line.model for line in lines], request.GET, close=[line.is_close for line in lines]
    )
    lines = [replace(line, fit=fit) for line, fit in zip(lines, memory["fits"], strict=True)]
    offered = _offered(request, at, found.fit, lines, memory) if may and found.fit else {}
    evaluated = any(line.quality is not None and line.quality.perplexity is not None for line in lines)
    return {
        "repo": at.repo, "lines": lines, "evaluated": evaluated, "works": works,
        "measured": any(line.quality is not None and line.quality.error is not None for line in lines),
        "running": any(work.is_open for work in works),
        "sources": found.fit, "matrices": found.matrices, "obstacles": _faults(found), "may_convert": may,
        "why_not": "" if found.fit else _why_not(found),
        **memory, "chosen": lines[memory["best"]] if memory["best"] is not None else None,
        **offered, "panel": PANEL, "rev": at.revision, "can_evaluate": conversions.can_evaluate(),
    }  # fmt: skip


def _offered(
    request: HttpRequest,
    at: Located,
    fit: Sequence[sources.Source],
    lines: Sequence[Line],
    memory: dict[str, Any],
) -> dict[str, Any]:
    """Return the types to choose from, with what each takes if it is made of the source that is chosen."""
    wanted = request.POST.get("source", request.GET.get("source", ""))
    source = next((one for one in fit if one.path == wanted), fit[0])
    needs = {line.model.path: line.fit.need if line.fit else None for line in lines if line.repo == at.repo}
    # Where several models lie, what was made of one is no form of another.
    near = [line.model for line in lines if line.is_close]
    common, rest = typechoices.choices(
        sources.sizes_of(at, source), typechoices.need_of_source(at, source, needs, memory["context"]),
        device=memory["device"], here={one.file_type for one in near if len(fit) == 1 or one.stem == source.stem},
        asked=request.POST.getlist("types"),
    )  # fmt: skip
    return {"common": common, "rest": rest, "source": source.path}


def _faults(found: sources.Sources) -> list[str]:
    """Why the checkpoint cannot be quantized, if it cannot."""
    checkpoint = found.checkpoint
    return [said(checkpoint.problem)] if checkpoint is not None and checkpoint.problem else []


def _why_not(found: sources.Sources) -> str:
    """Say in one sentence why nothing can be made of what lies here; what to do about it is told to makers only."""
    problem = found.checkpoint.problem if found.checkpoint is not None else ""
    if unknown := _UNKNOWN.search(problem):
        words = _("It cannot be quantized here, as this hub converts no models of the architecture %(name)s.")
        return words % {"name": unknown[1]}
    if missing := _MISSING.match(problem):
        return _("It cannot be quantized here, as its %(name)s is missing.") % {"name": missing[1]}
    if problem:
        return _("The checkpoint cannot be quantized: %(fault)s.") % {
            "fault": said(problem.partition("; ")[0])
        }
    if found.has_pickles:
        return _(
            "It cannot be quantized here, as its weights are pickle files, and this takes safetensors or GGUF."
        )
    return _(
        "Nothing here can be quantized: that takes GGUF files of float weights, or a checkpoint in safetensors."
    )


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
