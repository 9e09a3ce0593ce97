"""Folders as ZIP files: whole, proven, and only for those who may pull."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from hub.accounts.identity import Viewer
from hub.catalog import archives
from hub.catalog.errors import AccessRestricted
from hub.catalog.models import Repo, RepoBlob
from tests.factories import push, push_large
from tests.wires.conftest import Ask

WEIGHTS = b"weights" * 1000


@pytest.fixture
def filled(alice: Viewer, repo: Repo) -> Repo:
    push(alice, repo, {"README.md": b"# A\n", "sub/one.txt": b"1", "sub/deep/two.txt": b"2"})
    push_large(alice, repo, "sub/w.bin", WEIGHTS)
    push_large(alice, repo, "empty.bin", b"")
    return repo


def fetched(ask: Ask, path: str, **words: Any) -> Any:
    lead = ask("GET", path, **words)
    assert lead.status_code == 302, lead.content
    return ask("GET", "/bytes/zip/" + lead["Location"].rpartition("/bytes/zip/")[2])


def names(answer: Any) -> dict[str, bytes]:
    content = b"".join(answer.streaming_content)
    assert str(len(content)) == answer["Content-Length"]
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return {item.filename: archive.read(item) for item in archive.infolist()}


def test_a_revision_and_a_folder_come_whole(ask: Ask, filled: Repo) -> None:
    answer = fetched(ask, "/alice/model/zip/main")
    assert 'attachment; filename="model.zip"' in answer["Content-Disposition"]
    found = names(answer)
    assert found["model/sub/w.bin"] == WEIGHTS and found["model/empty.bin"] == b""
    assert found["model/README.md"] == b"# A\n"
    part = names(fetched(ask, "/alice/model/zip/main/sub"))
    assert set(part) == {"sub/one.txt", "sub/deep/two.txt", "sub/w.bin"}


def test_what_is_no_folder_is_not_sent(ask: Ask, filled: Repo) -> None:
    for path in ("zip/main/nothing", "zip/main/README.md", "zip/other"):
        assert ask("GET", f"/alice/model/{path}").status_code == 404, path
    assert ask("GET", "/bytes/zip/forged").status_code == 403


def test_unproven_and_refused_files_keep_a_folder_back(ask: Ask, filled: Repo) -> None:
    RepoBlob.objects.filter(size=len(WEIGHTS)).update(state="proving")
    assert ask("GET", "/alice/model/zip/main").status_code == 503
    RepoBlob.objects.filter(size=len(WEIGHTS)).update(state="rejected")
    assert ask("GET", "/alice/model/zip/main").status_code == 404
    assert ask("GET", "/alice/model/zip/main/sub/deep").status_code == 302


def test_the_gate_is_asked_when_it_is_fetched_and_on_the_way(
    ask: Ask, filled: Repo, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = ask("GET", "/alice/model/zip/main")["Location"].rpartition("/bytes/zip/")[2]
    monkeypatch.setattr(archives, "ASK_AGAIN_SECONDS", 0)
    under_way = ask("GET", f"/bytes/zip/{target}").streaming_content
    assert isinstance(under_way, Iterator)
    next(under_way)
    Repo.objects.filter(pk=filled.pk).update(gated="manual")
    with pytest.raises(AccessRestricted):
        list(under_way)
    assert ask("GET", f"/bytes/zip/{target}").status_code in (401, 403)
    assert ask("GET", "/alice/model/zip/main").status_code in (401, 403)
    assert ask("GET", "/alice/model/zip/main", token=token).status_code == 302
    Repo.objects.filter(pk=filled.pk).update(private=True, gated="")
    assert ask("GET", "/alice/model/zip/main").status_code == 401
