"""How well a quantized file foretells a short text, and how far its answers are from those of its base.

The model runs in a process of its own, bounded in time and memory; what goes wrong there is told and ends nothing here.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workers.flow import cores

TEXT = Path(__file__).with_name("quality_text.txt")
ROOT = Path(__file__).resolve().parent.parent
# Of 256 tokens counted each; enough to tell types apart, few enough for a small machine.
WINDOWS = 8
LOOK_SECONDS = 1.0
MAX_LINE = 64 * 1024

Tell = Callable[[float], None]


class QualityError(Exception):
    """It could not be measured; the message says why."""


def measure(model: Path, *, base: Path | None, seconds: float, tell: Tell) -> dict[str, Any]:
    """Return perplexity, tokens and windows; with a base also its perplexity, and the mean divergence from it.

    `tell` gets the share that is done, every second or so, and may raise to stop.  Raises QualityError.
    """
    words = [sys.executable, "-m", "workers.quality_run", str(model), str(TEXT), "--windows", str(WINDOWS)]
    words += ["--threads", str(cores()), "--seconds", str(seconds / 2)]
    words += ["--base", str(base)] if base is not None else []
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            return _outcome(process, seconds, tell)
        finally:
            process.kill()


def _outcome(process: "subprocess.Popen[bytes]", seconds: float, tell: Tell) -> dict[str, Any]:
    share, last = 0.0, dict[str, Any]()
    for line in _lines(process, seconds):
        if line:
            last = _read(line)
            share = last.get("done", 0) / max(last.get("of", 1), 1)
        tell(share)
    if "problem" in last:
        raise QualityError(str(last["problem"])[:500])
    if "perplexity" not in last:
        raise QualityError("running the model ended the program")
    return last


def _lines(process: "subprocess.Popen[bytes]", seconds: float) -> Iterator[bytes]:
    """Yield lines as they come, and nothing once a second; raises QualityError when the time is over."""
    assert process.stdout is not None
    began, rest, file = time.monotonic(), b"", process.stdout.fileno()
    while time.monotonic() - began < seconds:
        if not select.select([file], [], [], LOOK_SECONDS)[0]:
            yield b""
            continue
        data = os.read(file, MAX_LINE)
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
        if not data:
            return
        if len(rest) > MAX_LINE:
            raise QualityError("it says what nobody asked for")
    raise QualityError(f"it took more than {seconds:.0f} seconds")


def _read(line: bytes) -> dict[str, Any]:
    try:
        told: Mapping[str, Any] = json.loads(line)
        return dict(told)
    except (ValueError, TypeError) as error:
        raise QualityError("running the model gave no answer") from error
