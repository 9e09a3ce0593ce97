"""The licence tab: what binds a model, what is open, and nothing of repos that the reader cannot see."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.catalog.panel import panel_of
from tests.factories import push
from tests.licenses.known import text_of as license_text
from tests.pages.kit import logged_in, text_of, words_of
from tests.terms.kit import BASE, again, card, case_of, llama_files, model, reviewed_hub

__all__ = ["reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]


@pytest.fixture
def mine(ada: User) -> Viewer:
    return Viewer(user=ada)


def test_a_mislabelled_fine_tune_shows_what_stands_in_the_way_and_what_to_do(
    client: Client, browser: Client, mine: Viewer
) -> None:
    files = {"README.md": card("apache-2.0", base=BASE), "few.gguf": b"GGUF"}
    repo = model(mine, "SuperChat-8B", files)
    owner, stranger = (words_of(one.get("/ada/SuperChat-8B/license")) for one in (browser, client))
    for words in ("LIN-RELICENSED", "DUTY-NAME", "DUTY-ATTRIB", "DUTY-NOTICE", "blocked by policy", BASE):
        assert words in stranger, words
    assert "If it is settled" in stranger
    assert "Mend what is listed below" in owner and "Mend what is listed below" not in stranger
    head, mine_head = (words_of(one.get("/ada/SuperChat-8B")) for one in (client, browser))
    for words in (
        "Not settled.",
        "The card says",
        "Held. Its terms are not settled, so only ada can pull it.",
        "to settle",
    ):
        assert words in head, words
    assert "hf download" not in head and "Use this model" not in head and "things to fix" not in head
    assert "things to fix" in mine_head and "hf download" in mine_head
    assert "only ada can pull it" in words_of(client.get("/ada/SuperChat-8B/tree/main"))
    assert case_of(repo).state == "blocked"


def test_terms_duties_lineage_and_openness_stand_on_one_page(client: Client, mine: Viewer) -> None:
    model(mine, "Llama-Chat-8B", {**llama_files(), "few.gguf": b"GGUF"})
    page = words_of(client.get("/ada/Llama-Chat-8B/license"))
    for words in (
        "Use it commercially", "From 700,000,000 monthly users", "The card shows “Built with Llama”", "README.md:5",
        "NOTICE:1", "LICENSE:1", "fine-tune, shown by the card", "Open weights", "waits for a review",
        "parts not found",
    ):  # fmt: skip
        assert words in page, words
    assert "open source" not in page.lower().replace("open source ai definition", "")
    assert "<script" not in text_of(client.get("/ada/Llama-Chat-8B/license")).split("<main")[1]


def test_an_ancestor_that_the_reader_cannot_see_has_no_name(client: Client, ada: User, mine: Viewer) -> None:
    model(mine, "secret-base", {"README.md": card("cc-by-nc-4.0")}, private=True)
    config = b'{"_name_or_path": "ada/secret-base"}'
    child = model(mine, "child", {"README.md": card("mit"), "config.json": config})
    page = text_of(client.get("/ada/child/license"))
    assert "secret-base" not in page and "a repository you cannot see" in page
    assert "secret-base" in text_of(logged_in(ada).get("/ada/child/license"))
    assert "secret-base" not in str(panel_of(ANONYMOUS, child))


def test_a_clear_model_says_so_in_its_head(
    client: Client, mine: Viewer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    files = {"README.md": card("mit"), "LICENSE": license_text("mit").encode()}
    repo = model(mine, "free", {**files, "few.gguf": b"GGUF"})
    assert repo.clearance == "clear"
    assert "You may use this commercially, change it and hand it on" in words_of(client.get("/ada/free"))
    with django_assert_max_num_queries(45):
        page = words_of(client.get("/ada/free/license"))
    assert "cleared by policy" in page and "its words" in page
    push(mine, repo, {"LICENSE": None})
    again(repo)
    assert "cleared on the card’s word" in words_of(client.get("/ada/free/license"))
    assert "no text here proves it" in words_of(client.get("/ada/free"))


def test_hostile_words_of_a_card_stay_words(client: Client, mine: Viewer) -> None:
    name = 'license_name: "<script>alert(1)</script>"'
    hostile = b"<img src=x onerror=alert(1)> my terms\n" * 40
    model(mine, "odd", {"README.md": card("other", more=name), "LICENSE": hostile})
    page = text_of(client.get("/ada/odd/license"))
    assert "<script>alert" not in page and "<img src=x" not in page and "&lt;script&gt;" in page


def test_a_hub_that_does_not_review_shows_the_cards_word(
    client: Client, mine: Viewer, settings: Settings
) -> None:
    settings.HUB_REVIEW = "off"
    model(mine, "plain", {"README.md": card("mit")})
    assert "This hub does not review terms" in words_of(client.get("/ada/plain/license"))
    assert "nobody has reviewed it" in words_of(client.get("/ada/plain"))
