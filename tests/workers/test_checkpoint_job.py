"""Checkpoints in the hub: what is said beforehand, what comes out, and that others can make the same bytes."""

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import conversions
from hub.catalog.errors import BadRequest
from hub.catalog.models import Job, Repo
from hub.catalog.trees import files
from tests.factories import at, make_repo, push, push_large, work
from tests.workers.converting.recipes import checkpoint
from tests.workers.making import CARD, ask, bytes_of, done, expected, push_folder, text_of
from workers import bases, convert, runs, scratch
from workers.convert import convert_checkpoint

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = "mistral-v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small checkpoint with a card, under the name that its repo has."""
    found = checkpoint(SMALL, tmp_path)
    (found / "README.md").write_bytes(CARD)
    return found.rename(tmp_path / "ships")


@pytest.fixture
def repo(viewer: Viewer, folder: Path) -> Repo:
    repo = make_repo(viewer, "ships")
    push_folder(viewer, repo, folder)
    return repo


def made_of(repo: Repo) -> Repo:
    return Repo.objects.get(key=f"{repo.key}-gguf")


def test_a_checkpoint_becomes_what_the_programs_make_of_it(
    viewer: Viewer, repo: Repo, folder: Path, tmp_path: Path
) -> None:
    job = done(ask(viewer, repo, "Q8_0", "BF16", "F16", "Q4_K_M"))
    assert (job.state, job.error) == (Job.State.DONE, "")
    base = convert_checkpoint(folder, tmp_path / "base.gguf", "BF16").files[0].path
    made, commit = made_of(repo), at(repo).commit
    for type_, name in (("Q8_0", "Q8_0"), ("BF16", "bf16"), ("F16", "F16"), ("Q4_K_M", "Q4_K_M")):
        wanted = expected(tmp_path, type_, commit=commit, source=base, path="config.json", named=True)
        assert bytes_of(viewer, made, f"ships-{name}.gguf") == wanted
    errors = {file["path"]: file["relativeError"] for file in job.result["files"]}
    assert errors["ships-bf16.gguf"] == 0
    assert 0 < errors["ships-Q8_0.gguf"] < 0.02 < errors["ships-Q4_K_M.gguf"] < 0.2
    assert not list(scratch.root().iterdir())


def test_the_record_lets_others_make_the_same_bytes(
    viewer: Viewer, repo: Repo, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(ask(viewer, repo, "Q8_0", "Q4_0"))
    text = text_of(made_of(repo), "provenance.json")
    record = tmp_path / "provenance.json"
    record.write_text(text)
    told = json.loads(text)[0]["predicate"]
    names = {item["name"] for item in told["buildDefinition"]["resolvedDependencies"]}
    assert names == {path.name for path in folder.iterdir()}
    assert told["buildDefinition"]["internalParameters"]["base"] == "BF16"
    (quality,) = told["runDetails"]["byproducts"]
    assert quality["annotations"]["tensors"]["token_embd.weight"] > 0
    words = ["--reproduce", str(record), "--source", str(folder)]
    assert convert.main(words) == 0
    assert capsys.readouterr().out.count("same: ships-Q") == 2
    record.write_text(text.replace('"Q8_0"', '"Q5_0"'))
    assert convert.main([*words, "--only", "ships-Q8_0.gguf"]) == 1
    assert "differs: ships-Q8_0.gguf is " in capsys.readouterr().out
    record.write_text(text)
    (folder / "config.json").write_text("{}")
    assert convert.main(words) == 1
    assert "config.json: has the sha256 " in capsys.readouterr().err
    (folder / "config.json").unlink()
    assert convert.main(words) == 1
    assert "config.json: is missing" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../b"])
def test_a_record_reads_and_writes_nothing_elsewhere(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = {"name": name, "digest": {"sha256": "0" * 64}}
    build = {"buildType": "urn:weighhouse:quantize:v1", "resolvedDependencies": [item], "internalParameters": {},
             "externalParameters": {}}  # fmt: skip
    predicate = {"buildDefinition": build, "runDetails": {"builder": {"version": {}}}}
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"subject": [item], "predicate": predicate}))
    assert convert.main(["--reproduce", str(record), "--source", "/"]) == 1
    assert "is no path of a file in a repository" in capsys.readouterr().err


def changed(folder: Path, name: str, change: Callable[[Any], object]) -> dict[str, bytes | None]:
    told = json.loads((folder / name).read_text())
    change(told)
    return {name: json.dumps(told).encode()}


