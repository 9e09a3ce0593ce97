"""A model to be quantized in the hub, and short ways to ask for it and to look at what came out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.accounts.identity import Viewer
from hub.catalog import conversions, pulls
from hub.catalog.models import Job, Repo
from hub.catalog.names import FilePath
from hub.catalog.repos import public_url
from hub.catalog.trees import entry_at
from tests.factories import at, make_repo, push, push_large, work
from tests.workers.quantizing.small import model_bytes
from workers import headers, quantize_job
from workers.bases import Task
from workers.quantize import Options, quantize_file

MODEL = model_bytes()
CARD = b"---\nlicense: apache-2.0\nlanguage: en\n---\n# Ships\n"


def ships_of(viewer: Viewer) -> Repo:
    """Return a model of bfloat16 with a card, a licence and a notice."""
    repo = make_repo(viewer, "ships")
    push(viewer, repo, {"README.md": CARD, "LICENSE": b"Apache", "NOTICE.txt": b"by Ada", "code.py": b"1"})
    push_large(viewer, repo, "ships-BF16.gguf", MODEL)
    return repo


def push_folder(viewer: Viewer, repo: Repo, folder: Path) -> None:
    """Push a checkpoint as the stock client would: weights and sentencepiece models as large files."""
    small = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".model"):
            push_large(viewer, repo, path.name, path.read_bytes())
        else:
            small[path.name] = path.read_bytes()
    push(viewer, repo, small)
    work()


def ask(
    viewer: Viewer, repo: Repo, *types: str, source: str = "", target: str = "", imatrix: str = "", evaluate: str = ""
) -> Job:  # fmt: skip
    return conversions.ask(
        viewer, at(repo), types=types or ["Q4_K_M"], source=source, target=target, imatrix=imatrix, evaluate=evaluate
    )  # fmt: skip


def done(job: Job) -> Job:
    """Return the job after every due one was done."""
    work()
    job.refresh_from_db()
    return job


def expected(
    folder: Path, type_: str, *, commit: str, source: Path | None = None, path: str = "ships-BF16.gguf",
    named: bool = False,
) -> bytes:  # fmt: skip
    """Return what the program makes of the model, or of another one, with the header that the hub adds."""
    if source is None:
        source = folder / "in.gguf"
        source.write_bytes(MODEL)
    metadata = headers.header(
        repository="ada/ships", address=public_url("ada/ships"), commit=commit, path=path,
        card={"license": "apache-2.0"}, named=named,
    )  # fmt: skip
    quantize_file(source, folder / "out.gguf", type_, options=Options(metadata=metadata))
    return (folder / "out.gguf").read_bytes()


def bytes_of(viewer: Viewer, repo: Repo, path: str) -> bytes:
    entry = pulls.open_file(viewer, at(repo), path)
    return b"".join(pulls.stream(entry.sha256, 0, entry.size))


def text_of(repo: Repo, path: str) -> str:
    entry = entry_at(repo, at(repo).tree, FilePath.parse(path))
    assert entry is not None
    return pulls.content_of(repo, entry).decode()


def interrupted(monkeypatch: pytest.MonkeyPatch, what: Callable[[Task], object]) -> Callable[[], None]:
    """Do something just before what was made is committed; returns how to stop doing so."""
    land = quantize_job._land

    def first(task: Task) -> None:
        what(task)
        land(task)

    monkeypatch.setattr(quantize_job, "_land", first)
    return monkeypatch.undo
