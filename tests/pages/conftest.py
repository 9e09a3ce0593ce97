"""Fixtures of the tests of pages."""

# ruff: noqa: PLC0415  Models can be imported only once the session's servers stand, which is after this file is read.

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client

    from hub.accounts.models import User
    from hub.catalog.models import Repo


@pytest.fixture(autouse=True)
def _fresh_cache(db: None) -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def ada(db: None) -> "User":
    from tests.pages.kit import person

    return person("ada")


@pytest.fixture
def bob(db: None) -> "User":
    from tests.pages.kit import person

    return person("bob")


@pytest.fixture
def lab(ada: "User", bob: "User") -> "User":
    """Make the organization ``lab`` with ada as admin and bob as reader; returns ada."""
    from tests.factories import make_organization

    make_organization("lab", admin=ada, read=bob)
    return ada


@pytest.fixture
def browser(ada: "User") -> "Client":
    """Return a browser in which ada is logged in."""
    from tests.pages.kit import logged_in

    return logged_in(ada)


@pytest.fixture
def make_repo(ada: "User") -> "Callable[..., Repo]":
    """Return a maker of ada's repos: ``make_repo('ada/model', files, private=True)``."""
    from tests.pages.kit import new_repo

    def make(
        full: str, files: dict[str, bytes] | None = None, *, kind: str = "model", private: bool = False
    ) -> "Repo":
        return new_repo(ada, full, files, kind, private)

    return make
