"""What the search at the top of every page offers."""

from collections.abc import Callable

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.accounts.models import User
from hub.catalog.models import Repo
from tests.factories import make_organization
from tests.pages.kit import logged_in, text_of

Maker = Callable[..., Repo]
PART = {"HX-Request": "true", "HX-Target": "suggested"}


def test_models_data_sets_and_people_are_offered_while_one_types(
    client: Client,
    ada: User,
    bob: User,
    make_repo: Maker,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_organization("adamant", admin=bob)
    make_repo("ada/ships", {"README.md": b"---\ntags: [keels]\n---\n# Ships of Adam\n"})
    make_repo("ada/keels", kind="dataset")
    make_repo("ada/keelhaul", private=True)
    with django_assert_max_num_queries(14):
        seen = text_of(client.get("/search?q=keel", headers=PART))
    assert 'href="/ada/ships"' in seen and 'href="/datasets/ada/keels"' in seen and "keelhaul" not in seen
    assert "2 suggestions" in seen and 'href="/models?q=keel"' in seen
    # Names of people with nothing to see are no business of strangers.
    strangers, members = (text_of(one.get("/search?q=ADA", headers=PART)) for one in (client, logged_in(bob)))
    assert 'href="/ada"' in strangers and "adamant" not in strangers
    assert members.index('href="/ada"') < members.index('href="/adamant"') and "organization<" in members
    assert "something like it" in text_of(client.get("/search?q=kelels", headers=PART))
    assert text_of(client.get("/search?q=%20", headers=PART)).strip() == ""
    for odd in ("%25", "_", "'%26!", "💥" * 500, "%5C"):
        assert client.get(f"/search?q={odd}", headers=PART).status_code == 200
    assert client.get("/search?q=keel+haul")["Location"] == "/models?q=keel+haul"
