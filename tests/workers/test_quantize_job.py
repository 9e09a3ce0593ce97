"""Quantizations made in the hub: what comes out, and what a run that ends early leaves."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import conversions, jobs
from hub.catalog.models import Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at, files
from storage.models import Upload
from tests.factories import at, make_repo, push, push_large
from tests.workers.making import CARD, MODEL, ask, bytes_of, done, expected, interrupted, text_of
from tests.workers.quantizing.small import model_bytes
from workers import quantize_job, runs, scratch
from workers.bases import Task
from workers.quantize import Options, quantize_file

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_hub_makes_the_files_that_the_program_makes(viewer: Viewer, repo: Repo, tmp_path: Path) -> None:
    job = done(ask(viewer, repo, "Q4_K_M", "q8_0"))
    assert (job.state, job.error) == (Job.State.DONE, "")
    made = Repo.objects.get(key="ada/ships-gguf")
    assert job.result["repository"] == "ada/ships-GGUF"
    assert (made.source_id, made.head, made.license) == (repo.pk, job.result["commit"], "apache-2.0")
    assert made.base_models == ["ada/ships"]
    assert "base_model:quantized:ada/ships" in made.tags
    for type_ in ("Q4_K_M", "Q8_0"):
        assert bytes_of(viewer, made, f"ships-{type_}.gguf") == expected(
            tmp_path, type_, commit=at(repo).commit
        )
    paths = {entry.path for entry in files(made, at(made).tree)}
    assert paths == {
        ".gitattributes", "README.md", "LICENSE", "NOTICE.txt", "provenance.json",
        "ships-Q4_K_M.gguf", "ships-Q8_0.gguf"
    }  # fmt: skip
    assert text_of(made, "NOTICE.txt") == "by Ada"
    assert not list(scratch.root().iterdir())


def test_the_record_tells_from_what_by_what_and_how(viewer: Viewer, repo: Repo) -> None:
    done(ask(viewer, repo, "Q8_0"))
    made = Repo.objects.get(key="ada/ships-gguf")
    (told,) = json.loads(text_of(made, "provenance.json"))
    build = told["predicate"]["buildDefinition"]
    commit = at(repo).commit
    assert build["externalParameters"]["type"] == "Q8_0"
    assert build["externalParameters"]["commit"] == commit
    assert build["resolvedDependencies"][0]["digest"]["sha256"] == hashlib.sha256(MODEL).hexdigest()
    entry = entry_at(made, at(made).tree, FilePath(("ships-Q8_0.gguf",)))
    assert entry is not None
    assert told["subject"][0]["digest"]["sha256"] == entry.sha256
    assert told["predicate"]["runDetails"]["builder"]["version"]["kernel"]


def test_later_types_join_the_earlier_ones_and_the_words_people_wrote_stay(
    viewer: Viewer, repo: Repo
) -> None:
    done(ask(viewer, repo, "Q8_0"))
    made = Repo.objects.get(key="ada/ships-gguf")
    push(viewer, made, {"README.md": (text_of(made, "README.md") + "\nMy words.\n").encode()})
    done(ask(viewer, repo, "Q4_0"))
    card = text_of(made, "README.md")
    assert "My words." in card
    assert "ships-Q8_0.gguf" in card
    assert "ships-Q4_0.gguf" in card
    assert len(json.loads(text_of(made, "provenance.json"))) == 2


def test_a_record_broken_by_hand_is_begun_anew(viewer: Viewer, repo: Repo) -> None:
    done(ask(viewer, repo, "Q8_0"))
    made = Repo.objects.get(key="ada/ships-gguf")
    push(viewer, made, {"provenance.json": b'[{"subject": [{"name": "../x"}]}]', "README.md": b"# Mine\n"})
    assert done(ask(viewer, repo, "Q4_0")).state == Job.State.DONE
    assert len(json.loads(text_of(made, "provenance.json"))) == 1
    assert text_of(made, "README.md") == "# Mine\n"


def test_a_cancelled_conversion_commits_nothing_and_leaves_nothing(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(viewer, repo)
    interrupted(monkeypatch, lambda task: conversions.cancel(viewer, job))
    runs.run(job.pk)
    job.refresh_from_db()
    assert (conversions.state_of(job), job.error) == ("cancelled", "Cancelled by ada.")
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()
    assert not list(scratch.root().iterdir())
    sent = Upload.objects.filter(owner=quantize_job.owner_of(job))
    assert {upload.state for upload in sent} == {Upload.State.ABORTED}
    # One that has ended cannot be cancelled again, and the same may be asked for anew.
    assert conversions.state_of(conversions.cancel(viewer, job)) == "cancelled"
    monkeypatch.undo()
    assert done(ask(viewer, repo)).state == Job.State.DONE


class Killed(BaseException):
    """Stands for a process that ends in the middle."""


def test_a_killed_run_is_taken_up_again_and_sends_nothing_twice(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = ask(viewer, repo)

    def die(task: Task) -> None:
        raise Killed

    undo = interrupted(monkeypatch, die)
    with pytest.raises(Killed):
        runs.run(job.pk)
    undo()
    left = scratch.root() / f"{job.pk}-left"
    left.mkdir()
    (left / "half").write_bytes(b"x")
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert done(job).state == Job.State.DONE
    assert not list(scratch.root().iterdir())
    assert Upload.objects.filter(owner=quantize_job.owner_of(job)).count() == 1
    made = Repo.objects.get(key="ada/ships-gguf")
    assert bytes_of(viewer, made, "ships-Q4_K_M.gguf") == expected(tmp_path, "Q4_K_M", commit=at(repo).commit)


def test_a_run_that_was_overtaken_leaves_the_new_runs_uploads_alone(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ask(viewer, repo)
    interrupted(monkeypatch, lambda task: Job.objects.filter(pk=job.pk).update(run=99))
    assert runs.run(job.pk)
    sent = Upload.objects.filter(owner=quantize_job.owner_of(job))
    assert {upload.state for upload in sent} == {Upload.State.STORED}
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()


def test_the_sweep_leaves_folders_that_somebody_works_in() -> None:
    with scratch.folder("busy") as folder:
        (scratch.root() / "left").mkdir()
        assert scratch.sweep() == 1
        assert folder.is_dir()
    assert not list(scratch.root().iterdir())


def test_one_conversion_waits_for_another(viewer: Viewer, repo: Repo) -> None:
    first, second = ask(viewer, repo, "Q8_0"), ask(viewer, repo, "Q4_0")
    assert jobs.claim(first.pk) is not None
    runs.run(second.pk)
    second.refresh_from_db()
    assert (second.state, second.step) == (Job.State.WAITING, "waiting for another conversion")


def test_a_source_that_changes_meanwhile_is_recorded_by_its_commit(
    viewer: Viewer, repo: Repo, tmp_path: Path
) -> None:
    job, before = ask(viewer, repo, "Q8_0"), at(repo).commit
    push_large(viewer, repo, "other.bin", b"0" * 100)
    push(viewer, repo, {"ships-BF16.gguf": None})
    assert done(job).state == Job.State.DONE
    made = Repo.objects.get(key="ada/ships-gguf")
    assert bytes_of(viewer, made, "ships-Q8_0.gguf") == expected(tmp_path, "Q8_0", commit=before)
    (told,) = json.loads(text_of(made, "provenance.json"))
    assert told["predicate"]["buildDefinition"]["externalParameters"]["commit"] == before


def test_weights_that_are_no_numbers_end_it_with_the_tensor_and_no_path_of_the_hub(
    viewer: Viewer, repo: Repo
) -> None:
    bad = model_bytes(data={"blk.1.attn_q.weight": b"\xff\x7f" * (256 * 32)})
    push_large(viewer, repo, "bad.gguf", bad)
    job = done(ask(viewer, repo, source="bad.gguf"))
    assert job.state == Job.State.FAILED
    assert "blk.1.attn_q.weight" in job.error
    assert "scratch" not in job.error
    assert not Repo.objects.filter(key="ada/ships-gguf").exists()


def test_shards_are_one_source(viewer: Viewer, tmp_path: Path) -> None:
    (tmp_path / "whole.gguf").write_bytes(MODEL)
    parts = quantize_file(
        tmp_path / "whole.gguf", tmp_path / "split-BF16.gguf", "BF16", options=Options(split_bytes=60_000)
    )
    assert len(parts.files) > 1
    repo = make_repo(viewer, "ships")
    push(viewer, repo, {"README.md": CARD})
    for part in parts.files:
        push_large(viewer, repo, part.path.name, part.path.read_bytes())
    assert done(ask(viewer, repo, "Q8_0")).state == Job.State.DONE
    made, first = Repo.objects.get(key="ada/ships-gguf"), parts.files[0].path
    wanted = expected(tmp_path, "Q8_0", commit=at(repo).commit, source=first, path=first.name)
    assert bytes_of(viewer, made, "split-Q8_0.gguf") == wanted


def test_odd_names_give_names_that_can_be_kept(viewer: Viewer) -> None:
    repo = make_repo(viewer, "odd")
    long, odd = "é" * 120 + "-bf16.gguf", "a|b `c` <i>.gguf"
    push_large(viewer, repo, long, MODEL)
    push_large(viewer, repo, odd, MODEL)
    large_licence = b"word " * 3_000_000
    push_large(viewer, repo, "LICENSE", large_licence)
    for source in (long, odd):
        assert done(ask(viewer, repo, "Q8_0", source=source)).error == ""
    made = Repo.objects.get(key="ada/odd-gguf")
    paths = {entry.path for entry in files(made, at(made).tree)}
    assert {"é" * 90 + "-Q8_0.gguf", "a|b `c` <i>-Q8_0.gguf"} <= paths
    assert bytes_of(viewer, made, "LICENSE") == large_licence
    assert len(json.loads(text_of(made, "provenance.json"))) == 2


def test_two_conversions_that_end_at_once_both_land(
    viewer: Viewer, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, together = [ask(viewer, repo, "Q8_0"), ask(viewer, repo, "Q4_0")], Barrier(2)
    monkeypatch.setattr(quantize_job, "_must_wait", lambda job: False)
    interrupted(monkeypatch, lambda task: together.wait(60))

    def run(job: Job) -> None:
        try:
            runs.run(job.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, asked))
    assert [(job.state, job.error) for job in Job.objects.filter(kind="quantize")] == [
        (Job.State.DONE, "")
    ] * 2
    made = Repo.objects.get(key="ada/ships-gguf")
    assert {"ships-Q8_0.gguf", "ships-Q4_0.gguf"} <= {entry.path for entry in files(made, at(made).tree)}
    assert len(json.loads(text_of(made, "provenance.json"))) == 2
    assert "ships-Q8_0.gguf" in text_of(made, "README.md")
    assert "ships-Q4_0.gguf" in text_of(made, "README.md")
