"""The lists: models, data sets, and what belongs to one namespace."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace, RetiredNamespace
from hub.accounts.people import find_namespace
from hub.catalog import search
from hub.catalog.errors import RepoNotFound
from hub.catalog.models import Repo
from hub.catalog.proofs import unsettled
from hub.pages.doors import page

PAGE = 30
MAX_CHOICES = 12
# What a reader may sort by, in their words, and what the search calls it.
SORTS = {
    "recent": ("Recently updated", "lastModified"),
    "pulls": ("Most pulled, 30 days", "downloads"),
    "likes": ("Most liked", "likes"),
    "new": ("Newest", "createdAt"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """The state of a list, as its address holds it."""

    text: str = ""
    sort: str = "recent"
    task: str = ""
    library: str = ""
    license: str = ""

    @classmethod
    def read(cls, request: HttpRequest) -> "Wish":
        """Read the query string; unknown sorts fall back to the first."""
        values = {name: request.GET.get(name, "").strip()[:100] for name in ("task", "library", "license")}
        sort = request.GET.get("sort", "recent")
        text = request.GET.get("q", "").strip()[:200]
        return cls(text=text, sort=sort if sort in SORTS else "recent", **values)

    def query(self, type_: str) -> search.Query:
        """Return the search behind this state."""
        tags = [self.library] if self.library else []
        tags += [f"license:{self.license}"] if self.license else []
        return search.Query(
            type=type_, text=self.text, tags=tuple(tags), task=self.task, sort=SORTS[self.sort][1]
        )

    @property
    def is_narrow(self) -> bool:
        """True where the list is not everything."""
        return bool(self.text or self.task or self.library or self.license)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list."""

    repo: Repo
    proof: str

    @property
    def formats(self) -> list[str]:
        """The formats that the weights come in."""
        names = {"safetensors": "safetensors", "gguf": "GGUF", "onnx": "ONNX"}
        return [name for tag, name in names.items() if tag in self.repo.tags]


def rows_of(repos: list[Repo]) -> list[Row]:
    """Return lines with their proof, in one query for all."""
    open_ones = unsettled(repos)
    return [
        Row(repo, open_ones.get(repo.pk) or ("proven" if repo.used_storage else "small")) for repo in repos
    ]


def _choices(viewer: Viewer, type_: str) -> dict[str, list[tuple[str, int]]]:
    """Return the commonest tasks, libraries and licences among what the viewer may see, with counts."""
    repos = search.matching(viewer, search.Query(type=type_)).select_related(None).order_by()
    found = {}
    for name, column in (("task", "pipeline_tag"), ("library", "library"), ("license", "license")):
        counted = repos.exclude(**{column: ""}).values_list(column).annotate(n=Count("pk"))
        found[name] = list(counted.order_by("-n", column)[:MAX_CHOICES])
    return found


def _listing(request: HttpRequest, viewer: Viewer, type_: str) -> HttpResponse:
    wish = Wish.read(request)
    query = wish.query(type_)
    found = search.find(viewer, query, limit=PAGE, cursor=request.GET.get("after", ""))
    following = request.GET.copy()
    following["after"] = found.cursor
    context: dict[str, Any] = {
        "wish": wish, "type": type_, "sorts": [(key, words) for key, (words, _) in SORTS.items()],
        "rows": rows_of(found.repos), "total": search.matching(viewer, query).count(), "here": request.path,
        "next_query": following.urlencode() if found.cursor else "", "is_later": "after" in request.GET,
    }  # fmt: skip
    partial = request.headers.get("HX-Target") == "results"
    if not partial:
        context["choices"] = _choices(viewer, type_)
    response = render(request, "browse/results.html" if partial else "browse/list.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@page
def home(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The models that the viewer may see."""
    return _listing(request, viewer, Repo.Type.MODEL)


@page
def datasets(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The data sets that the viewer may see."""
    return _listing(request, viewer, Repo.Type.DATASET)


@page
def namespace(request: HttpRequest, viewer: Viewer, *, name: str) -> HttpResponse:
    """A user or an organization, and what of theirs the viewer may see."""
    space = find_namespace(name)
    if space is None:
        former = RetiredNamespace.objects.select_related("namespace").filter(key=name.lower()).first()
        if former is not None and former.namespace is not None:
            return HttpResponsePermanentRedirect(f"/{former.namespace.name}")
        raise RepoNotFound(name)
    return render(request, "browse/namespace.html", _about(viewer, space))


def _about(viewer: Viewer, space: Namespace) -> dict[str, Any]:
    found = [
        search.find(viewer, search.Query(type=type_, author=space.name, sort="lastModified"), limit=100).repos
        for type_ in (Repo.Type.MODEL, Repo.Type.DATASET)
    ]
    rows = rows_of([*found[0], *found[1]])
    members = space.organization.memberships.select_related("user") if space.organization else None
    return {
        "space": space, "holder": space.user or space.organization, "models": rows[: len(found[0])],
        "datasets": rows[len(found[0]) :],
        "members": members.filter(user__is_active=True).order_by("user__username") if members else None,
        "is_me": viewer.user is not None and space.user_id == viewer.user.pk,
    }  # fmt: skip
