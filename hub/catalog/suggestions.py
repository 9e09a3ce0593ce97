"""What somebody may mean who types in the search at the top of every page: models, data sets, people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.catalog import access, ranking, relevance, seeking, words
from hub.catalog.models import Repo
from hub.catalog.search import RELEVANCE, Query
from hub.catalog.seeking import Hits

MOST_MODELS, MOST_DATASETS, MOST_PEOPLE = 5, 3, 3
_TOLD = ("type", "name", "full_name", "parameters")


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The best few of each; ``near``: nothing has the words, and these repos are called something like them."""

    models: Sequence[Repo] = ()
    datasets: Sequence[Repo] = ()
    people: Sequence[Namespace] = ()
    near: bool = False

    @property
    def number(self) -> int:
        return len(self.models) + len(self.datasets) + len(self.people)


def suggest(viewer: Viewer, text: str) -> Suggestions:
    """Return what fits best among what the viewer may know of; in a bounded number of queries."""
    text = words.clean(text)
    if not text:
        return Suggestions()
    found = seeking.hits(access.visible_repos(viewer), text=text, name="", rough=True, by_name=True)
    few = not found.more and len(found.numbers) <= seeking.MANY
    most: dict[str, int] = {Repo.Type.MODEL: MOST_MODELS, Repo.Type.DATASET: MOST_DATASETS}
    if few:
        visible = access.visible_repos(viewer).only(*_TOLD)
        repos = relevance.best_of_few(visible, text, found, most)
    else:
        repos = _best(viewer, text, found, most)
    return Suggestions(
        [repo for repo in repos if repo.type == Repo.Type.MODEL],
        [repo for repo in repos if repo.type == Repo.Type.DATASET],
        _people(viewer, text),
        found.near,
    )


def _best(viewer: Viewer, text: str, found: Hits, most: Mapping[str, int]) -> list[Repo]:
    """Ask for each type by itself, since there is too much to put all of it in order."""
    hits: dict[str, Hits] = {Repo.Type.MODEL: found, Repo.Type.DATASET: _of_datasets(viewer, text, found)}
    pages = [
        ranking.find(
            viewer,
            Query(type=type_, text=text, sort=RELEVANCE),
            limit=limit,
            found=hits[type_],
            columns=_TOLD,
        )
        for type_, limit in most.items()
    ]
    return [repo for page in pages for repo in page.repos]


def _of_datasets(viewer: Viewer, text: str, found: Hits) -> Hits:
    """Leave out the models: they are most of what is found, and would be put in order for nothing."""
    datasets = access.visible_repos(viewer, Repo.Type.DATASET)
    fitting = datasets.filter(
        seeking.condition(text=text, name="", of="text__")
        if found.more
        else seeking.one_of("text__id", found.numbers)
    )
    numbers = seeking.numbers_of(fitting)
    return Hits(numbers, more=len(numbers) > seeking.MOST, called=found.called)


def _people(viewer: Viewer, text: str) -> list[Namespace]:
    """Return people and organizations whose name begins so, or has it; to strangers only those with something to see.

    Otherwise anybody could collect the names under which people log in.
    """
    found = Namespace.objects.filter(key__contains=text.lower()).exclude(user__is_active=False)
    if viewer.user is None:
        found = found.filter(Exists(access.visible_repos(viewer).filter(namespace=OuterRef("pk"))))
    begins = Case(When(Q(key__startswith=text.lower()), then=Value(0)), default=Value(1))
    return list(found.order_by(begins, "key")[:MOST_PEOPLE])
