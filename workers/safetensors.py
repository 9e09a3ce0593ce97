"""Write a checkpoint's weights as safetensors files: out of PyTorch's files, in other shards, with other floats.

    python -m workers.safetensors IN OUT [--dtype BF16] [--shard-size 5GB]

From a program: `rewrite_weights(source, target, dtype="BF16")`. Nothing in a PyTorch file is run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.converting.casts import TARGETS
from workers.converting.errors import ConvertError
from workers.converting.rewriting import SHARD_BYTES, Rewritten, rewrite_weights
from workers.program import Bar, finish, positive, size

__all__ = ["ConvertError", "Rewritten", "rewrite_weights"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the result is its exit status."""
    given = _parser().parse_args(arguments)
    return finish(lambda: _run(given), ConvertError)


def _run(given: argparse.Namespace) -> None:
    with Bar() as bar:
        outcome = rewrite_weights(
            given.source, given.target,
            dtype=given.dtype, shard_bytes=given.shard_size, threads=given.threads, progress=bar,
        )  # fmt: skip
    for name, kept in outcome.aliases.items():
        print(f"note: {name} is {kept} under another name and is kept once", file=sys.stderr)
    for name, count in outcome.overflows.items():
        print(
            f"warning: {name}: {count} weights are beyond {given.dtype} and became infinite", file=sys.stderr
        )
    for file in outcome.files:
        print(f"{file.sha256}  {file.path}  {file.size} bytes")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers.safetensors",
        description="Write a checkpoint's weights as safetensors files. Nothing in a PyTorch file is run.",
    )
    parser.add_argument(
        "source",
        metavar="IN",
        type=Path,
        help="a folder with weights, or one file: .bin, .pt, .pth or .safetensors",
    )
    parser.add_argument("target", metavar="OUT", type=Path, help="a folder, or one file NAME.safetensors")
    parser.add_argument(
        "--dtype", type=str.upper, choices=TARGETS, help="what floats become; default: they stay"
    )
    parser.add_argument(
        "--shard-size", type=size, metavar="SIZE", default=SHARD_BYTES,
        help="the most weights' bytes in one file of a folder (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--threads", type=positive, metavar="N", help="default: one for each core")
    return parser


if __name__ == "__main__":
    sys.exit(main())
