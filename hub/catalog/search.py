"""Finding repos: filters, order and pages, always over what the viewer may know of."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from hub.accounts.identity import Viewer
from hub.catalog import access, seeking, traits, words
from hub.catalog.clearing import RELEASED
from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo
from hub.catalog.models.repos import USES
from hub.catalog.seeking import Hits

RELEVANCE = "relevance"
# What a client may sort by, and the column behind it.  Trending is what was pulled and liked in the last week.
SORTS = {
    "lastModified": "updated_at",
    "last_modified": "updated_at",
    "createdAt": "created_at",
    "created_at": "created_at",
    "downloads": "downloads",
    "likes": "likes",
    "trendingScore": "trending",
    "trending_score": "trending",
}
MAX_FILTERS = 50
# What can be asked of how far a repo is verified; "read" means that a person approved what its terms came to.
STATES = ("proven", "read", "proving", "rejected")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: ``tags`` must all be there, ``author`` and ``task`` match whole, ``name`` is in the id.

    ``text`` is in the id, or else all of its words begin words of the name, the tags or the card.

    ``uses``, ``users`` (of a company, each month) and ``openness`` (a rung at least) are about settled terms of the
    whole lineage: a repo whose terms wait for somebody fits none of them.  ``binding`` is a license that binds its use.
    ``parameters`` are bounds, both of them included.  ``fits`` is the memory in GB in which one of its GGUF files runs.
    """

    type: str = Repo.Type.MODEL
    text: str = ""
    name: str = ""
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
    format: str = ""
    architecture: str = ""
    dtype: str = ""
    language: str = ""
    base: str = ""
    fits: str = ""
    states: Sequence[str] = field(default_factory=tuple)
    sort: str = "trendingScore"

    @property
    def typed(self) -> str:
        """What was typed, as it is looked for; '' where that is nothing."""
        return words.clean(self.text) or words.clean(self.name)

    @property
    def may_be_rare(self) -> bool:
        """True where values are asked for of which the database does not know how many repos have them."""
        return bool(self.traits or self.tags or self.binding)

    @property
    def traits(self) -> list[str]:
        """What the repo's own column of traits must hold."""
        return [traits.trait(kind, value) for kind in traits.KINDS if (value := getattr(self, kind))]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of repos, and the cursor of the next one or ''."""

    repos: list[Repo]
    cursor: str = ""


def matching(viewer: Viewer, query: Query) -> QuerySet[Repo]:
    """Return the repos that fit, narrowed to what the viewer may know of."""
    return narrowed(access.visible_repos(viewer, query.type), query)


def seek(viewer: Viewer, query: Query, *, rough: bool = False) -> Hits:
    """Look for the words of a query; ``rough`` is enough for its list, and not for its counts where there are more."""
    # Filters might leave none of those that are called so.
    by_name = query == Query(type=query.type, text=query.text, sort=RELEVANCE)
    # Common is what many repos have, and most of these are models: among data sets the same words may be rare.
    rough = rough and query.type == Repo.Type.MODEL
    repos = access.visible_repos(viewer, query.type)
    return seeking.hits(repos, text=query.text, name=query.name, rough=rough, by_name=by_name)


def public_repos(viewer: Viewer, type_: str) -> QuerySet[Repo]:
    """Return the repos that are there for everyone whom this hub lets in."""
    if viewer.user is None:
        return access.visible_repos(viewer, type_)
    return Repo.objects.filter(type=type_, private=False)


def narrowed(repos: QuerySet[Repo], query: Query, found: Hits | None = None) -> QuerySet[Repo]:
    """Return those of these repos that fit; ``found`` is what `seek` gave for the query.  Raises BadRequest."""
    repos = _by_traits(_by_terms(repos, query), query)
    if query.typed:
        repos = (
            repos.filter(seeking.condition(text=query.text, name=query.name, of="text__"))
            if found is None or found.more
            else repos.filter(seeking.one_of("text__id", found.numbers))
        )
    if query.author:
        repos = repos.filter(namespace__key=query.author.lower())
    if query.tags:
        if len(query.tags) > MAX_FILTERS:
            raise BadRequest(f"filter may be given at most {MAX_FILTERS} times.")
        repos = repos.filter(tags__contains=[tag.replace("\x00", "") for tag in query.tags])
    # The tags find them, the column makes sure that lists and counts say the same.
    if query.task:
        repos = repos.filter(tags__contains=[query.task.replace("\x00", "")], pipeline_tag=query.task)
    if query.library:
        repos = repos.filter(tags__contains=[query.library], library=query.library)
    if query.license:
        repos = repos.filter(tags__contains=[f"license:{query.license.lower()}"], license=query.license)
    if query.gated is not None:
        repos = repos.exclude(gated="") if query.gated else repos.filter(gated="")
    return repos


def _by_traits(repos: QuerySet[Repo], query: Query) -> QuerySet[Repo]:
    if wanted := query.traits:
        repos = repos.filter(traits__contains=[one.replace("\x00", "") for one in wanted])
    if unknown := [state for state in query.states if state not in STATES]:
        raise BadRequest(f"state must be one of {', '.join(STATES)}, not {unknown[0][:80]!r}.")
    if "read" in query.states:
        repos = repos.filter(reviewed=True, clearance=Repo.Clearance.CLEAR)
    for state in query.states:
        repos = repos if state == "read" else repos.filter(proof=state)
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
    repos = repos.filter(clearance__in=RELEASED).exclude(concluded=[])
    if query.uses:
        repos = repos.filter(uses__contains=list(query.uses))
    if query.users is not None:
        repos = repos.filter(Q(users_limit=None) | Q(users_limit__gt=query.users))
    if query.openness is not None:
        repos = repos.filter(openness__gte=query.openness)
    return repos


def behind(repos: QuerySet[Repo], column: str, value: object, pk: object) -> QuerySet[Repo]:
    """Return what follows this repo in the order of a column, the largest first; raises ValueError or TypeError.

    Keyset paging: what is new in front never shifts the pages behind it.
    """
    last = _moment(value) if column.endswith("_at") else whole(value)
    # The first condition says again what the others say, in a way that lets an index begin there.
    not_larger, smaller = Q(**{f"{column}__lte": last}), Q(**{f"{column}__lt": last})
    return repos.filter(not_larger & (smaller | Q(**{column: last, "pk__gt": UUID(str(pk))})))


def pack_cursor(*values: object) -> str:
    """Return where a page ended, as one word."""
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode()


def read_cursor(cursor: str, length: int) -> list[object]:
    """Return what `pack_cursor` was given; raises BadRequest."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, RecursionError):
        raise bad_cursor() from None
    if not isinstance(values, list) or len(values) != length:
        raise bad_cursor()
    return values


def bad_cursor() -> BadRequest:
    """The error of a cursor that makes no sense."""
    return BadRequest("cursor is not one that this hub has given out.")


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None or not 1000 < moment.year < 9999:
        raise ValueError
    return moment


def whole(value: object) -> int:
    """Return a number that the database can hold; raises ValueError."""
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
