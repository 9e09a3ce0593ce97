"""Finding repos: filters, order and pages, always over what the viewer may know of."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo
from hub.catalog.models.repos import USES

# What a client may sort by, and the column behind it.  Trending is what was pulled in the last 30 days.
SORTS = {
    "lastModified": "updated_at",
    "last_modified": "updated_at",
    "createdAt": "created_at",
    "created_at": "created_at",
    "downloads": "downloads",
    "likes": "likes",
    "trendingScore": "downloads",
    "trending_score": "downloads",
}
MAX_FILTERS = 50
FEW = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: ``tags`` must all be there, ``author`` and ``task`` match whole, ``text`` is in the id.

    ``uses``, ``users`` (of a company, each month) and ``openness`` (a rung at least) are about settled terms of the
    whole lineage: a repo whose terms wait for somebody fits none of them.  ``binding`` is a license that binds its use.
    """

    type: str = Repo.Type.MODEL
    text: str = ""
    author: str = ""
    tags: Sequence[str] = field(default_factory=tuple)
    task: str = ""
    library: str = ""
    license: str = ""
    uses: Sequence[str] = field(default_factory=tuple)
    users: int | None = None
    openness: int | None = None
    binding: str = ""
    gated: bool | None = None
    parameters: tuple[int | None, int | None] = (None, None)
    sort: str = "trendingScore"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of repos, and the cursor of the next one or ''."""

    repos: list[Repo]
    cursor: str = ""


def matching(viewer: Viewer, query: Query) -> QuerySet[Repo]:
    """Return the repos that fit, narrowed to what the viewer may know of."""
    return narrowed(access.visible_repos(viewer, query.type).select_related("namespace"), query)


def public_repos(viewer: Viewer, type_: str) -> QuerySet[Repo]:
    """Return the repos that are there for everyone whom this hub lets in."""
    if viewer.user is None:
        return access.visible_repos(viewer, type_)
    return Repo.objects.filter(type=type_, private=False)


def narrowed(repos: QuerySet[Repo], query: Query) -> QuerySet[Repo]:
    """Return those of these repos that fit; raises BadRequest."""
    repos = _by_terms(repos, query)
    if query.text:
        repos = repos.filter(full_name__icontains=query.text.replace("\x00", "")[:200])
    if query.author:
        repos = repos.filter(namespace__key=query.author.lower())
    if query.tags:
        if len(query.tags) > MAX_FILTERS:
            raise BadRequest(f"filter may be given at most {MAX_FILTERS} times.")
        repos = repos.filter(tags__contains=[tag.replace("\x00", "") for tag in query.tags])
    if query.task:
        repos = repos.filter(pipeline_tag=query.task)
    # The tags find them, the column makes sure that lists and counts say the same.
    if query.library:
        repos = repos.filter(tags__contains=[query.library], library=query.library)
    if query.license:
        repos = repos.filter(tags__contains=[f"license:{query.license.lower()}"], license=query.license)
    if query.gated is not None:
        repos = repos.exclude(gated="") if query.gated else repos.filter(gated="")
    least, most = query.parameters
    if least is not None:
        repos = repos.filter(parameters__gte=least)
    if most is not None:
        repos = repos.filter(parameters__lte=most)
    return repos


def _by_terms(repos: QuerySet[Repo], query: Query) -> QuerySet[Repo]:
    if query.binding:
        repos = repos.filter(concluded__contains=[query.binding])
    if not query.uses and query.users is None and query.openness is None:
        return repos
    if unknown := [use for use in query.uses if use not in USES]:
        raise BadRequest(f"use must be one of {', '.join(USES)}, not {unknown[0][:80]!r}.")
    repos = repos.filter(clearance__in=[Repo.Clearance.CLEAR, Repo.Clearance.DECLARED]).exclude(concluded=[])
    if query.uses:
        repos = repos.filter(uses__contains=list(query.uses))
    if query.users is not None:
        repos = repos.filter(Q(users_limit=None) | Q(users_limit__gt=query.users))
    if query.openness is not None:
        repos = repos.filter(openness__gte=query.openness)
    return repos


def find(viewer: Viewer, query: Query, *, limit: int, cursor: str = "") -> Page:
    """Return one page in the order asked for, newest or largest first; raises BadRequest for a bad sort or cursor."""
    column = SORTS.get(query.sort)
    if column is None:
        raise BadRequest(f"sort must be one of {', '.join(sorted(SORTS))}, not {query.sort!r}.")
    repos = _few_by_words(matching(viewer, query), query).order_by(f"-{column}", "pk")
    if cursor:
        repos = repos.filter(_behind(column, cursor))
    found = list(repos[: limit + 1])
    more = len(found) > limit
    return Page(found[:limit], _cursor(column, found[limit - 1]) if more else "")


def _few_by_words(repos: QuerySet[Repo], query: Query) -> QuerySet[Repo]:
    """Name the repos that hold the words one by one where they are few.

    How rare some letters in a row are is hard to foresee: the database would rather walk through all repos in order
    than sort a hundred that an index finds at once.
    """
    if not query.text:
        return repos
    found = list(repos.select_related(None).order_by().values_list("pk", flat=True)[: FEW + 1])
    return repos if len(found) > FEW else Repo.objects.filter(pk__in=found).select_related("namespace")


def _cursor(column: str, repo: Repo) -> str:
    value = getattr(repo, column)
    text = json.dumps([value.isoformat() if hasattr(value, "isoformat") else value, str(repo.pk)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _behind(column: str, cursor: str) -> Q:
    """Keyset paging: what is new in front never shifts the pages behind it."""
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        value = _moment(value) if column.endswith("_at") else _count(value)
        pk = UUID(pk)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise BadRequest("cursor is not one that this hub has given out.") from None
    # The first condition says again what the others say, in a way that lets an index begin there.
    not_larger, smaller = Q(**{f"{column}__lte": value}), Q(**{f"{column}__lt": value})
    return not_larger & (smaller | Q(**{column: value, "pk__gt": pk}))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1000 < moment.year < 9999:
        raise ValueError
    return moment


def _count(value: object) -> int:
    if not isinstance(value, int) or abs(value) >= 2**63:
        raise ValueError
    return value


_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def parse_parameters(text: str) -> tuple[int | None, int | None]:
    """Read ``min:6B,max:128B`` (either half may be missing); raises BadRequest."""
    bounds: dict[str, int | None] = {"min": None, "max": None}
    for half in filter(None, text.split(",")):
        name, _, number = half.partition(":")
        unit = _UNITS.get(number[-1:].upper(), 1)
        digits = number[:-1] if number[-1:].upper() in _UNITS else number
        try:
            bounds[name] = int(float(digits) * unit)
            if name not in ("min", "max"):
                raise ValueError
        except (ValueError, OverflowError):
            raise BadRequest(f"num_parameters must read like 'min:6B,max:128B', not {text!r}.") from None
    return bounds["min"], bounds["max"]
