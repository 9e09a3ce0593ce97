"""The doors of the license catalogue."""

import hashlib

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from licenses.loader import load_catalogue, load_texts
from licenses.shipped import shipped_readings
from tests.licenses import known
from tests.wires.conftest import Ask

SOME = {name: shipped_readings()[name] for name in ("mit", "llama3.1", "openrail++", "internlm-license")}


@pytest.fixture(autouse=True)
def _shelf(db: None) -> None:
    load_catalogue(SOME)
    load_texts(known.texts(), SOME, source="test")


def test_the_list_holds_every_license_and_is_narrowed_by_words_and_category(ask: Ask) -> None:
    everything = ask("GET", "/api/licenses").json()
    assert {one["id"]: one["texts"] for one in everything} == {
        "mit": 1,
        "llama3.1": 1,
        "openrail++": 0,
        "internlm-license": 0,
    }
    assert [one["id"] for one in ask("GET", "/api/licenses?search=llama+meta").json()] == ["llama3.1"]
    assert [one["id"] for one in ask("GET", "/api/licenses?category=permissive").json()] == ["mit"]
    assert [one["id"] for one in ask("GET", "/api/licenses?search=expat").json()] == ["mit"]
    assert ask("GET", "/api/licenses?category=nothing").json() == []


def test_a_license_tells_what_counts_and_what_is_only_stated(ask: Ask) -> None:
    llama = ask("GET", "/api/licenses/llama3.1").json()
    assert llama["expression"] == "LicenseRef-llama3.1"
    assert llama["terms"]["commercial_use"]["value"] == "conditional"
    assert llama["terms"]["naming_requirement"]["passage"].startswith("you shall also include")
    assert llama["thresholds"][0]["value"] == 700_000_000
    assert llama["duties"]["namePrefix"] == "Llama" and llama["duties"]["display"] == ["Built with Llama"]
    low = ask("GET", "/api/licenses/internlm-license").json()
    assert low["terms"]["commercial_use"] == {**low["terms"]["commercial_use"], "value": "unknown"}
    assert low["terms"]["commercial_use"]["stated"] != "unknown"


def test_a_text_comes_with_the_bytes_that_its_hash_names(ask: Ask) -> None:
    document = ask("GET", "/api/licenses/mit").json()["documents"][0]
    answer = ask("GET", document["text"])
    assert hashlib.sha256(answer.content).hexdigest() == document["sha256"]
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert ask("GET", f"/api/licenses/llama3.1/texts/{document['sha256']}").status_code == 404


def test_ids_are_found_in_any_case_and_with_signs(ask: Ask) -> None:
    assert ask("GET", "/api/licenses/MIT").json()["id"] == "mit"
    assert ask("GET", "/api/licenses/openrail++").json()["id"] == "openrail++"
    assert ask("GET", "/api/licenses/openrail%2B%2B").json()["id"] == "openrail++"


def test_an_unknown_license_is_said_to_be_unknown(ask: Ask) -> None:
    answer = ask("GET", "/api/licenses/no-such")
    assert answer.status_code == 404 and "no-such" in answer.json()["error"]
    assert ask("PUT", "/api/licenses").status_code == 405
    assert ask("POST", "/api/licenses").status_code == 401


def test_strangers_read_nothing_where_they_are_kept_out(ask: Ask, token: str) -> None:
    with override_settings(HUB_ANONYMOUS="none"):
        assert ask("GET", "/api/licenses").status_code == 401
        assert ask("GET", "/api/licenses/mit").status_code == 401
        assert ask("GET", "/api/licenses", token=token).status_code == 200


def test_the_list_asks_the_database_once_however_long_it_is(
    ask: Ask, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    load_catalogue(shipped_readings())
    with django_assert_max_num_queries(2):
        assert len(ask("GET", "/api/licenses").json()) == 147
