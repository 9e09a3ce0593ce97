"""Finding repos by words: in which order, through slips of the pen, and never what the viewer may not know of."""

from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.catalog import counters, facets, indexing, popularity, ranking, relevance, search, seeking
from hub.catalog.errors import BadRequest
from hub.catalog.likes import like
from hub.catalog.models import DownloadDay, Repo, RepoText
from hub.catalog.names import RepoName
from hub.catalog.repos import move_repo
from hub.catalog.search import RELEVANCE, Query
from tests.factories import make_repo, make_viewer, push, work

ODD = [
    "'",
    "\\",
    ":*",
    "!! & |",
    "<->",
    "\x00",
    "%",
    "_",
    "💥",
    "--",
    "..",
    "a" * 500,
    "\u202eevil",
    "ß",
    "İ",
    "((",
]


def model(
    owner: Viewer, name: str, body: str = "", *, head: str = "", pulls: int = 0, private: bool = False
) -> Repo:
    repo = make_repo(owner, name, private=private)
    push(owner, repo, {"README.md": f"---\n{head}\n---\n# Card\n\n{body}\n".encode()})
    Repo.objects.filter(pk=repo.pk).update(downloads=pulls)
    return repo


def found(viewer: Viewer, text: str = "", name: str = "") -> list[str]:
    query = Query(text=text, name=name, sort=RELEVANCE)
    return [repo.name for repo in ranking.find(viewer, query, limit=50).repos]


@pytest.fixture
def harbour(db: None) -> Viewer:
    """Models whose names and cards speak of scales in different places."""
    ada = make_viewer("ada")
    model(ada, "ledger", "Reads what scales print.", pulls=900)
    model(ada, "truck-scales", pulls=5)
    model(ada, "scales-2.5-7B-Instruct", pulls=10)
    model(ada, "scales", pulls=1)
    model(ada, "Dike", "Dutch text on dikes.", head="language: nl\nbase_model: far/Scales-XL", pulls=2)
    return ada


def test_names_come_before_cards_and_the_whole_name_before_its_beginning(harbour: Viewer) -> None:
    assert found(ANONYMOUS, "scales") == [
        "scales",
        "scales-2.5-7B-Instruct",
        "truck-scales",
        "Dike",
        "ledger",
    ]
    assert found(ANONYMOUS, "scal")[:2] == ["scales-2.5-7B-Instruct", "scales"]
    assert found(ANONYMOUS, "ada/dike") == ["Dike"]


def test_all_words_must_be_found_each_by_its_beginning_or_its_stem(harbour: Viewer) -> None:
    assert found(ANONYMOUS, "scales 7b") == ["scales-2.5-7B-Instruct"]
    assert found(ANONYMOUS, "scales2.5") == ["scales-2.5-7B-Instruct"]
    assert found(ANONYMOUS, "the dike with scales") == ["Dike"]
    assert found(ANONYMOUS, "reading prints") == ["ledger"]
    assert found(ANONYMOUS, "zebra scales") == []


def test_a_slip_of_the_pen_is_forgiven_where_nothing_else_fits(harbour: Viewer) -> None:
    hits = search.seek(ANONYMOUS, Query(text="legder"))
    assert hits.near and len(hits.numbers) == 1
    query = Query(text="legder", sort=RELEVANCE)
    for slip in ("legder", "ladger", "ledgr", "ledgger", "lledger"):
        assert found(ANONYMOUS, slip) == ["ledger"], slip
    assert found(ANONYMOUS, "truck scalse") == ["truck-scales"] and found(ANONYMOUS, "luggage") == []
    assert facets.counts(ANONYMOUS, query).total == 1
    # Programs that ask for a part of an id get what has it, and nothing else.
    assert found(ANONYMOUS, name="legder") == [] and found(ANONYMOUS, name="dutch") == []
    assert found(ANONYMOUS, name="SCALES")[0] == "scales" and len(found(ANONYMOUS, name="cale")) == 3


def test_nobody_finds_or_feels_what_is_private(harbour: Viewer) -> None:
    model(harbour, "ledgerx-b", "Xylophone secrets.", private=True)
    bob = make_viewer("bob")
    assert found(harbour, "xylophone") == ["ledgerx-b"]
    for viewer in (ANONYMOUS, bob):
        assert found(viewer, "xylophone") == [] and facets.counts(viewer, Query(text="xylophone")).total == 0
        # A private name that has the letters changes nothing for those who may not know of it.
        assert found(viewer, "ledgerx") == ["ledger"]
    assert found(harbour, "ledgerx") == ["ledgerx-b"]


