"""The two questions that every download begins with cost few queries, whoever asks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from hub.accounts.identity import Viewer
from hub.accounts.models import Token
from hub.catalog import gating
from hub.catalog.models import Repo
from hub.catalog.scopes import create_scoped_token
from tests.factories import make_user, push, push_large, with_token
from tests.wires.conftest import Ask

MaxQueries = Callable[[int], AbstractContextManager[Any]]

DOORS = [
    ("HEAD", "/alice/model/resolve/main/deep/er/a.txt"),
    ("HEAD", "/alice/model/resolve/main/w.bin"),
    ("GET", "/api/models/alice/model"),
    ("GET", "/api/models/alice/model/revision/main?blobs=true&securityStatus=true"),
]


# A large file may be suspended by its digest, which is asked as well.
FEW = {door: 3 if door[1].endswith("w.bin") else 2 for door in DOORS}


@pytest.fixture
def full(alice: Viewer, repo: Repo) -> Repo:
    push(alice, repo, {"deep/er/a.txt": b"a", "README.md": b"---\nlicense: mit\n---\n"})
    push_large(alice, repo, "w.bin", bytes(range(256)))
    return Repo.objects.get(pk=repo.pk)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: " ".join(door)[:60])
@pytest.mark.parametrize("state", ["public", "private", "gated"])
def test_few_queries_answer_head_and_info(
    ask: Ask, alice: Viewer, full: Repo, token: str, door: tuple[str, str], state: str,
    django_assert_max_num_queries: MaxQueries,
) -> None:  # fmt: skip
    Repo.objects.filter(pk=full.pk).update(
        private=state == "private", gated="manual" if state == "gated" else ""
    )
    assert alice.user is not None
    _, narrow = create_scoped_token(alice, name="narrow", permission="read", targets=["alice/model"])
    _, reading = with_token(alice.user, Token.Kind.READ)
    guest = make_user("guest")
    _, granted = with_token(guest)
    tokens = [token, narrow, reading]
    if state == "gated":
        gating.grant(alice, Repo.objects.get(pk=full.pk), user="guest")
        tokens.append(granted)
    for secret in tokens:
        with django_assert_max_num_queries(2 + FEW[door]):
            assert ask(*door, token=secret).status_code == 200
    with django_assert_max_num_queries(FEW[door]):
        status = ask(*door).status_code
    kept_out = state == "private" or (state == "gated" and "resolve" in door[1])
    assert status == (401 if kept_out else 200)


@pytest.mark.parametrize("door", DOORS[:2], ids=lambda door: " ".join(door)[:60])
@pytest.mark.parametrize("revision", ["main", "refs%2Fheads%2Fmain", "{head}", "{short}"])
def test_the_spelling_of_a_revision_costs_nothing(
    ask: Ask, full: Repo, door: tuple[str, str], revision: str, django_assert_max_num_queries: MaxQueries
) -> None:
    spelled = revision.format(head=full.head, short=full.head[:8])
    with django_assert_max_num_queries(FEW[door]):
        assert ask(door[0], door[1].replace("/main/", f"/{spelled}/")).status_code == 200


def test_a_page_of_the_list_costs_few_queries(
    ask: Ask, full: Repo, token: str, django_assert_max_num_queries: MaxQueries
) -> None:
    with django_assert_max_num_queries(2):
        assert len(ask("GET", "/api/models?cardData=true").json()) == 1
    with django_assert_max_num_queries(3):
        assert ask("GET", "/api/models", token=token).status_code == 200
