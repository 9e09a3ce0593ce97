"""How the library is built, and what a build that watches every access says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workers import kernel
from workers.kernel import build, library

BASE_DIR = Path(__file__).resolve().parents[3]
WATCHED = ("-O0", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def runtime_of(compiler: str, name: str) -> str:
    """Return the path of a sanitizer's library, or nothing where the compiler has none."""
    asked = [compiler, f"-print-file-name={name}"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return answer if Path(answer).is_file() and Path(answer).is_absolute() else ""


@pytest.mark.matrix
def test_no_access_leaves_its_array_and_no_computation_is_undefined(tmp_path: Path) -> None:
    compiler = build.compiler()
    runtimes = [runtime_of(compiler[0], name) for name in ("libasan.so", "libubsan.so")]
    if len(compiler) > 1 or not all(runtimes):
        pytest.skip("NOT CHECKED: this machine's C compiler has no address and undefined-behavior sanitizers")
    watched = build.build(tmp_path / "watched.so", WATCHED)
    env = {**os.environ, "LD_PRELOAD": ":".join(runtimes), "ASAN_OPTIONS": "detect_leaks=0"}
    command = [sys.executable, "-m", "tests.workers.kernel.exercise", str(watched)]
    done = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr[-4000:]


def test_the_library_in_use_is_the_one_of_these_sources() -> None:
    assert build.library().is_file()
    assert kernel.paths()[0] == "portable"
    assert len(kernel.paths()) == library.loaded().kernel_paths()


def test_a_library_that_is_not_built_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(kernel.KernelMissingError, match="make dev"):
        library.load(tmp_path / "libkernel.so")


def test_the_build_says_what_the_compiler_says(tmp_path: Path) -> None:
    with pytest.raises(build.BuildError, match="no-such-flag"):
        build.build(tmp_path / "libkernel.so", ("--no-such-flag",))
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler --fast")
    with pytest.raises(build.BuildError, match="no-such-compiler does not start"):
        build.build(tmp_path / "libkernel.so")


def test_c_files_stay_short_enough_to_read() -> None:
    long = {path.name: len(path.read_text().splitlines()) for path in build.SOURCES.iterdir()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
