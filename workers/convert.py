"""Convert a checkpoint of safetensors into the GGUF file that llama.cpp's converter would write.

    python -m workers.convert REPO_DIR OUT.gguf --type BF16

From a program: `convert_checkpoint(folder, target, "BF16")`.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from workers.converting.errors import ConvertError
from workers.converting.families import FAMILIES
from workers.converting.plan import OUTPUTS
from workers.converting.run import Outcome, convert_checkpoint
from workers.converting.writing import Progress, Watcher
from workers.quantizing.outputs import WrittenFile

__all__ = ["ConvertError", "Outcome", "Progress", "Watcher", "WrittenFile", "convert_checkpoint"]

GB = 10**9
PAUSE = 0.1
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the result is its exit status."""
    given = _parser().parse_args(arguments)
    before = signal.signal(signal.SIGTERM, _stop)
    watcher = Line() if sys.stderr.isatty() else None
    try:
        outcome = convert_checkpoint(
            given.folder, given.target, given.type, threads=given.threads, progress=watcher
        )
    except ConvertError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was kept", file=sys.stderr)
        return STOPPED
    finally:
        signal.signal(signal.SIGTERM, before)
        if watcher is not None:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    for name, count in outcome.overflows.items():
        print(
            f"warning: {name}: {count} weights are beyond {given.type} and became infinite", file=sys.stderr
        )
    print(f"{outcome.file.sha256}  {outcome.file.path}  {outcome.file.size} bytes")
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers.convert",
        description="Convert a checkpoint of safetensors into a GGUF file.",
        epilog=f"Architectures: {', '.join(sorted(FAMILIES))}.",
    )
    parser.add_argument(
        "folder", metavar="REPO_DIR", type=Path, help="config.json, tokenizer and *.safetensors"
    )
    parser.add_argument("target", metavar="OUT.gguf", type=Path)
    parser.add_argument(
        "--type", default="AUTO", choices=[*OUTPUTS, "AUTO"], type=str.upper,
        help="AUTO takes BF16 or F16 as the checkpoint has it (default)",
    )  # fmt: skip
    parser.add_argument("--threads", type=_positive, metavar="N", help="default: one for each core")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


class Line:
    """How far it is, on one line of a terminal, ten times a second at most."""

    def __init__(self) -> None:
        self.started = self.drawn = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self.drawn < PAUSE:
            return
        self.drawn = now
        rate = progress.done / (now - self.started)
        share = progress.done / max(progress.total, 1)
        print(
            f"\r\033[K{share:4.0%} {rate / GB:5.2f} GB/s  {progress.tensor}",
            end="",
            file=sys.stderr,
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
