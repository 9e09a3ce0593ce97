"""The tags to filter by are those of public repos, sorted by what they say."""

from typing import Any

import pytest
from django.test import override_settings

from hub.accounts.identity import Viewer
from hub.catalog import tags
from hub.catalog.models import Repo
from tests.factories import make_repo, push
from tests.wires.conftest import Ask

CARD = (
    b"---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: text-generation\nlanguage: [en, de]\n"
    b"datasets: squad\nbase_model: a/b\ntags: [moe, transformers]\n---\n"
)


@pytest.fixture
def full(alice: Viewer, repo: Repo) -> None:
    push(alice, repo, {"README.md": CARD, "model.safetensors": b"x"})
    push(alice, make_repo(alice, "more"), {"README.md": b"---\nlanguage: de\nlicense: [mit, 7]\n---\n"})
    push(alice, make_repo(alice, "odd"), {"README.md": b"---\nlanguage: {a: b}\n---\n"})
    push(alice, make_repo(alice, "bare"), {"a": b"a"})
    push(
        alice,
        make_repo(alice, "hidden", private=True),
        {"README.md": b"---\nlanguage: fr\ntags: [secret]\n---\n"},
    )
    push(alice, make_repo(alice, "data", type_="dataset"), {"README.md": b"---\ntags: [rows]\n---\n"})


def ids(answer: Any) -> dict[str, list[str]]:
    return {kind: [item["id"] for item in items] for kind, items in answer.json().items()}


def test_tags_are_sorted_by_what_they_say(ask: Ask, full: None, token: str) -> None:
    for secret in ("", token):
        found = ids(ask("GET", "/api/models-tags-by-type", token=secret))
        assert list(found) == list(tags.KINDS)
        assert found["pipeline_tag"] == ["text-generation"]
        assert found["library"] == ["transformers"]
        assert found["language"] == ["de", "en"]
        assert found["license"] == ["license:mit"]
        assert found["dataset"] == ["dataset:squad"]
        assert "moe" in found["other"]
        assert not {"secret", "fr", "rows", "transformers", "de"} & set(found["other"])
    first = ask("GET", "/api/models-tags-by-type").json()["license"][0]
    assert first == {"id": "license:mit", "label": "mit", "type": "license"}
    assert "rows" in ids(ask("GET", "/api/datasets-tags-by-type"))["other"]


def test_there_is_a_bound_and_a_fixed_number_of_queries(
    ask: Ask, full: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(tags, "MAX_TAGS", 1)
    with django_assert_num_queries(4):
        found = ids(ask("GET", "/api/models-tags-by-type"))
    assert all(len(items) <= 1 for items in found.values())


def test_an_empty_hub_has_no_tags(ask: Ask) -> None:
    assert ids(ask("GET", "/api/models-tags-by-type")) == {kind: [] for kind in tags.KINDS}


def test_strangers_who_are_kept_out_are_told_no_tags(ask: Ask, full: None) -> None:
    with override_settings(HUB_ANONYMOUS="none"):
        assert not any(ids(ask("GET", "/api/models-tags-by-type")).values())