def test_what_cannot_be_converted_is_said_before_anything_begins(
    viewer: Viewer, repo: Repo, folder: Path
) -> None:
    def refused(content: dict[str, bytes | None]) -> str:
        push(viewer, repo, content)
        with pytest.raises(BadRequest, match="not read yet"):
            ask(viewer, repo)
        work()
        with pytest.raises(BadRequest) as caught:
            ask(viewer, repo)
        return str(caught.value)

    right: dict[str, bytes | None] = {"config.json": (folder / "config.json").read_bytes()}
    novel = changed(folder, "config.json", lambda told: told.update(architectures=["NovelForCausalLM"]))
    message = refused(novel)
    assert "config.json: architecture 'NovelForCausalLM' is not converted; known are " in message
    assert "Qwen3MoeForCausalLM" in message
    assert "scratch" not in message
    wide = changed(folder, "config.json", lambda told: told.update(hidden_size=128))
    assert "hidden_size" in refused(wide)
    assert "tokenizer.json: is missing; check its name, or add it" in refused(
        {**right, "tokenizer.model": None}
    )
    assert not Job.objects.filter(kind="quantize").exists()


def test_an_unknown_way_to_cut_text_is_said_beforehand(viewer: Viewer, tmp_path: Path) -> None:
    folder = checkpoint("mistral-nemo", tmp_path)

    def change(told: Any) -> None:
        told["pre_tokenizer"]["pretokenizers"][1]["use_regex"] = False

    (folder / "tokenizer.json").write_bytes(
        changed(folder, "tokenizer.json", change)["tokenizer.json"] or b""
    )
    repo = make_repo(viewer, "nemo")
    push_folder(viewer, repo, folder)
    with pytest.raises(BadRequest, match=r"tokenizer\.json: cuts text in a way that no known reader does"):
        ask(viewer, repo)


def test_shards_of_eight_bit_floats_are_one_checkpoint(viewer: Viewer, tmp_path: Path) -> None:
    folder = checkpoint("deepseek-v3-fp8", tmp_path)
    repo = make_repo(viewer, folder.name)
    push_folder(viewer, repo, folder)
    assert done(ask(viewer, repo, "Q8_0")).error == ""
    paths = {entry.path for entry in files(made_of(repo), at(made_of(repo)).tree)}
    assert any(path.endswith("-Q8_0.gguf") for path in paths)


def test_a_worker_killed_while_it_converts_leaves_nothing_that_matters(
    viewer: Viewer, repo: Repo, folder: Path, tmp_path: Path
) -> None:
    job = ask(viewer, repo, "Q8_0")
    connections.close_all()
    pid = os.fork()
    if not pid:
        try:
            bases.convert_checkpoint = _dying  # type: ignore[assignment, attr-defined]
            runs.run(job.pk)
        finally:
            os._exit(3)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert [path.suffix for path in scratch.root().rglob("base/*")] == [".partial"]
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert done(job).state == Job.State.DONE
    assert not list(scratch.root().iterdir())
    base = convert_checkpoint(folder, tmp_path / "base.gguf", "BF16").files[0].path
    wanted = expected(tmp_path, "Q8_0", commit=at(repo).commit, source=base, path="config.json", named=True)
    assert bytes_of(viewer, made_of(repo), "ships-Q8_0.gguf") == wanted


def _dying(folder: Path, target: Path, kind: str, **others: object) -> object:
    """Convert until the first bytes are written, and end the process as nobody can prevent."""
    return convert_checkpoint(
        folder, target, kind, progress=lambda told: os.kill(os.getpid(), signal.SIGKILL)
    )


def test_a_file_beside_the_checkpoint_must_be_chosen_between(
    viewer: Viewer, repo: Repo, tmp_path: Path
) -> None:
    base = convert_checkpoint(checkpoint(SMALL, tmp_path), tmp_path / "base.gguf", "F16").files[0].path
    push_large(viewer, repo, "ships-F16.gguf", base.read_bytes())
    with pytest.raises(BadRequest, match=r"name one of config\.json, ships-F16\.gguf"):
        ask(viewer, repo)
    assert done(ask(viewer, repo, "Q8_0", source="config.json")).result["repository"] == "ada/ships-GGUF"


def test_it_is_run_on_a_text_where_that_is_asked_for(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadRequest, match="evaluate: 'taste' is unknown"):
        ask(viewer, repo, evaluate="taste")
    with monkeypatch.context() as without:
        without.setattr(conversions, "_EVALUATOR", "no_such_package")
        with pytest.raises(BadRequest, match="evaluate: no_such_package is not installed on this hub"):
            ask(viewer, repo, evaluate="kl")
    job = done(ask(viewer, repo, "Q4_0", evaluate="kl"))
    assert job.error == ""
    (file,) = job.result["files"]
    told = file["evaluation"]
    assert told["perplexity"] > 1
    assert 0 < told["divergence"] < 1
    assert told["perplexity"] == pytest.approx(told["basePerplexity"], rel=0.5)
    assert "KL divergence" in text_of(made_of(repo), "README.md")
