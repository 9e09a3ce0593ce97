"""Convert a checkpoint into the GGUF file that llama.cpp's converter would write.

    python -m workers.convert REPO_DIR OUT.gguf --type BF16
    python -m workers.convert --reproduce provenance.json [--source DIR]

From a program: `convert_checkpoint(folder, target, "BF16")`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.converting.errors import ConvertError
from workers.converting.families import FAMILIES
from workers.converting.plan import OUTPUTS
from workers.converting.run import Outcome, convert_checkpoint
from workers.converting.writing import Progress, Watcher
from workers.program import Bar, finish, positive, size
from workers.quantizing.outputs import WrittenFile
from workers.quantizing.plan import SPLIT_BYTES
from workers.reproduce import main as reproduce

__all__ = ["ConvertError", "Outcome", "Progress", "Watcher", "WrittenFile", "convert_checkpoint"]

REPRODUCE = "--reproduce"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the result is its exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if any(word.startswith(REPRODUCE) for word in words):
        return reproduce(words)
    given = _parser().parse_args(words)
    return finish(lambda: _run(given), ConvertError)


def _run(given: argparse.Namespace) -> None:
    with Bar() as bar:
        outcome = convert_checkpoint(
            given.folder, given.target, given.type,
            threads=given.threads, split_bytes=given.split_max_size, progress=bar,
        )  # fmt: skip
    for name, count in outcome.overflows.items():
        print(
            f"warning: {name}: {count} weights are beyond {outcome.type} and became infinite", file=sys.stderr
        )
    for file in outcome.files:
        print(f"{file.sha256}  {file.path}  {file.size} bytes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers.convert",
        description="Convert a checkpoint into a GGUF file.",
        epilog=f"Architectures: {', '.join(sorted(FAMILIES))}. {REPRODUCE} RECORD makes the files of a record again.",
    )
    parser.add_argument(
        "folder", metavar="REPO_DIR", type=Path, help="config.json, tokenizer and *.safetensors or *.bin"
    )
    parser.add_argument("target", metavar="OUT.gguf", type=Path)
    parser.add_argument(
        "--type", default="AUTO", choices=[*OUTPUTS, "AUTO"], type=str.upper,
        help="AUTO takes BF16 or F16 as the checkpoint has it (default)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive, metavar="N", help="default: one for each core")
    parser.add_argument(
        "--split-max-size", type=size, metavar="N(M|G)", default=SPLIT_BYTES,
        help="the most weights' bytes in one file before shards are written (default: %(default)s)",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
