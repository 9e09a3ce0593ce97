"""The first pages of a repo: its card, how to use it, and the head that all its pages share."""

import hashlib
import logging
from html import escape
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis import RedisError

from hub.accounts.identity import Viewer
from hub.catalog import access, discussions, pulls
from hub.catalog.cards import Claims, body_of
from hub.catalog.counters import downloads_by_day
from hub.catalog.forms_asked import fields_of
from hub.catalog.ggufs import Gguf, models_in
from hub.catalog.lookups import DEFAULT_REVISION, Located, count_history, locate, rights_if_needed
from hub.catalog.memory import device_of
from hub.catalog.models import CommitRecord, Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.panel import pending_of
from hub.catalog.proofs import Proof, proof_of
from hub.catalog.traits import FORMATS
from hub.catalog.trees import Entry, entry_at
from hub.pages import markdown
from hub.pages.addresses import rev_url
from hub.pages.doors import page
from hub.pages.fitting import advised, best_of, forms_of, shelf
from hub.pages.termwords import summary_of
from hub.pages.use import Snippet, snippets
from hub.web import locate_rest, public_base, repo_name

_log = logging.getLogger(__name__)

README = "README.md"
MAX_FINDINGS = 50
MAX_CARD_BYTES = 8 * 2**20
CARD_SECONDS = 6 * 3600
_FORMATS = frozenset(FORMATS)
# Stand-ins for where links and pictures lead, so that one rendering serves every spelling of every revision.
_PAGES, _FILES = "/-card-pages-/", "/-card-files-/"


def shell(viewer: Viewer, at: Located, *, tab: str) -> dict[str, Any]:
    """Return what the head of every page of a repo shows; a fixed number of queries."""
    repo = at.repo
    rights = access.rights_of(viewer, repo) if viewer.user is not None else None
    proof = proof_of(repo, at.tree)
    is_tip = at.commit == repo.head
    declared = repo.license if is_tip else Claims(data=at.card).word("license")
    pending, facts = pending_of(viewer, repo), at.facts
    return {
        "repo": repo, "rev": at.revision, "at": at, "tab": tab, "proof": proof,
        "commits": count_history(repo, at.commit), "license": declared, "summary": summary_of(repo, declared, pending),
        "to_settle": len(pending.points), "is_bare": _is_bare(repo, proof),
        "parameters": repo.parameters if is_tip else _total(at), "pull": access.may_pull(viewer, repo, rights),
        "may_write": access.may_write(viewer, repo, rights), "may_manage": access.may_administer(viewer, repo, rights),
        "request_state": rights.request if rights else "", "bases": _bases(viewer, at), "card": at.card,
        "asked": fields_of(at.card) if repo.gated else [],
        "liked": viewer.user is not None and repo.liked_by.filter(user=viewer.user).exists(),
        "discussions_open": discussions.count_open(repo) if repo.last_number else 0,
        "jobs": _jobs(at) if proof.proving else [], "faults": listed(facts.get("findings")),
        "tensor_count": facts.get("tensors"),
    }  # fmt: skip


def _is_bare(repo: Repo, proof: Proof) -> bool:
    """Say whether a model has no weights yet: of what is not there nobody says how open it is, or who may use it."""
    return repo.type == Repo.Type.MODEL and not proof.large and _FORMATS.isdisjoint(repo.tags)


def listed(findings: object) -> list[dict[str, Any]]:
    """Return what inspections found fault with, as pages show it."""
    items = findings if isinstance(findings, list) else []
    return [item for item in items if isinstance(item, dict)][:MAX_FINDINGS]


def _total(at: Located) -> int | None:
    """Return the parameters of a revision that is not the tip of main, as inspections counted them."""
    facts = at.facts.get("safetensors")
    total = facts.get("total") if isinstance(facts, dict) else None
    return total if isinstance(total, int) else None


def _bases(viewer: Viewer, at: Located) -> list[tuple[str, bool]]:
    """Return the base models that the card names, and whether this hub has them for the viewer."""
    value = at.card.get("base_model")
    names = [name for name in (value if isinstance(value, list) else [value]) if isinstance(name, str)][:5]
    if not names:
        return []
    here = access.visible_repos(viewer, "model").filter(key__in=[name.lower() for name in names])
    known = set(here.values_list("key", flat=True))
    return [(name, name.lower() in known) for name in names]


def _jobs(at: Located) -> list[Job]:
    """Return the proofs that run or wait for this repo, the furthest first."""
    open_ones = Job.objects.filter(
        repo=at.repo, kind="verify", state__in=[Job.State.WAITING, Job.State.RUNNING]
    )
    return list(open_ones.order_by("-progress", "created_at")[:5])


