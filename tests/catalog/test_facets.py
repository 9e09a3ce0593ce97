"""Finding by permitted use, and counting what would fit."""

from collections.abc import Sequence

import pytest
from pytest_django import Settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.catalog import facets
from hub.catalog.errors import BadRequest
from hub.catalog.facets import counts
from hub.catalog.models import Repo
from hub.catalog.search import Query, find, matching
from tests.factories import make_repo, make_viewer

EVERYTHING = ["commercial", "redistribute", "modify", "no-field-of-use-limits", "everywhere"]


def settled(
    owner: Viewer, name: str, *, uses: Sequence[str] = (), limit: int | None = None, openness: int = 0,
    clearance: str = "clear", concluded: Sequence[str] = ("mit",), private: bool = False, card: str = "",
) -> None:  # fmt: skip
    repo = make_repo(owner, name, private=private)
    Repo.objects.filter(pk=repo.pk).update(
        uses=list(uses), users_limit=limit, openness=openness, clearance=clearance, concluded=list(concluded),
        license=card, tags=[f"license:{card}"] if card else [],
    )  # fmt: skip


@pytest.fixture
def owner(db: None) -> Viewer:
    """The owner of a small harbour of models."""
    ada = make_viewer("ada")
    settled(ada, "free", uses=EVERYTHING, openness=4, card="mit")
    settled(ada, "llama", uses=["modify"], limit=700_000_000, openness=3, concluded=["llama3.1"])
    settled(ada, "unread", uses=[], limit=0, concluded=["other"])
    settled(ada, "said", uses=EVERYTHING, clearance="declared", openness=4, card="mit")
    # None of these may be offered: not settled, whatever their columns say.
    settled(ada, "held", uses=EVERYTHING, clearance="held", openness=4)
    settled(ada, "new", uses=EVERYTHING, clearance="scanning", concluded=[], openness=4)
    settled(ada, "nothing-concluded", uses=EVERYTHING, concluded=[], openness=4)
    settled(ada, "secret", uses=EVERYTHING, openness=4, private=True)
    return ada


def names(viewer: Viewer, query: Query) -> list[str]:
    return sorted(repo.name for repo in find(viewer, query, limit=50).repos)


def test_only_settled_terms_are_offered_and_unknown_is_no_permission(owner: Viewer) -> None:
    assert names(ANONYMOUS, Query(uses=["commercial"])) == ["free", "said"]
    assert names(ANONYMOUS, Query(uses=["modify", "everywhere"])) == ["free", "said"]
    assert names(ANONYMOUS, Query(uses=["modify"])) == ["free", "llama", "said"]
    assert names(ANONYMOUS, Query(users=1_000)) == ["free", "llama", "said"]
    assert names(ANONYMOUS, Query(users=700_000_000)) == ["free", "said"]
    assert names(ANONYMOUS, Query(openness=4)) == ["free", "said"]
    assert names(ANONYMOUS, Query(binding="llama3.1")) == ["llama"]
    with pytest.raises(BadRequest, match="use must be one of commercial"):
        find(ANONYMOUS, Query(uses=["anything"]), limit=1)


def test_counts_are_those_of_the_lists(owner: Viewer) -> None:
    stranger, member = counts(ANONYMOUS, Query()), counts(owner, Query())
    assert (stranger.total, member.total) == (7, 8)
    assert stranger.values["use"] == {use: 3 if use == "modify" else 2 for use in EVERYTHING}
    assert member.values["use"]["commercial"] == 3
    assert stranger.values["users"] == {"10000": 3, "1000000": 3, "100000000": 3, "1000000000": 2}
    assert stranger.values["openness"]["3"] == 3 and stranger.values["openness"]["4"] == 2
    for query in (Query(uses=["modify"]), Query(users=5, openness=3), Query(text="e"), Query(license="mit")):
        for viewer in (ANONYMOUS, owner):
            assert counts(viewer, query).total == matching(viewer, query).count(), query


def test_a_facet_counts_what_its_other_values_would_bring(owner: Viewer) -> None:
    found = counts(ANONYMOUS, Query(license="apache-2.0", uses=["modify"]))
    assert found.total == 0 and found.values["license"] == {"mit": 2}
    assert found.top("license", 5) == [("mit", 2)]
    assert counts(ANONYMOUS, Query(uses=["commercial"])).values["use"]["modify"] == 2


def test_strangers_count_nothing_where_they_are_kept_out(owner: Viewer, settings: Settings) -> None:
    settings.HUB_ANONYMOUS = "none"
    assert counts(ANONYMOUS, Query()).total == 0
    assert counts(owner, Query()).total == 8


def test_pages_follow_each_other_where_many_are_equal(owner: Viewer) -> None:
    seen: list[str] = []
    cursor = ""
    for _ in range(9):
        page = find(owner, Query(sort="downloads"), limit=2, cursor=cursor)
        seen += [repo.name for repo in page.repos]
        cursor = page.cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 8


def test_what_many_public_repos_come_to_is_kept_for_a_moment_and_private_ones_are_added(
    owner: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "MANY", 2)
    monkeypatch.setattr(facets, "_kept", {})
    first = counts(ANONYMOUS, Query(uses=["commercial"]))
    settled(owner, "later", uses=EVERYTHING, openness=4)
    assert counts(ANONYMOUS, Query(uses=["commercial"])) is first
    assert counts(ANONYMOUS, Query(uses=["modify"])).total == 3
    assert counts(owner, Query(uses=["commercial"])).total == 3
    assert counts(ANONYMOUS, Query(text="later", uses=["commercial"])).total == 1
    monkeypatch.setattr(facets, "KEPT_SECONDS", -1.0)
    assert counts(ANONYMOUS, Query(uses=["commercial"])).total == 3
