"""Repos by the Hub protocol: make, move, change, delete, describe and list them."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import access, duplicates, facets, ranking, repos, search
from hub.catalog.errors import BadRequest, NameTaken, RepoNotFound
from hub.catalog.lookups import Located, locate, locate_heads, rights_if_needed
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.catalog.trees import files
from hub.web import public_base, repo_name, whole_number
from hub.wires.base import json_answer, next_link
from hub.wires.hf import shapes
from hub.wires.hf.bodies import CreateBody, DuplicateBody, MoveBody, RepoBody, SettingsBody, private_in
from hub.wires.hf.errors import refuse
from hub.wires.hf.reading import checked, flag, get_repo, json_body, page_limit

LIST_PAGE = 100
MAX_VALUES = 100


def repo_url(request: HttpRequest, repo: Repo | RepoName) -> str:
    """Return the page address of a repo, on the host that the client knows."""
    full = repo.full_name if isinstance(repo, Repo) else repo.full
    return f"{public_base(request)}/{'datasets/' if repo.type == 'dataset' else ''}{full}"


def _checked_type(type_: str | None) -> str:
    if type_ in (None, "", *Repo.Type.values):
        return type_ or Repo.Type.MODEL
    raise BadRequest(f"type {type_!r} is not kept by this hub; it keeps models and datasets.")


def _named(viewer: Viewer, body: dict[str, Any]) -> tuple[str, str, str]:
    """Return (type, namespace, name) of a body that names a repo; ``name`` may carry the namespace."""
    type_, name, namespace = _checked_type(body["type"]), body["name"], body.get("organization")
    if "/" in name and not namespace:
        namespace, _, name = name.partition("/")
    return type_, namespace or repos.own_namespace(viewer), name


def create(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/repos/create`; a conflict names the repo that is there, which ``exist_ok`` reads as success."""
    body = checked(CreateBody, json_body(request))
    name = RepoName.for_new(*_named(viewer, body))
    try:
        repo = repos.create_repo(viewer, name=name, private=private_in(body))
    except NameTaken as error:
        return _conflict(request, name, error)
    return json_answer({"url": repo_url(request, repo), "name": repo.full_name, "id": repo.id.hex[:24]})


