"""Importance matrices in the hub: those that fit change the outcome, all others are refused with the reason."""

from pathlib import Path

import pytest

from hub.accounts.identity import Viewer
from hub.catalog.errors import BadRequest
from hub.catalog.models import Job, Repo
from hub.catalog.sources import sources_in
from tests.factories import at, make_repo, push, push_large
from tests.workers.converting.recipes import checkpoint
from tests.workers.making import MODEL, ask, bytes_of, done, push_folder, text_of
from tests.workers.quantizing.test_importance import NAMES, matrix, older, sums_of
from workers import convert

pytestmark = pytest.mark.django_db(transaction=True)
FITS = matrix({name: (sums_of(name), [3.0]) for name in NAMES})
FOREIGN = matrix({"blk.0.other.weight": ([1.0] * 256, [1.0])})


def test_a_matrix_beside_the_model_weighs_the_columns_and_is_recorded(
    viewer: Viewer, repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    push_large(viewer, repo, "calibration/ships.imatrix.gguf", FITS)
    assert [entry.path for entry in sources_in(at(repo)).matrices] == ["calibration/ships.imatrix.gguf"]
    assert [model.path for model in sources_in(at(repo)).models] == ["ships-BF16.gguf"]
    job = done(ask(viewer, repo, "Q2_K_S", "Q4_K_M", imatrix="calibration/ships.imatrix.gguf"))
    assert job.error == ""
    made = Repo.objects.get(key="ada/ships-gguf")
    assert b"calibration/ships.imatrix.gguf" in bytes_of(viewer, made, "ships-Q4_K_M.gguf")
    (tmp_path / "ships-BF16.gguf").write_bytes(MODEL)
    (tmp_path / "calibration").mkdir()
    (tmp_path / "calibration" / "ships.imatrix.gguf").write_bytes(FITS)
    (tmp_path / "record.json").write_text(text_of(made, "provenance.json"))
    assert convert.main(["--reproduce", str(tmp_path / "record.json"), "--source", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("same: ") == 2


def test_what_is_no_matrix_of_this_model_is_said_beforehand(viewer: Viewer, repo: Repo) -> None:
    push_large(viewer, repo, "foreign.gguf", FOREIGN)
    for path, message in (
        ("nowhere.gguf", "there is no file 'nowhere.gguf'"),
        ("ships-BF16.gguf", "no importance matrix"),
        ("foreign.gguf", "it was made for another model"),
    ):
        with pytest.raises(BadRequest, match=message):
            ask(viewer, repo, imatrix=path)
    with pytest.raises(BadRequest, match="Q2_K_S is made with an importance matrix only"):
        ask(viewer, repo, "Q2_K_S")


@pytest.mark.parametrize("content", [b"text", older({"other.weight": [1.0, 2.0]}, 3)])
def test_older_files_that_do_not_fit_end_the_work_with_the_reason(
    viewer: Viewer, repo: Repo, content: bytes
) -> None:
    push(viewer, repo, {"imatrix.dat": content})
    assert [entry.path for entry in sources_in(at(repo)).matrices] == ["imatrix.dat"]
    job = done(ask(viewer, repo, imatrix="imatrix.dat"))
    assert job.state == Job.State.FAILED
    assert "imatrix.dat" in job.error
    assert "scratch" not in job.error


def test_a_checkpoint_takes_one_too(viewer: Viewer, tmp_path: Path) -> None:
    folder = checkpoint("mistral-v1", tmp_path)
    repo = make_repo(viewer, "boats")
    push_folder(viewer, repo, folder)
    push_large(viewer, repo, "imatrix.gguf", FOREIGN)
    job = done(ask(viewer, repo, imatrix="imatrix.gguf"))
    assert "it was made for another model" in job.error
