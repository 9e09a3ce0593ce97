"""What somebody may mean who types in the search at the top of every page: models, data sets, people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.catalog import access, ranking, seeking, words
from hub.catalog.models import Repo
from hub.catalog.search import RELEVANCE, Query
from hub.catalog.seeking import Hits

MOST_MODELS, MOST_DATASETS, MOST_PEOPLE = 5, 3, 3


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
    """Return what fits best among what the viewer may know of; a fixed number of queries."""
    text = words.clean(text)
    if not text:
        return Suggestions()
    found = seeking.hits(access.visible_repos(viewer), text=text, name="", rough=True, by_name=True)
    models, datasets = (
        ranking.find(viewer, Query(type=type_, text=text, sort=RELEVANCE), limit=most, found=hits).repos
        for type_, most, hits in (
            (Repo.Type.MODEL, MOST_MODELS, found),
            (Repo.Type.DATASET, MOST_DATASETS, _of_datasets(viewer, text, found)),
        )
    )
    return Suggestions(models, datasets, _people(viewer, text), found.near)


def _of_datasets(viewer: Viewer, text: str, found: Hits) -> Hits:
    """Leave out the models: they are most of what is found, and would be put in order for nothing."""
    datasets = access.visible_repos(viewer, Repo.Type.DATASET)
    if found.more:
        fitting = datasets.filter(seeking.condition(text=text, name="", of="text__"))
        numbers = list(fitting.order_by().values_list("text__id", flat=True)[: seeking.MOST + 1])
        return Hits(numbers, more=len(numbers) > seeking.MOST)
    fitting = datasets.filter(seeking.one_of("text__id", found.numbers))
    return replace(found, numbers=list(fitting.order_by().values_list("text__id", flat=True)))


def _people(viewer: Viewer, text: str) -> list[Namespace]:
    """Return people and organizations whose name begins so, or has it; to strangers only those with something to see.

    Otherwise anybody could collect the names under which people log in.
    """
    found = Namespace.objects.filter(key__contains=text.lower()).exclude(user__is_active=False)
    if viewer.user is None:
        found = found.filter(Exists(access.visible_repos(viewer).filter(namespace=OuterRef("pk"))))
    begins = Case(When(Q(key__startswith=text.lower()), then=Value(0)), default=Value(1))
    return list(found.select_related("user", "organization").order_by(begins, "key")[:MOST_PEOPLE])
