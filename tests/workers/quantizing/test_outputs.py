"""Outputs appear whole or not at all, whatever ends a run."""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.formats.build import gguf
from tests.workers.quantizing import small
from workers.quantize import Options, Progress, QuantizeError, quantize_file

OLD = b"what was here before"
LARGE: small.Shapes = {f"blk.0.part{number}.weight": (small.WIDTH, 2048) for number in range(4)}
STOP_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from workers.quantize import quantize_file

def stop(progress):
    if progress.done > progress.total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

quantize_file(Path(sys.argv[1]), Path(sys.argv[2]), "Q8_0", progress=stop)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small.write(tmp_path, small.model_bytes(LARGE), "source.gguf")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return small.write(tmp_path, OLD, "out.gguf")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_hashes_and_sizes_are_those_of_the_files(source: Path, target: Path) -> None:
    outcome = quantize_file(source, target, "Q8_0", options=Options(split_bytes=600_000))
    assert len(outcome.files) == 4 and target.read_bytes() == OLD
    for file in outcome.files:
        raw = file.path.read_bytes()
        assert (file.size, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_a_killed_run_leaves_the_old_file_and_the_next_one_cleans_up(source: Path, target: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", STOP_IN_THE_MIDDLE, source, target], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert target.read_bytes() == OLD
    assert left(target.parent) == ["out.gguf", "out.gguf.partial", "source.gguf"]
    quantize_file(source, target, "Q8_0")
    assert left(target.parent) == ["out.gguf", "source.gguf"]
    assert target.read_bytes()[:4] == b"GGUF"


def test_a_run_that_is_stopped_by_its_watcher_leaves_the_old_file(source: Path, target: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize_file(source, target, "Q8_0", progress=stop)
    assert target.read_bytes() == OLD and left(target.parent) == ["out.gguf", "source.gguf"]


def test_two_runs_do_not_write_the_same_file(source: Path, target: Path) -> None:
    partial = target.with_name("out.gguf.partial")
    with partial.open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(QuantizeError, match=r"out\.gguf\.partial: is being written by another run"):
            quantize_file(source, target, "Q8_0")
        assert partial.exists()
    quantize_file(source, target, "Q8_0")
    assert left(target.parent) == ["out.gguf", "source.gguf"]


def test_a_full_disk_is_told_and_leaves_nothing(source: Path, target: Path) -> None:
    """A limit on the size of files stands in for the disk: the same call fails at the same place."""
    code = (
        "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from workers.quantize import main;"
        "sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source, target, "Q8_0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "out.gguf.partial: the disk took no more" in done.stderr and "Traceback" not in done.stderr
    assert target.read_bytes() == OLD and left(target.parent) == ["out.gguf", "source.gguf"]


def test_too_little_space_is_told_before_anything_is_written(tmp_path: Path) -> None:
    """A model with holes is larger than any disk that tests run on."""
    rows = 2**32
    head = gguf(small.pairs(), [("blk.0.huge.weight", (small.WIDTH, rows), small.BF16, 0)])
    path = small.write(tmp_path, head, "source.gguf")
    os.truncate(path, len(head) + 2 * small.WIDTH * rows)
    with pytest.raises(QuantizeError, match=r"takes 1168\.23 GB, but .* has only .* GB left"):
        quantize_file(path, tmp_path / "out.gguf", "Q8_0")
    assert left(tmp_path) == ["source.gguf"]


def test_a_model_is_never_written_over_itself(source: Path) -> None:
    before = source.read_bytes()
    (source.parent / "link.gguf").symlink_to(source)
    for name in ("source.gguf", "link.gguf"):
        with pytest.raises(QuantizeError, match="is what is read; write to another name"):
            quantize_file(source, source.parent / name, "Q8_0")
    assert source.read_bytes() == before


def test_a_missing_folder_is_told(source: Path) -> None:
    with pytest.raises(QuantizeError, match="nowhere: is no folder to write to"):
        quantize_file(source, source.parent / "nowhere" / "out.gguf", "Q8_0")


def test_threads_and_slabs_change_no_byte(source: Path, target: Path) -> None:
    hashes = {
        quantize_file(source, target, "Q6_K", options=Options(threads=threads)).files[0].sha256
        for threads in (1, 2, 7)
    }
    assert len(hashes) == 1


def test_memory_does_not_grow_with_the_largest_tensor(tmp_path: Path) -> None:
    """Stacked experts of 512 MiB, zeros in holes of the file, become a file of 36 MB within a bound far below."""
    head = gguf(small.pairs(), [("blk.0.experts.weight", (2048, 2048, 64), small.BF16, 0)])
    path = small.write(tmp_path, head, "source.gguf")
    os.truncate(path, len(head) + 2 * 2048 * 2048 * 64)
    code = (
        "import sys; from pathlib import Path; from workers.quantize import main; assert main(sys.argv[1:]) == 0;"
        "print(next(line for line in Path('/proc/self/status').open() if line.startswith('VmHWM:')).split()[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "out.gguf", "Q1_0"],
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(done.stdout.split()[-1]) * 1024
    assert peak < 256 * 2**20, f"{peak / 2**20:.0f} MiB"
