"""The command line: what it prints, how it ends, and its progress bar."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.quantizing import small
from workers.quantize import main, quantize_file

PROGRAM = [sys.executable, "-m", "workers.quantize"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return small.write(tmp_path, small.model_bytes())


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )


def test_the_program_writes_what_the_function_writes_and_tells_its_hash(source: Path, tmp_path: Path) -> None:
    done = run(source, tmp_path / "out.gguf", "Q4_K_M", "--threads", 2)
    file = quantize_file(source, tmp_path / "again.gguf", "Q4_K_M").files[0]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file.sha256}  {tmp_path / 'out.gguf'}  {file.size} bytes\n"
    assert (tmp_path / "out.gguf").read_bytes() == (tmp_path / "again.gguf").read_bytes()


def test_a_dry_run_tells_types_and_sizes_and_writes_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(source), "Q4_K_M", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]
    outcome = quantize_file(source, tmp_path / "out.gguf", "Q4_K_M")
    for tensor in outcome.tensors:
        pattern = rf"{re.escape(tensor.name)} .* {tensor.source_type} -> {tensor.type} +{tensor.size}\n"
        assert re.search(pattern, told), tensor.name
    assert f"Q4_K_M: {outcome.files[0].size} bytes" in told


def test_a_dry_run_tells_fallbacks_and_what_is_lacking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = small.write(tmp_path, small.model_bytes({"blk.0.attn_q.weight": (288, 8), "a.weight": (256, 8)}))
    assert main([str(source), "Q2_K_S", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"-> Q4_0 +1296 \(instead of Q2_K\)", told)
    assert "needs an importance matrix with an entry for a.weight" in told


def test_options_reach_the_tensors(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--tensor-type",
        "ATTN_v=q8_0",
        "--tensor-type",
        r"blk\.[01]\.=q5_1",
        "--output-tensor-type",
        "q4_0",
    ]
    assert main([str(source), "q4_k", "--dry-run", *words, "--token-embedding-type", "F16"]) == 0
    told = dict(re.findall(r"^(\S+) .* -> (\S+) ", capsys.readouterr().out, re.MULTILINE))
    assert told["blk.0.attn_v.weight"] == "Q8_0" and told["blk.1.ffn_up.weight"] == "Q5_1"
    assert (told["output.weight"], told["token_embd.weight"]) == ("Q4_0", "F16")
    assert main([str(source), "Q4_K_M", "--dry-run", "--pure", "--leave-output-tensor"]) == 0
    told = dict(re.findall(r"^(\S+) .* -> (\S+) ", capsys.readouterr().out, re.MULTILINE))
    assert set(told.values()) == {"Q4_K", "F32", "BF16"} and told["output.weight"] == "BF16"


def test_errors_go_to_standard_error_with_a_status(source: Path, tmp_path: Path) -> None:
    done = run(source, tmp_path / "out.gguf", "Q5_K_XXL")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: 'Q5_K_XXL' is no file type known here; known are F32, F16, Q4_0")
    malformed = run(source, tmp_path / "out.gguf", "Q8_0", "--tensor-type", "attn")
    assert malformed.stderr == "error: --tensor-type 'attn': must be PATTERN=TYPE, such as 'ffn_down=Q6_K'\n"
    assert run(source, "Q8_0").returncode == 2
    assert run(source, tmp_path / "out.gguf", "Q8_0", "--threads", "0").returncode == 2


def test_relative_errors_are_shown_where_asked_for(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(source), str(tmp_path / "out.gguf"), "Q8_0", "--measure"]) == 0
    errors = {
        name: float(error)
        for name, error in re.findall(r"^(\S+) .* error (\S+)$", capsys.readouterr().out, re.MULTILINE)
    }
    assert errors["output_norm.weight"] == 0
    assert 0 < errors["blk.0.ffn_up.weight"] < 0.01


def test_a_terminal_gets_a_progress_bar_that_is_wiped_at_the_end(source: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        words: list[str | Path] = [*PROGRAM, source, tmp_path / "out.gguf", "Q4_K_M"]
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=theirs, text=True, check=False, timeout=120
        )
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert re.search(r"\[#*\.*\] +\d+% +\d+\.\d\d GB/s +\d+ s left  \S+\.weight", shown)
    assert shown.endswith("\r\033[K")
