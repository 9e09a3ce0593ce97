"""A model to be quantized in the hub, and short ways to ask for it and to look at what came out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.accounts.identity import Viewer
from hub.catalog import conversions, pulls
from hub.catalog.models import Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.trees import entry_at
from tests.factories import at, make_repo, push, push_large, work
from tests.workers.quantizing.small import model_bytes
from workers import quantize_job
from workers.quantize import quantize_file

MODEL = model_bytes()
CARD = b"---\nlicense: apache-2.0\nlanguage: en\n---\n# Ships\n"


def ships_of(viewer: Viewer) -> Repo:
    """Return a model of bfloat16 with a card, a licence and a notice."""
    repo = make_repo(viewer, "ships")
    push(viewer, repo, {"README.md": CARD, "LICENSE": b"Apache", "NOTICE.txt": b"by Ada", "code.py": b"1"})
    push_large(viewer, repo, "ships-BF16.gguf", MODEL)
    return repo


def ask(viewer: Viewer, repo: Repo, *types: str, source: str = "", target: str = "") -> Job:
    return conversions.ask(viewer, at(repo), types=types or ["Q4_K_M"], source=source, target=target)


def done(job: Job) -> Job:
    """Return the job after every due one was done."""
    work()
    job.refresh_from_db()
    return job


def expected(folder: Path, type_: str) -> bytes:
    """Return what the program makes of the model."""
    (folder / "in.gguf").write_bytes(MODEL)
    quantize_file(folder / "in.gguf", folder / "out.gguf", type_)
    return (folder / "out.gguf").read_bytes()


def bytes_of(viewer: Viewer, repo: Repo, path: str) -> bytes:
    entry = pulls.open_file(viewer, at(repo), path)
    return b"".join(pulls.stream(entry.sha256, 0, entry.size))


def text_of(repo: Repo, path: str) -> str:
    entry = entry_at(repo, at(repo).tree, FilePath.parse(path))
    assert entry is not None
    return pulls.content_of(repo, entry).decode()


def interrupted(
    monkeypatch: pytest.MonkeyPatch, what: Callable[[quantize_job.Task], object]
) -> Callable[[], None]:
    """Do something just before what was made is committed; returns how to stop doing so."""
    land = quantize_job._land

    def first(task: quantize_job.Task) -> None:
        what(task)
        land(task)

    monkeypatch.setattr(quantize_job, "_land", first)
    return monkeypatch.undo