def delete(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`DELETE /api/repos/delete` with a JSON body."""
    type_, namespace, name = _named(viewer, checked(RepoBody, json_body(request)))
    repos.delete_repo(viewer, get_repo(viewer, type_, f"{namespace}/{name}"))
    return json_answer({})


def move(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """`POST /api/repos/move`."""
    body = checked(MoveBody, json_body(request))
    type_ = _checked_type(body["type"])
    source = get_repo(viewer, type_, body["fromRepo"])
    moved = repos.move_repo(viewer, source, to=_full_name(type_, body["toRepo"], "toRepo"))
    return json_answer({"url": repo_url(request, moved)})


def duplicate(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`POST .../duplicate`: branches and tags under a new id."""
    body = checked(DuplicateBody, json_body(request))
    name = _full_name(kind, body["repository"], "repository")
    try:
        made = duplicates.duplicate(viewer, get_repo(viewer, kind, repo), to=name, private=private_in(body))
    except NameTaken as error:
        return _conflict(request, name, error)
    return json_answer({"url": repo_url(request, made), "name": made.full_name, "id": made.id.hex[:24]})


def _conflict(request: HttpRequest, name: RepoName, error: NameTaken) -> HttpResponse:
    if not error.full_name:
        raise error
    return refuse(409, f"You already created this {name.type} repo", url=repo_url(request, name))


def _full_name(type_: str, text: str, field: str) -> RepoName:
    namespace, slash, name = text.partition("/")
    if not slash:
        raise BadRequest(f"{field} {text!r} must have the form 'namespace/name'.")
    return RepoName.for_new(type_, namespace, name)


def settings(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`PUT .../settings`."""
    body = checked(SettingsBody, json_body(request))
    gated = None
    if "gated" in body:
        gated = "" if body["gated"] is False else str(body["gated"])
    found = repos.change_settings(viewer, get_repo(viewer, kind, repo), private=private_in(body), gated=gated)
    return json_answer({"private": found.private, "gated": found.gated or False})


def _wanted(request: HttpRequest) -> list[str]:
    names = request.GET.getlist("expand") + request.GET.getlist("expand[]")
    for name in names:
        if name not in shapes.EXPANDABLE:
            expected = "|".join(f'"{known}"' for known in shapes.EXPANDABLE)
            raise BadRequest(f"Invalid option {name!r} for expand: expected one of {expected}")
    return names


def info(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, revision: str = "main"
) -> HttpResponse:
    """`GET /api/{kind}/{id}[/revision/{revision}]`: two queries for a stranger."""
    expand = _wanted(request)
    at = locate(viewer, repo_name(kind, repo), revision)
    shape = {**shapes.identity(at.repo), **shapes.repo_facts(at.repo), **shapes.revision_facts(at)}
    if not expand or "siblings" in expand:
        shape["siblings"] = _siblings(at, blobs=flag(request, "blobs"))
    if flag(request, "securityStatus"):
        shape["securityRepoStatus"] = _security(at)
    return json_answer(shapes.chosen(shape, expand) if expand else shape)


def _siblings(at: Located, *, blobs: bool) -> list[dict[str, Any]]:
    return [shapes.sibling(entry, blobs=blobs) for entry in files(at.repo, at.tree)]


def _security(at: Located) -> dict[str, Any]:
    issues = [{"path": item["path"], "level": "unsafe"} for item in at.facts.get("findings", [])]
    return {"scansDone": bool(at.facts.get("complete")), "filesWithIssues": issues}


def auth_check(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, right: str = "read"
) -> HttpResponse:
    """`GET .../auth-check[/write]`: 200 when the viewer may, else the error that tells why."""
    found = get_repo(viewer, kind, repo)
    if right == "write":
        access.require_write(viewer, found)
    access.require_pull(viewer, found, rights_if_needed(viewer, found))
    return json_answer({})


def listing(request: HttpRequest, viewer: Viewer, *, kind: str) -> HttpResponse:
    """`GET /api/{kind}`: filters, order and Link pages."""
    expand = _wanted(request)
    page = ranking.find(
        viewer,
        _query(request, kind),
        limit=page_limit(request, LIST_PAGE),
        cursor=request.GET.get("cursor", ""),
    )
    full = flag(request, "full") or bool(expand)
    found = locate_heads(page.repos) if full or flag(request, "cardData") or flag(request, "config") else {}
    response = json_answer([_list_item(request, repo, found.get(repo.pk), expand) for repo in page.repos])
    if page.cursor:
        response["Link"] = next_link(request, cursor=page.cursor)
    return response


def _query(request: HttpRequest, kind: str) -> search.Query:
    get = request.GET
    gated = {"true": True, "false": False}.get(get.get("gated", "").lower())
    tags = [
        tag for key in ("filter", "apps", "tags", "library", "language") for tag in get.getlist(key) if tag
    ]
    return search.Query(
        type=kind, name=get.get("search", ""), author=get.get("author", ""), tags=tags,
        task=get.get("pipeline_tag", ""), gated=gated, sort=get.get("sort") or search.RELEVANCE,
        parameters=search.parse_parameters(get.get("num_parameters", "")),
        # Ours, beside the protocol: words of cards and slips of the pen, and what was read in the files.
        text=get.get("q", ""), format=get.get("format", "")[:200], architecture=get.get("architecture", "")[:200],
        dtype=get.get("dtype", "")[:200], base=get.get("base_model", "")[:200],
        fits=get.get("fits", "")[:200], states=_listed(request, "state"),
        # And what the settled terms of the whole lineage allow.
        uses=_listed(request, "use"),
        users=_number_in(request, "users"), openness=_number_in(request, "openness"),
        binding=get.get("binding", "")[:100],
    )  # fmt: skip


def _listed(request: HttpRequest, name: str) -> list[str]:
    return [one for text in request.GET.getlist(name)[:50] for one in text.split(",")[:50] if one]


def _number_in(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    number = whole_number(text)
    if text and number is None:
        raise BadRequest(f"{name} must be a whole number, not {text[:80]!r}.")
    return number


def counted(request: HttpRequest, viewer: Viewer, *, kind: str) -> HttpResponse:
    """`GET /api/{kind}-facets`: how many repos fit the same filters, and how many would with each value of a facet."""
    found = facets.counts(viewer, _query(request, kind))
    values = {name: dict(found.top(name, MAX_VALUES)) for name in found.values}
    return json_answer({"total": found.total, "exact": found.exact, "facets": values})


def _list_item(request: HttpRequest, repo: Repo, at: Located | None, expand: list[str]) -> dict[str, Any]:
    shape = {**shapes.identity(repo), **shapes.repo_facts(repo)}
    if at is not None:
        shape |= shapes.revision_facts(at)
    if expand:
        if "siblings" in expand and at is not None:
            shape["siblings"] = _siblings(at, blobs=False)
        return shapes.chosen(shape, expand)
    if not flag(request, "cardData"):
        shape.pop("cardData", None)
        shape.pop("model-index", None)
    if not flag(request, "config"):
        shape.pop("config", None)
    if flag(request, "full") and at is not None:
        shape["siblings"] = _siblings(at, blobs=False)
    return shape


def lfs_files(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str) -> HttpResponse:
    """`GET .../lfs-files`: the large files that the tip of main holds."""
    at = locate(viewer, repo_name(kind, repo))
    access.require_write(viewer, at.repo)
    claims = {claim.sha256: claim for claim in at.repo.blobs.all()}
    shown = [
        {
            "fileOid": entry.sha256, "oid": entry.sha256, "filename": entry.path, "size": entry.size, "ref": "main",
            "pushedAt": shapes.iso(claims[entry.sha256].created_at),
        }
        for entry in files(at.repo, at.tree)
        if entry.sha256 in claims
    ]  # fmt: skip
    return json_answer(shown)


def unsupported(request: HttpRequest, viewer: Viewer, **captured: str) -> HttpResponse:
    """Repo types that this hub does not keep (spaces, kernels, buckets) are repos that do not exist."""
    raise RepoNotFound("Repository not found: this hub keeps models and datasets.")


def unknown(request: HttpRequest, viewer: Viewer, **captured: str) -> HttpResponse:
    """An address under ``/api/`` that means nothing here."""
    return refuse(404, "This hub has no such API address.")


def nothing(request: HttpRequest, viewer: Viewer, **captured: str) -> HttpResponse:
    """An empty list, for lists of what this hub does not keep."""
    return json_answer([])
