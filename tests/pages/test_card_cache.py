"""A rendered card is kept once per content, however its revision is spelled."""

from collections.abc import Callable

from django.core.cache import cache
from django.test import Client

from hub.catalog.models import Repo
from hub.pages import repos
from tests.pages.kit import text_of

CARD = b"# A\n\n[more](docs/b.md) ![pic](a.png) [top](#a)\n"


def test_every_spelling_of_a_revision_shares_one_rendering(
    make_repo: Callable[..., Repo], browser: Client
) -> None:
    repo = make_repo("ada/model", {"README.md": CARD})
    head = repo.head
    spellings = {"main": "main", "refs/heads/main": "refs%2Fheads%2Fmain", head: head, head[:9]: head[:9]}
    for spelling, address in spellings.items():
        found = text_of(browser.get("/ada/model", {"revision": spelling}))
        assert f'href="/ada/model/blob/{address}/docs/b.md"' in found
        assert f'src="/ada/model/resolve/{address}/a.png"' in found
        assert 'href="#card-a"' in found
        assert "/-card-" not in found
    assert len(cache._cache.get_client().keys("*card:*")) == 1  # type: ignore[attr-defined]


def test_a_rendering_is_kept_for_hours() -> None:
    assert 3600 <= repos.CARD_SECONDS <= 86_400
