"""What a revision shows of its bytes: hashes, looks, the chain from the commit, and sums to check them by."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import integrity
from hub.catalog.models import GitObject, Repo
from storage import scrub
from storage.models import Form
from tests.factories import at, make_repo, push, push_large
from tests.pages.kit import logged_in, text_of, words_of

pytestmark = pytest.mark.django_db(transaction=True)
WEIGHTS = b"weights of the quay"


@pytest.fixture
def ships(ada: User) -> Repo:
    viewer = Viewer(user=ada)
    repo = make_repo(viewer, "ships")
    push(viewer, repo, {"README.md": b"# Ships\n", "src/train.py": b"import os\n"})
    push_large(viewer, repo, "deep/er/model.bin", WEIGHTS)
    return repo


def test_looks_are_counted_and_told(client: Client, ships: Repo) -> None:
    address = "/ada/ships/integrity"
    assert f'href="{address}"' in text_of(client.get("/ada/ships"))
    words = words_of(client.get(address))
    assert hashlib.sha256(WEIGHTS).hexdigest() in words and "1 of 1" in words and "not yet due" in words
    form = Form.objects.get(blob__sha256=hashlib.sha256(WEIGHTS).hexdigest())
    scrub.mark_sound(form)
    scrub.mark_sound(form)
    (kept,) = integrity.large_files(at(ships))
    assert kept.times == 2
    assert "2 times so far, never different" in words_of(client.get(address))
    scrub.mark_damaged(form)
    assert "damage was found" in words_of(client.get(address))


def test_each_link_of_a_chain_is_hashed_when_it_is_shown(client: Client, ships: Repo) -> None:
    here = at(ships)
    links = integrity.chain(here, "deep/er/model.bin")
    assert [link.kind for link in links] == ["commit", "tree", "tree", "tree", "pointer"]
    assert all(link.is_right for link in links)
    assert links[-1].says == f"oid sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    other = GitObject.objects.get(network=ships.network, oid=links[2].oid)
    GitObject.objects.filter(pk=other.pk).update(
        data=GitObject.objects.get(network=ships.network, oid=links[1].oid).data
    )
    assert [link.is_right for link in integrity.chain(here, "deep/er/model.bin")] == [
        True, True, False, True, True,
    ]  # fmt: skip
    assert "NOT right" in text_of(client.get("/ada/ships/integrity?file=deep/er/model.bin"))
    for odd in ("nothing", "deep", "../x", "%00"):
        assert client.get(f"/ada/ships/integrity?file={odd}").status_code in (400, 404), odd


def test_sums_are_those_that_sha256sum_checks(client: Client, ships: Repo, tmp_path: Path) -> None:
    answer = client.get("/ada/ships/integrity/main/SHA256SUMS")
    assert 'filename="SHA256SUMS"' in answer["Content-Disposition"]
    (tmp_path / "SHA256SUMS").write_text(text_of(answer))
    for path, content in (
        ("README.md", b"# Ships\n"), ("src/train.py", b"import os\n"), ("deep/er/model.bin", WEIGHTS),
    ):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    done = subprocess.run(
        ["sha256sum", "-c", "--ignore-missing", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b": OK") == 3
    (tmp_path / "README.md").write_bytes(b"# Shops\n")
    assert subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    ).returncode


def test_small_files_of_a_gated_model_are_left_out_for_strangers(
    client: Client, ada: User, ships: Repo
) -> None:
    Repo.objects.filter(pk=ships.pk).update(gated="manual")
    stranger, member = (
        text_of(reader.get("/ada/ships/integrity/main/SHA256SUMS")) for reader in (client, logged_in(ada))
    )
    assert "model.bin" in stranger and "README.md" not in stranger
    assert "README.md" in member
    Repo.objects.filter(pk=ships.pk).update(private=True)
    assert client.get("/ada/ships/integrity").status_code == 404
    assert client.get("/ada/ships/integrity/main/SHA256SUMS").status_code == 401
