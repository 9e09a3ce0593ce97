"""Commits with what they changed, and any two revisions compared, line by line and tensor by tensor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from safetensors.numpy import save

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import jobs, tensordiff
from hub.catalog.models import Inspection, Repo
from hub.catalog.refs import create_branch
from tests.factories import at, make_repo, push, push_large, work
from tests.pages.kit import pointer_of, put, text_of, words_of

Maker = Callable[..., Repo]


@pytest.fixture
def ships(ada: User, make_repo: Maker) -> Repo:
    return make_repo("ada/ships", {"README.md": b"# one\ntwo\n", "LICENSE": b"words\n", "gone.txt": b"x\n"})


def changed(ada: User, ships: Repo) -> str:
    files: dict[str, Any] = {
        "README.md": b"# one\n<two> & more\n", "TERMS": b"words\n", "LICENSE": None, "gone.txt": None,
        "src/new.py": b"import os\n", "model.bin": pointer_of(ships, b"weights"), "raw.dat": b"\0\1",
    }  # fmt: skip
    return put(ada, ships, files, "Change <much>")


def test_a_commit_shows_the_lines_it_changed(client: Client, ada: User, ships: Repo) -> None:
    oid = changed(ada, ships)
    page = text_of(client.get(f"/ada/ships/commit/{oid}"))
    assert "&lt;two&gt; &amp; more" in page
    assert "<two>" not in page
    words = words_of(client.get(f"/ada/ships/commit/{oid}"))
    for said in (
        "LICENSE →",
        "moved",
        "deleted",
        "added",
        "Not a text",
        "import os",
        "The bytes are the same.",
    ):
        assert said in words
    # A pointer is told by its hash, and never shown as if it were the file.
    assert "git-lfs.github.com" not in page
    of_file, of_folder = (
        words_of(client.get(f"/ada/ships/commits/main/{path}")) for path in ("src/new.py", "src")
    )
    assert "Change <much>" in of_file
    assert "Change <much>" in of_folder
    assert "Push the weights" not in of_file


def test_lines_stand_below_or_beside_each_other(client: Client, ada: User, ships: Repo) -> None:
    oid = changed(ada, ships)
    below = text_of(client.get(f"/ada/ships/commit/{oid}"))
    beside = text_of(client.get(f"/ada/ships/commit/{oid}?view=split"))
    assert 'lines-diff"' in below and "lines-diff--beside" not in below
    assert "lines-diff--beside" in beside and 'class="none"' in beside
    alone = words_of(client.get(f"/ada/ships/commit/{oid}?file=src/new.py"))
    assert "import os" in alone and "Not a text" not in alone
    assert client.get(f"/ada/ships/commit/{oid}?file=nothing").status_code == 404


def test_any_two_revisions_are_compared(client: Client, ada: User, ships: Repo) -> None:
    create_branch(Viewer(user=ada), ships, branch="try/this")
    changed(ada, ships)
    assert client.get("/ada/ships/compare?from=try/this&to=main")["Location"] == (
        "/ada/ships/compare/try%2Fthis..main"
    )
    words = words_of(client.get("/ada/ships/compare/try%2Fthis..main"))
    assert "6 files" in words
    assert "No file differs" in words_of(client.get("/ada/ships/compare/main..main"))
    for odd in ("main", "main..", "..main", "main..nothing", "nothing..main", "a..b..c", "%00..main"):
        assert client.get(f"/ada/ships/compare/{odd}").status_code in (400, 404), odd


def test_programs_get_the_same(client: Client, ada: User, ships: Repo) -> None:
    before = ships.head
    oid = changed(ada, ships)
    told = client.get(f"/api/models/ada/ships/compare/{before[:8]}..main").json()
    assert (told["from"], told["to"]) == (before, oid)
    verbs = {file["path"]: file["verb"] for file in told["files"]}
    assert verbs["TERMS"] == "moved" and verbs["gone.txt"] == "deleted" and verbs["src/new.py"] == "added"
    assert client.get("/api/models/ada/ships/compare/main..nothing").status_code == 404


def test_lines_of_a_gated_model_are_for_those_who_may_pull(
    client: Client, browser: Client, ada: User, ships: Repo
) -> None:
    oid = changed(ada, ships)
    Repo.objects.filter(pk=ships.pk).update(gated="manual")
    stranger = words_of(client.get(f"/ada/ships/commit/{oid}"))
    assert "src/new.py" in stranger and "import os" not in stranger
    assert "import os" in words_of(browser.get(f"/ada/ships/commit/{oid}"))
    Repo.objects.filter(pk=ships.pk).update(private=True)
    assert client.get("/ada/ships/compare/main..main").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_files(
    client: Client, ada: User, ships: Repo, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    files = {f"f{number}/{name}.txt": b"%d\n" % number for number in range(20) for name in range(5)}
    oid = put(ada, ships, files)
    client.get(f"/ada/ships/commit/{oid}")
    with django_assert_max_num_queries(10):
        assert "100 files" in words_of(client.get(f"/ada/ships/commit/{oid}"))


def model(**seeds: int) -> bytes:
    """Return tensors of 64 KiB and more, each made from its seed; names tell their length apart."""
    shapes = {"up": (256, 128), "down": (128, 256), "out": (512, 128)}
    made = {
        name: np.random.default_rng(seed).standard_normal(shapes[name.split("_")[0]]).astype(np.float32)
        for name, seed in seeds.items()
    }
    return save(made)


@pytest.mark.django_db(transaction=True)
def test_digests_tell_which_tensors_have_other_weights(ada: User) -> None:
    viewer = Viewer(user=ada)
    repo = make_repo(viewer, "ships")
    push_large(viewer, repo, "model.safetensors", model(up_0=1, up_1=2, out_0=3))
    first = at(repo)
    push_large(viewer, repo, "model.safetensors", model(up_0=1, up_1=2, out_0=4))
    second = at(repo)
    push_large(viewer, repo, "model.safetensors", model(up_0=1, up_1=9, out_0=4))
    third = at(repo)
    for sha256 in Inspection.objects.values_list("sha256", flat=True):
        jobs.ask(kind="tensor-digests", subject=sha256, payload={"sha256": sha256})
    work()
    (found,) = tensordiff.compare(repo, first.tree, second.tree)
    assert (found.counts, found.same, found.unknown) == ([("changed", 1)], 2, 0)
    assert found.groups[0].pattern.name == "out_0"
    # Two tensors of one length of which one has changed: it is not known which.
    (mixed,) = tensordiff.compare(repo, second.tree, third.tree)
    assert (mixed.counts, mixed.same, mixed.unknown) == ([], 1, 2)


def weights(*, layers: int, dtype: Any = np.float16, wide: int = 8, seed: int = 1) -> bytes:
    dice = np.random.default_rng(seed)
    shapes = {f"model.layers.{layer}.up_proj.weight": (16, 8) for layer in range(layers)}
    shapes["model.embed_tokens.weight"] = (32, wide)
    found = {name: dice.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    return save(found | {"norm.weight": np.ones(8, np.float32)})


@pytest.mark.django_db(transaction=True)
def test_tensors_are_told_apart(client: Client, ada: User) -> None:
    viewer = Viewer(user=ada)
    repo = make_repo(viewer, "ships")
    push(viewer, repo, {"README.md": b"# Ships\n"})
    push_large(viewer, repo, "model.safetensors", weights(layers=3))
    before = at(repo)
    push_large(viewer, repo, "model.safetensors", weights(layers=4, dtype=np.float32, wide=16))
    after = at(repo)
    (found,) = tensordiff.compare(repo, before.tree, after.tree)
    assert found.counts == [("added", 1), ("reshaped", 1), ("retyped", 3)]
    assert (found.same, found.unknown) == (0, 1)
    (gone,) = tensordiff.compare(repo, after.tree, before.tree)
    assert gone.counts == [("removed", 1), ("reshaped", 1), ("retyped", 3)]
    assert tensordiff.compare(repo, after.tree, after.tree) == []
    address = f"/ada/ships/compare/{before.commit[:8]}..main"
    part = client.get(address, headers={"HX-Target": "tensor-changes"})
    assert "<main" not in text_of(part)
    words = words_of(part)
    assert "model.layers.0–2.up_proj.weight" in words and "32 × 8 → 32 × 16" in words
    assert "not known" in words
    assert "Compare the tensors" in words_of(client.get(address))
    assert "model.layers.3.up_proj.weight" in words_of(client.get(address + "?part=tensors"))
