"""The lists and the pages of namespaces."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.accounts.models import User
from hub.catalog.models import Repo, RepoBlob
from tests.pages.kit import CARD, pointer_of, put, text_of, words_of

Maker = Callable[..., Repo]


def test_an_empty_hub_tells_how_to_push_the_first_model(client: Client, browser: Client) -> None:
    assert "Log in" in text_of(client.get("/"))
    page = text_of(browser.get("/"))
    assert "hf upload ada/my-model" in page
    assert "HF_ENDPOINT=http://testserver" in page


def test_the_list_shows_what_is_known_of_a_model(client: Client, make_repo: Maker) -> None:
    repo = make_repo("ada/ships", {"README.md": CARD})
    Repo.objects.filter(pk=repo.pk).update(parameters=134_515_008, used_storage=269_060_552, downloads=2853)
    page = text_of(client.get("/"))
    for words in (
        "Apache-2.0",
        "as its card says",
        "134.5 M",
        "1.70 kB",
        "2,853",
        "text generation",
        "All files proven",
    ):
        assert words in page


def test_search_works_by_address_and_answers_htmx_with_the_list_alone(
    client: Client, make_repo: Maker
) -> None:
    make_repo("ada/ships")
    make_repo("ada/planes")
    whole = text_of(client.get("/?q=SHIP"))
    part = client.get("/?q=ship", headers={"HX-Request": "true", "HX-Target": "results"})
    counts = text_of(client.get("/?q=ship", headers={"HX-Request": "true", "HX-Target": "facets"}))
    assert "ships" in whole
    assert "planes" not in whole
    assert "<html" in whole and "1 model" in whole and 'id="facets"' in whole and "counting" not in whole
    assert "ships" in text_of(part) and "<html" not in text_of(part) and 'id="facets"' not in text_of(part)
    # Counts come once the list is there.
    assert 'hx-get="/?q=ship" hx-trigger="load' in text_of(part)
    assert "1 model" in counts and 'id="facets"' in counts and "ships" not in counts
    assert "HX-Target" in part["Vary"]
    assert "Nothing fits" in text_of(client.get("/?q=zebra"))


def test_filters_and_sorts_narrow_by_what_cards_declare(client: Client, make_repo: Maker) -> None:
    make_repo("ada/ships", {"README.md": CARD})
    make_repo("ada/planes", {"README.md": CARD.replace(b"apache-2.0", b"mit")})
    assert "planes" not in text_of(client.get("/?license=apache-2.0"))
    assert "ships" in text_of(client.get("/?task=text-generation&sort=likes"))
    assert client.get("/?sort=nonsense").status_code == 200
    assert client.get("/?after=nonsense").status_code == 400


def test_a_long_list_has_pages(client: Client, make_repo: Maker) -> None:
    for number in range(32):
        make_repo(f"ada/m{number:02}")
    first = text_of(client.get("/?sort=new"))
    link = first.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    second = text_of(client.get(link))
    assert first.count('class="result ') == 30
    assert second.count('class="result ') == 2
    assert "32 models" in second


@pytest.mark.parametrize(
    ("state", "words"),
    [("proving", "being proven"), ("rejected", "a file was rejected"), ("proven", "All files proven")],
)
def test_a_row_says_how_far_its_files_are_proven(
    client: Client, ada: User, make_repo: Maker, state: str, words: str, settings: Any
) -> None:
    settings.HUB_PROOF_WAIT = 0
    repo = make_repo("ada/ships")
    put(ada, repo, {"deep/er/model.bin": pointer_of(repo, b"weights")})
    Repo.objects.filter(pk=repo.pk).update(used_storage=7)
    RepoBlob.objects.update(state=state)
    assert words in text_of(client.get("/"))


def test_the_number_of_queries_does_not_grow_with_the_list(
    client: Client, ada: User, make_repo: Maker, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        repo = make_repo(f"ada/m{number}", {"README.md": CARD})
        put(ada, repo, {"model.bin": pointer_of(repo, b"%d" % number)})
    with django_assert_max_num_queries(6):
        client.get("/")
    with django_assert_max_num_queries(7):
        client.get("/?q=m", headers={"HX-Request": "true", "HX-Target": "results"})
    with django_assert_max_num_queries(9):
        wishes = "task=text-generation&license=apache-2.0&state=proven&from=1000000000&q=ships"
        client.get(f"/?{wishes}&use=commercial", headers={"HX-Request": "true", "HX-Target": "results"})
    with django_assert_max_num_queries(7):
        client.get(f"/?{wishes}&use=commercial", headers={"HX-Request": "true", "HX-Target": "facets"})


def test_filters_are_chips_that_can_be_taken_away(client: Client, make_repo: Maker) -> None:
    repo = make_repo("ada/ships", {"README.md": CARD})
    Repo.objects.filter(pk=repo.pk).update(
        traits=["format:gguf", "language:nl", "fits:8"], parameters=8 * 10**9
    )
    wishes = "format=gguf&language=nl&fits=8&from=4000000000&to=9000000000&state=&sort="
    page = text_of(client.get(f"/?{wishes}"))
    assert page.count('class="result ') == 1 and "They weigh ships." in page
    for words in ("GGUF", "Dutch", "4 B to 9 B weights", "runs in 8 GB"):
        assert f"</span>{words}<svg" in page
    assert 'href="/?language=nl&amp;fits=8&amp;from=4000000000&amp;to=9000000000"' in page
    assert 'href="/?format=gguf&amp;language=nl&amp;fits=8"' in page
    assert 'name="model" value="ada/ships"' in page and 'action="/compare"' in page


def test_what_is_still_being_proven_is_named_below_the_list_of_proven_ones(
    client: Client, ada: User, make_repo: Maker
) -> None:
    for name in ("ships", "boats"):
        repo = make_repo(f"ada/{name}")
        put(ada, repo, {"model.bin": pointer_of(repo, name.encode())})
    Repo.objects.filter(name="ships").update(proof="proving")
    Repo.objects.filter(name="boats").update(proof="proven")
    page = words_of(client.get("/?state=proven"))
    assert "1 model" in page and "One more match is still being proven and left out: ada/ships." in " ".join(
        page.split()
    )


def test_what_is_only_called_alike_is_shown_as_such(client: Client, make_repo: Maker) -> None:
    make_repo("ada/mistral-7b")
    page = text_of(client.get("/?q=mistarl"))
    assert "Nothing here has “mistarl” in it" in page and page.count('class="result ') == 1
    assert "Best match" in page and "Best match" not in text_of(client.get("/"))


def test_private_models_are_seen_by_their_people_only(
    client: Client, browser: Client, make_repo: Maker
) -> None:
    make_repo("ada/secret", private=True)
    assert "secret" not in text_of(client.get("/"))
    assert "secret" not in text_of(client.get("/ada"))
    assert "secret" in text_of(browser.get("/"))
    assert "secret" in text_of(browser.get("/ada"))


def test_data_sets_have_their_own_list(client: Client, make_repo: Maker) -> None:
    make_repo("ada/notes", kind="dataset")
    assert "notes" in text_of(client.get("/datasets"))
    assert "notes" not in text_of(client.get("/"))
    assert client.get("/datasets/ada/notes").status_code == 200


def test_an_organization_shows_its_members(client: Client, lab: User, make_repo: Maker) -> None:
    make_repo("lab/ships")
    page = text_of(client.get("/LAB"))
    for words in ("An organization", "ships", "ada", "bob", "admin", "read"):
        assert words in page


def test_a_stranger_is_sent_to_the_login_where_none_are_wanted(
    client: Client, make_repo: Maker, settings: Any
) -> None:
    make_repo("ada/ships")
    settings.HUB_ANONYMOUS = "none"
    for path in (
        "/",
        "/datasets",
        "/ada",
        "/ada/ships",
        "/ada/ships/tree/main",
        "/ada/nothing",
        "/settings/tokens",
    ):
        answer = client.get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login?next=")
    for path in ("/login", "/password/reset", "/healthz", "/robots.txt"):
        assert client.get(path).status_code == 200
