"""Doors asked one at a time, in this process: a user, a repo, and a way to send requests with raw paths."""

# ruff: noqa: PLC0415  Models can be imported only once the session's servers stand, which is after this file is read.

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from hub.accounts.identity import Viewer
    from hub.catalog.models import Repo

Ask = Callable[..., Any]


@pytest.fixture
def ask(db: None) -> Ask:
    """Send one request, its path exactly as written; ``token`` signs it, other words are headers."""
    from django.test import Client

    client = Client(raise_request_exception=False)

    def send(
        method: str, path: str, body: bytes | Mapping[str, Any] | None = None, *, token: str = "", **meta: Any
    ) -> Any:
        kind = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        signed: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        plain, _, query = path.partition("?")
        return client.generic(
            method,
            unquote(plain),
            sent,
            content_type=kind,
            QUERY_STRING=query,
            RAW_URI=path,
            **signed,
            **meta,
        )

    return send


@pytest.fixture
def alice(db: None) -> "Viewer":
    """The owner of what is asked for."""
    from tests.factories import make_viewer

    return make_viewer("alice")


@pytest.fixture
def token(alice: "Viewer") -> str:
    """A token of Alice's that may write."""
    from tests.factories import with_token

    assert alice.user is not None
    return with_token(alice.user)[1]


@pytest.fixture
def foreign_token(db: None) -> str:
    """A token of a user without any rights here."""
    from tests.factories import make_user, with_token

    return with_token(make_user("bob"))[1]


@pytest.fixture
def repo(alice: "Viewer") -> "Repo":
    """An empty public repo of Alice's."""
    from tests.factories import make_repo

    return make_repo(alice, "model")
