"""A duplicate has what the source's branches and tags reach, and nothing else."""

import pytest

from hub.accounts.identity import Viewer
from hub.catalog.models import GitObject, Repo
from tests.factories import commit_all, make_repo, push, push_large, send, work
from tests.wires.conftest import Ask


@pytest.fixture
def source(alice: Viewer) -> Repo:
    repo = make_repo(alice, "source", private=True)
    push(alice, repo, {"README.md": b"---\nlicense: mit\n---\n", "deep/er/a.txt": b"a"})
    push_large(alice, repo, "w.bin", bytes(range(256)))
    return Repo.objects.get(pk=repo.pk)


def duplicate(ask: Ask, token: str, to: str = "alice/copy", **body: object) -> Repo:
    answer = ask("POST", "/api/models/alice/source/duplicate", {"repository": to, **body}, token=token)
    assert answer.status_code == 200, answer.content
    assert answer.json()["url"] == f"http://testserver/{to}"
    return Repo.objects.get(key=to)


def test_a_duplicate_has_the_same_commits_files_and_card(ask: Ask, token: str, source: Repo) -> None:
    copy = duplicate(ask, token)
    assert (copy.head, copy.private, copy.license, copy.used_storage) == (source.head, True, "mit", 256)
    assert copy.network_id != source.network_id
    for door in ("/tree/main?recursive=true&expand=true", "/commits/main", "/refs"):
        there, here = (
            ask("GET", f"/api/models/alice/{name}{door}", token=token) for name in ("source", "copy")
        )
        assert (here.status_code, here.json()) == (200, there.json())
    assert ask("GET", "/alice/copy/resolve/main/deep/er/a.txt", token=token).content == b"a"
    assert ask("GET", "/alice/copy/resolve/main/w.bin", token=token).status_code == 302
    assert ask("GET", "/api/models/alice/copy", token=token).json()["cardData"] == {"license": "mit"}


def test_a_public_duplicate_never_shows_what_the_private_source_does_otherwise(
    ask: Ask, token: str, alice: Viewer, source: Repo
) -> None:
    proposed = commit_all(alice, source, [], revision="main", title="nothing")
    ask("POST", "/api/models/alice/source/branch/secret", {}, token=token)
    hidden = push(alice, source, {"secret.txt": b"secret"}, revision="secret").oid
    ask("DELETE", "/api/models/alice/source/branch/secret", token=token)
    copy = duplicate(ask, token, visibility="public")
    later = push(alice, source, {"later.txt": b"later"}).oid
    assert proposed.oid == copy.head
    for oid in (hidden, later):
        assert ask("GET", f"/api/models/alice/source/revision/{oid}", token=token).status_code == 200
        assert ask("GET", f"/api/models/alice/copy/revision/{oid}").status_code == 404
    assert not GitObject.objects.filter(network=copy.network_id, oid=hidden).exists()
    push(alice, copy, {"own.txt": b"own"})
    assert ask("GET", "/alice/copy/resolve/main/own.txt").content == b"own"


def test_only_who_may_pull_and_create_duplicates(
    ask: Ask, token: str, foreign_token: str, source: Repo
) -> None:
    door = "/api/models/alice/source/duplicate"
    assert ask("POST", door, {"repository": "bob/copy"}, token=foreign_token).status_code == 404
    Repo.objects.filter(pk=source.pk).update(private=False, gated="manual")
    refused = ask("POST", door, {"repository": "bob/copy"}, token=foreign_token)
    assert (refused.status_code, refused["X-Error-Code"]) == (403, "GatedRepo")
    Repo.objects.filter(pk=source.pk).update(gated="")
    assert ask("POST", door, {"repository": "alice/copy"}, token=foreign_token).status_code == 403
    assert ask("POST", door, {"repository": "bob/copy"}).status_code == 401
    duplicate(ask, foreign_token, "bob/copy")
    taken = ask("POST", door, {"repository": "alice/source"}, token=token)
    assert (taken.status_code, taken.json()["url"]) == (409, "http://testserver/alice/source")


def test_the_gate_goes_with_the_duplicate(ask: Ask, token: str, source: Repo) -> None:
    Repo.objects.filter(pk=source.pk).update(private=False, gated="manual")
    duplicate(ask, token)
    assert ask("GET", "/alice/copy/resolve/main/w.bin")["X-Error-Code"] == "GatedRepo"


def test_a_source_that_is_still_being_proven_is_not_duplicated(
    ask: Ask, token: str, alice: Viewer, source: Repo
) -> None:
    send(alice, source, b"not yet proven")
    door = "/api/models/alice/source/duplicate"
    early = ask("POST", door, {"repository": "alice/copy"}, token=token)
    assert (early.status_code, "Retry-After" in early) == (503, True)
    work()
    assert ask("POST", door, {"repository": "alice/copy"}, token=token).status_code == 200