def test_words_follow_the_card_and_the_name(harbour: Viewer) -> None:
    repo = Repo.objects.get(name="ledger")
    push(
        harbour,
        repo,
        {"README.md": b"# Ledger\n\n**Counts** [sacks](x) of grain, day by day, in all weathers.\n"},
    )
    assert found(ANONYMOUS, "sacks") == ["ledger"] and "ledger" not in found(ANONYMOUS, "scales")
    assert RepoText.objects.get(repo=repo).summary == "Counts sacks of grain, day by day, in all weathers."
    move_repo(harbour, Repo.objects.get(pk=repo.pk), to=RepoName.for_new("model", "ada", "tally"))
    assert (
        found(ANONYMOUS, "tally") == ["tally"] == found(ANONYMOUS, "sacks")
        and found(ANONYMOUS, name="ledg") == []
    )
    push(harbour, Repo.objects.get(pk=repo.pk), {"README.md": None})
    assert found(ANONYMOUS, "sacks") == []


@pytest.mark.parametrize(
    ("room", "name", "value"),
    [
        (ranking, "_", 0),
        (relevance, "MANY", 3),
        (seeking, "MOST", 3),
        (seeking, "MANY", 3),
        (seeking, "COMMON", -1),
    ],
)
def test_pages_hold_each_match_once(
    harbour: Viewer, monkeypatch: pytest.MonkeyPatch, room: ModuleType, name: str, value: int
) -> None:
    for number in range(5):
        model(harbour, f"scalesmith-{number}", pulls=number // 2)
    monkeypatch.setattr(room, name, value, raising=False)
    seen: list[str] = []
    cursor = ""
    for _ in range(12):
        page = ranking.find(ANONYMOUS, Query(text="scales", sort=RELEVANCE), limit=2, cursor=cursor)
        seen += [repo.name for repo in page.repos]
        cursor = page.cursor
        if not cursor:
            break
    assert seen[0] == "scales" and len(seen) == len(set(seen)) == 10
    monkeypatch.undo()
    assert facets.counts(ANONYMOUS, Query(text="scales")).total == 10
    for bad in ("x", "WzFd", cursor + "e30="):
        with pytest.raises(BadRequest, match="cursor"):
            ranking.find(ANONYMOUS, Query(text="scales", sort=RELEVANCE), limit=2, cursor=bad)


def test_how_often_repos_were_pulled_is_known_by_the_minute_and_of_new_ones_at_once(
    harbour: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = dict(RepoText.objects.values_list("short", "pk"))
    monkeypatch.setattr(popularity, "MANY", 0)
    popularity.refresh()
    Repo.objects.filter(name="ledger").update(downloads=1000)
    new = model(harbour, "newcomer", pulls=7)
    pulls = popularity.pulls_of([numbers["LEDGER"], numbers["SCALES"], new.text.pk])
    assert list(pulls.values()) == [900, 1, 7]
    popularity.refresh()
    assert popularity.pulls_of([numbers["LEDGER"]]) == {numbers["LEDGER"]: 1000}
    monkeypatch.undo()
    popularity.refresh()
    assert popularity.pulls_of([numbers["LEDGER"], 2**40]) == {numbers["LEDGER"]: 1000, 2**40: 0}


def test_odd_words_are_looked_for_and_break_nothing(harbour: Viewer) -> None:
    for text in ODD:
        for query in (Query(text=text, sort=RELEVANCE), Query(name=text), Query(text=f"scales {text}")):
            page = ranking.find(harbour, query, limit=5)
            assert facets.counts(harbour, query).total >= len(page.repos), text


def test_repos_that_were_never_gone_through_are_found_by_name_and_then_by_card(harbour: Viewer) -> None:
    RepoText.objects.update(version=0, vector="", card="")
    Repo.objects.update(traits=[])
    assert found(ANONYMOUS, "ledg") == ["ledger"] and found(ANONYMOUS, "print") == []
    assert indexing.ask_missing()
    work()
    assert found(ANONYMOUS, "print") == ["ledger"] and not indexing.ask_missing()
    assert "language:nl" in Repo.objects.get(name="Dike").traits


def test_trending_is_what_was_pulled_and_liked_this_week(harbour: Viewer) -> None:
    today = datetime.now(UTC).date()
    days = {"scales": (0, 10), "ledger": (5, 10), "truck-scales": (7, 1000)}
    for name, (ago, count) in days.items():
        DownloadDay.objects.create(
            repo=Repo.objects.get(name=name), day=today - timedelta(days=ago), count=count
        )
    Repo.objects.filter(name="truck-scales").update(trending=9)
    like(Viewer(user=User.objects.get(username="ada")), Repo.objects.get(name="Dike"))
    counters.refresh_trending()
    scores = dict(Repo.objects.exclude(trending=0).values_list("name", "trending"))
    assert scores == {"scales": 70, "ledger": 20, "Dike": 140}
    assert ranking.find(ANONYMOUS, Query(), limit=2).repos[0].name == "Dike"
