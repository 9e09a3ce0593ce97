"""Finding by permitted use, and counting what would fit."""

import json
from collections.abc import Sequence

import pytest
from django.core.cache import cache
from pytest_django import Settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.catalog import facets
from hub.catalog.errors import BadRequest
from hub.catalog.facets import counts
from hub.catalog.models import Repo
from hub.catalog.ranking import find
from hub.catalog.search import Query, matching
from tests.factories import make_repo, make_viewer, push, push_large
from tests.workers.formats.build import ARCHITECTURE, gguf, number_pair, safetensors

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


@pytest.mark.parametrize("query", [Query(sort="downloads"), Query(sort="downloads", format="gguf")])
def test_pages_follow_each_other_where_many_are_equal(owner: Viewer, query: Query) -> None:
    Repo.objects.update(traits=["format:gguf"])
    seen: list[str] = []
    cursor = ""
    for _ in range(9):
        page = find(owner, query, limit=2, cursor=cursor)
        seen += [repo.name for repo in page.repos]
        cursor = page.cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 8


def test_traits_are_read_in_card_and_files_and_counted(db: None) -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada, "ships")
    card = b"---\nlanguage: [en, NL]\nbase_model: far/Base\n---\n# Ships\n"
    config = b'{"model_type": "llama", "quantization_config": {"quant_method": "awq"}}'
    push(ada, repo, {"README.md": card, "config.json": config})
    header = {"a": {"dtype": "BF16", "shape": [300], "data_offsets": [0, 600]}}
    header["b"] = {"dtype": "F32", "shape": [1], "data_offsets": [600, 604]}
    push_large(ada, repo, "model.safetensors", safetensors(header, bytes(604)))
    mine = Repo.objects.get(pk=repo.pk)
    read = {"architecture:llama", "dtype:BF16", "dtype:AWQ"}
    assert {*mine.traits} == {"format:safetensors", "language:en", "language:nl", "base:far/Base", *read}
    assert (mine.proof, mine.parameters) == ("proven", 301)
    push(ada, repo, {"notes.txt": b"Nothing of the weights has changed."})
    assert read <= {*Repo.objects.get(pk=repo.pk).traits}
    for query in (
        Query(architecture="llama"), Query(dtype="BF16", language="nl"), Query(base="far/Base", author="ADA"),
        Query(format="safetensors", states=["proven"]), Query(parameters=(None, 50_000_000 - 1)),
    ):  # fmt: skip
        assert counts(ANONYMOUS, query).total == matching(ANONYMOUS, query).count() == 1, query
    found = counts(ANONYMOUS, Query(states=["read"], dtype="BF16", parameters=(50_000_000, None)))
    assert found.total == 0 and found.values["state"] == {} and found.values["size"] == {}
    assert counts(ANONYMOUS, Query(architecture="gpt2")).values["architecture"] == {"llama": 1}
    with pytest.raises(BadRequest, match="state must be one of proven"):
        find(ANONYMOUS, Query(states=["perfect"]), limit=1)


def test_models_are_found_by_the_memory_that_their_smallest_file_takes(db: None) -> None:
    ada = make_viewer("ada")
    # A cache of 19 GB beside hardly any weights.
    layers = {
        "block_count": 36,
        "embedding_length": 16_384,
        "attention.head_count": 16,
        "context_length": 8192,
    }
    head = [ARCHITECTURE, *(number_pair(f"llama.{name}", number) for name, number in layers.items())]
    for name, numbers in (("large", head), ("silent", [ARCHITECTURE])):
        repo = make_repo(ada, name)
        push_large(ada, repo, "model.gguf", gguf(numbers, [("a", (32,), 0, 0)], bytes(128)))
    for device, fitting in (("16", []), ("24", ["large"]), ("128", ["large"]), ("5", [])):
        query = Query(fits=device)
        assert names(ANONYMOUS, query) == fitting and counts(ANONYMOUS, query).total == len(fitting), device
    assert counts(ANONYMOUS, Query(format="gguf")).values["fits"] == dict.fromkeys(
        ("24", "32", "48", "64", "96", "128"), 1
    )


def test_a_checkpoint_without_gguf_files_counts_as_it_is_stored(db: None) -> None:
    ada = make_viewer("ada")
    # A cache of 36 layers x 2 x 8 heads x 4096 x 2 bytes x 8192 tokens, 38.7 GB; without the heads it would be more.
    config = {
        "num_hidden_layers": 36,
        "hidden_size": 4096,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
    }
    for name, told in (
        ("long", {**config, "head_dim": 4096}),
        ("short", {**config, "max_position_embeddings": 256}),
    ):
        repo = make_repo(ada, name)
        push(ada, repo, {"config.json": json.dumps(told).encode()})
        header = {"a": {"dtype": "BF16", "shape": [300], "data_offsets": [0, 600]}}
        push_large(ada, repo, "model.safetensors", safetensors(header, bytes(600)))
    assert names(ANONYMOUS, Query(fits="4")) == ["short"]
    assert names(ANONYMOUS, Query(fits="32")) == ["short"]
    assert sorted(names(ANONYMOUS, Query(fits="48"))) == ["long", "short"]


def test_counts_that_a_worker_made_are_those_of_the_lists(
    owner: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "MANY", 3)
    monkeypatch.setattr(facets, "MOST_VALUES", 1)
    Repo.objects.filter(name="llama").update(
        license="llama3.1", tags=["license:llama3.1"], parameters=8 * 10**9
    )
    try:
        facets.refresh()
        queries = (
            Query(), Query(uses=["modify"]), Query(users=5, openness=3), Query(license="mit"), Query(text="e"),
            Query(license="llama3.1", uses=["modify"]), Query(parameters=(4 * 10**9, 9 * 10**9 - 1)),
            Query(parameters=(1, 2)), Query(author="ada", openness=4), Query(tags=["license:mit"]),
        )  # fmt: skip
        for query in queries:
            for viewer in (ANONYMOUS, owner):
                assert counts(viewer, query).total == matching(viewer, query).count(), query
        assert counts(ANONYMOUS, Query(license="llama3.1")).values["license"]["mit"] == 2
    finally:
        cache.clear()
