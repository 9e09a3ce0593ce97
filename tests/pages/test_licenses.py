"""The shelf of licenses, as people see it."""

from collections.abc import Callable

import pytest
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from hub.catalog.models import Repo
from licenses.cards import columns, threshold_sentence
from licenses.loader import load_catalogue, load_texts
from licenses.models import License
from licenses.shipped import shipped_readings
from tests.licenses import known
from tests.pages.kit import text_of, words_of


@pytest.fixture
def shelf(db: None) -> None:
    load_catalogue(shipped_readings())
    load_texts(known.texts(), shipped_readings(), source="test")


def test_the_shelf_lists_and_finds(
    client: Client, shelf: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(7):
        page = text_of(client.get("/licenses"))
    assert "147 licences" in page and "Llama 3.1 Community License" in page
    assert "Commercial use" in page and 'id="family-1"' in page
    found = text_of(client.get("/licenses?q=gemma&category=source-available"))
    assert "Gemma Terms of Use" in found and "Apache License" not in found
    # Nothing is under any of them here, so all families are folded, but for those of what was asked for.
    assert '<details class="fold">' in page and '<details class="fold" open>' not in page
    assert '<details class="fold">' not in found and '<details class="fold" open>' in found
    assert "No licence fits" in text_of(client.get("/licenses?q=zebra"))
    assert "load_licenses" not in found


def test_an_empty_shelf_says_how_to_fill_it(client: Client, db: None) -> None:
    assert "manage.py load_licenses" in text_of(client.get("/licenses"))


def test_a_license_shows_terms_thresholds_duties_and_texts(
    client: Client, shelf: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(12):
        page = text_of(client.get("/licenses/llama3.1"))
    for words in (
        "You may",
        "On condition",
        "You may not",
        "show “Built with Llama”",
        "the name begins with “Llama”",
        "From 700,000,000 monthly users in the month before its release",
        "you must request a license from Meta",
        "llama-3.1-license-2024",
    ):
        assert words in page, words


def test_a_low_reading_warns_and_counts_for_nothing(client: Client, shelf: None) -> None:
    page = text_of(client.get("/licenses/internlm-license"))
    assert "Read the text." in page
    assert "an unconfirmed reading says: conditional" in page
    found = columns(shipped_readings()["internlm-license"])
    assert (found.may, found.condition, found.may_not) == ((), (), ())


def test_a_text_is_shown_as_words_and_never_as_markup(client: Client, shelf: None) -> None:
    row = License.objects.get(slug="mit")
    load_texts({"mit": "<script>alert(1)</script> & more"}, {"mit": shipped_readings()["mit"]}, source="test")
    hostile = row.documents.latest("pk")
    page = text_of(client.get(f"/licenses/mit/{hostile.sha256}"))
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert client.get("/licenses/mit/" + "0" * 64).status_code == 404
    assert client.get("/licenses/no-such").status_code == 404


def test_every_license_can_be_put_in_words(shelf: None) -> None:
    for reading in shipped_readings().values():
        found = columns(reading)
        assert len(found.may) + len(found.condition) + len(found.may_not) + len(found.unknown) >= 8
        assert all(threshold_sentence(one).startswith("From ") for one in reading.thresholds)


def test_strangers_are_sent_to_log_in_where_they_are_kept_out(client: Client, shelf: None) -> None:
    with override_settings(HUB_ANONYMOUS="none"):
        assert client.get("/licenses").status_code == 302


def test_two_versions_are_compared_term_by_term_and_word_by_word(client: Client, shelf: None) -> None:
    page = words_of(client.get("/licenses/llama3/compare/llama3.1"))
    assert "Words to show" in page and "Built with Meta Llama 3" in page and "Built with Llama" in page
    assert "Limits on training with outputs" in page and "freer" in page
    assert "not kept here" in page or "words are the same" in page
    assert "words are the same" in words_of(client.get("/licenses/llama3.1/compare/llama3.2"))
    assert "with Llama 3.2 Community License" in words_of(client.get("/licenses/llama3.1"))
    assert client.get("/licenses/llama3.1/compare/no-such").status_code == 404


def test_a_license_lists_the_models_under_it_that_the_reader_may_see(
    client: Client, shelf: None, make_repo: Callable[..., Repo]
) -> None:
    for name, private in (("ada/open", False), ("ada/hidden", True)):
        repo = make_repo(name, private=private)
        Repo.objects.filter(pk=repo.pk).update(concluded=["llama3.1"], clearance="clear")
    page = text_of(client.get("/licenses/llama3.1"))
    assert "ada/open" in page and "ada/hidden" not in page
    Repo.objects.filter(private=True).update(concluded=["gemma"])
    shelf_page = text_of(client.get("/licenses"))
    assert shelf_page.count('<details class="fold" open>') == 1 and "1 with models here" in shelf_page
    found = text_of(client.get("/models?binding=llama3.1"))
    assert "open</a>" in found and "hidden</a>" not in found