@page
def card(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """The first page of a repo."""
    at = locate(viewer, repo_name(kind, repo), request.GET.get("revision", DEFAULT_REVISION)[:255])
    context = shell(viewer, at, tab="card")
    context["readme"] = _readme(viewer, at)
    context["warnings"] = _warnings(at) if context["may_write"] else []
    models = _models(at)
    forms, device = forms_of(viewer, at, models), device_of(request.GET.get("ram", ""))
    context["use"] = _ways(request, context, models, advised(forms, at.repo, device))[:3]
    context |= {"shelf": shelf(forms), "device": device, "days": downloads_by_day(at.repo)}
    context["files"] = sum(form.model is not None for form in forms)
    context["chosen"] = best_of(forms, device) if device else None
    context["maths"] = 'class="math' in (context["readme"] or "")
    context["dtypes"] = _dtypes(at)
    context["written_in"] = Claims(data=at.card).language
    return render(request, "repo/card.html", context)


def _models(at: Located) -> list[Gguf]:
    """Return the models in GGUF, the one with most bits first; no query where there are none."""
    if "gguf" not in at.repo.tags:
        return []
    return sorted(models_in(at.repo, at.tree), key=lambda model: (-model.bits, model.path))


def _readme(viewer: Viewer, at: Located) -> str | None:
    """Return the card as HTML, or None where there is none to show.

    Whoever may read the repo may read its card: that is where a gated repo says why it is gated.
    """
    entry = entry_at(at.repo, at.tree, FilePath((README,)))
    if entry is None or entry.is_folder or entry.is_large or entry.size > MAX_CARD_BYTES:
        return None
    if access.may_pull(viewer, at.repo, rights_if_needed(viewer, at.repo)).reason == "disabled":
        return None
    return rendered(at, entry)


def rendered(at: Located, entry: Entry) -> str:
    """Return a Markdown file as safe HTML; kept in the cache by its content and its folder."""
    folder = entry.path.rpartition("/")[0]
    key = f"card:{markdown.VERSION}:{at.repo.network_id}:{entry.oid}:{hashlib.sha256(folder.encode()).hexdigest()[:24]}"
    html: str | None = _cached(key)
    if html is None:
        html = _drawn(pulls.content_of(at.repo, entry).decode("utf-8", "replace"), folder)
        _keep(key, html)
    return _placed(at, html)


def rendered_text(at: Located, text: str, folder: str) -> str:
    """Return a text as `rendered` would if it were a Markdown file in this folder; nothing is kept."""
    return _placed(at, _drawn(text, folder))


def _drawn(text: str, folder: str) -> str:
    return markdown.render(body_of(text), markdown.Place(pages=_PAGES, files=_FILES, folder=folder))


def _placed(at: Located, html: str) -> str:
    for stand_in, verb in ((_PAGES, "blob"), (_FILES, "resolve")):
        html = html.replace(f'="{stand_in}', f'="{escape(rev_url(at.repo, verb, at.revision))}/')
    return html


def _cached(key: str) -> str | None:
    try:
        value = cache.get(key)
    except RedisError:
        return None
    return value if isinstance(value, str) else None


def _keep(key: str, html: str) -> None:
    try:
        cache.set(key, html, CARD_SECONDS)
    except RedisError as error:
        _log.warning("A rendered card was not kept: %s", error)


def _warnings(at: Located) -> list[str]:
    """Return what is wrong with the card's front matter, for those who can mend it."""
    found = CommitRecord.objects.filter(network=at.repo.network_id, oid=at.commit, card__isnull=False)
    warnings = found.values_list("card__warnings", flat=True).first()
    return [str(text) for text in warnings] if isinstance(warnings, list) else []


def _dtypes(at: Located) -> list[tuple[str, int, float]]:
    """Return number types with their counts and shares, the largest first, as inspections read them."""
    facts = at.facts.get("safetensors")
    parameters = facts.get("parameters") if isinstance(facts, dict) else None
    if not isinstance(parameters, dict):
        return []
    counts = {name: count for name, count in parameters.items() if isinstance(count, int) and count > 0}
    total = sum(counts.values()) or 1
    return sorted(((name, n, 100 * n / total) for name, n in counts.items()), key=lambda row: -row[1])


@page
def use(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """How to get the files with the tools people have."""
    at = locate(viewer, repo_name(kind, repo), request.GET.get("revision", DEFAULT_REVISION)[:255])
    context = shell(viewer, at, tab="use")
    models = _models(at)
    device = device_of(request.GET.get("ram", ""))
    forms = forms_of(viewer, at, models) if models else []
    context["use"] = _ways(request, context, models, advised(forms, at.repo, device))
    context["base"] = public_base(request)
    return render(request, "repo/use.html", context)


def _ways(
    request: HttpRequest, context: dict[str, Any], models: list[Gguf], best: Gguf | None
) -> list[Snippet]:
    """Return the ways to get the files; none where they would be refused, or where there are none."""
    if context["pull"].reason in ("held", "disabled") or not context["proof"].files:
        return []
    return snippets(request, context["at"], context["proof"].largest, models, best)


@page
def proof(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """The verdict alone, asked for again and again while something is being proven."""
    at, _ = locate_rest(viewer, repo_name(kind, repo), rest)
    return render(request, "repo/verdict.html", shell(viewer, at, tab=""))
