"""Quantize a GGUF model into the bytes that llama-quantize would write.

    python -m workers.quantize IN.gguf OUT.gguf Q4_K_M [--imatrix FILE] [--dry-run] ...

From a program: `quantize_file(source, target, "Q4_K_M")`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.program import Bar, finish, positive, size
from workers.quantizing.errors import QuantizeError
from workers.quantizing.model import open_model
from workers.quantizing.outputs import WrittenFile
from workers.quantizing.pipeline import Outcome, Progress, TensorOutcome, Watcher, quantize_file
from workers.quantizing.plan import SPLIT_BYTES, Options, Plan, make_plan
from workers.quantizing.types import FILE_TYPES

__all__ = [
    "Options",
    "Outcome",
    "Progress",
    "QuantizeError",
    "TensorOutcome",
    "Watcher",
    "WrittenFile",
    "quantize_file",
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program; the result is its exit status."""
    given = _parser().parse_args(arguments)
    if given.target is None and not given.dry_run:
        _parser().error("OUT is needed, unless it is a --dry-run")
    return finish(lambda: _work(given), QuantizeError)


def _work(given: argparse.Namespace) -> None:
    options = _options(given)
    if given.dry_run:
        _show_plan(given, options)
    else:
        _run(given, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m workers.quantize",
        description="Quantize a GGUF model into the bytes that llama-quantize would write.",
        epilog=f"Types: {', '.join(FILE_TYPES)}; Q3_K, Q4_K and Q5_K mean their medium mixes.",
    )
    parser.add_argument("source", metavar="IN", type=Path, help="a GGUF file, or the first of its shards")
    parser.add_argument("target", metavar="OUT", type=Path, nargs="?", help="not needed for a --dry-run")
    parser.add_argument("type", metavar="TYPE", help="a file type, such as Q4_K_M")
    parser.add_argument("--imatrix", metavar="FILE", help="an importance matrix")
    parser.add_argument("--pure", action="store_true", help="no mix: the same type for every tensor")
    parser.add_argument(
        "--tensor-type", metavar="RE=TYPE", action="append", default=[],
        help="the type of tensors in whose name the pattern is found; may be repeated, the first one found wins",
    )  # fmt: skip
    parser.add_argument("--output-tensor-type", metavar="TYPE", help="the type of output.weight")
    parser.add_argument("--token-embedding-type", metavar="TYPE", help="the type of the token embeddings")
    parser.add_argument("--leave-output-tensor", action="store_true", help="keep output.weight as it is")
    parser.add_argument(
        "--allow-requantize",
        action="store_true",
        help="take tensors that are quantized already: a double loss",
    )
    parser.add_argument("--threads", type=positive, metavar="N", help="default: one for each core")
    parser.add_argument(
        "--split-size", type=size, metavar="BYTES", default=SPLIT_BYTES,
        help="the most weights' bytes in one file before shards are written (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--measure", action="store_true", help="show each tensor's relative error")
    parser.add_argument("--dry-run", action="store_true", help="show types and sizes; write nothing")
    return parser


def _options(given: argparse.Namespace) -> Options:
    return Options(
        imatrix=given.imatrix,
        pure=given.pure,
        leave_output=given.leave_output_tensor,
        allow_requantize=given.allow_requantize,
        output_tensor_type=given.output_tensor_type,
        token_embedding_type=given.token_embedding_type,
        tensor_types=tuple(_tensor_type(text) for text in given.tensor_type),
        threads=given.threads,
        split_bytes=given.split_size,
        measure=given.measure,
    )


def _tensor_type(text: str) -> tuple[str, str]:
    """Split at the first "=", and lower the pattern, as llama-quantize does."""
    pattern, equals, name = text.partition("=")
    if not (pattern and equals and name):
        raise QuantizeError(f"--tensor-type {text!r}: must be PATTERN=TYPE, such as 'ffn_down=Q6_K'")
    return pattern.lower(), name


def _run(given: argparse.Namespace, options: Options) -> None:
    with Bar() as bar:
        outcome = quantize_file(given.source, given.target, given.type, options=options, progress=bar)
    if options.measure:
        for tensor in outcome.tensors:
            print(f"{tensor.name:40} {tensor.source_type:>8} -> {tensor.type:8} error {tensor.error:.6f}")
    for file in outcome.files:
        print(f"{file.sha256}  {file.path}  {file.size} bytes")


def _show_plan(given: argparse.Namespace, options: Options) -> None:
    target = given.target or given.source.with_name(f"{given.source.stem}-{given.type}.gguf")
    with open_model(given.source) as model:
        plan = make_plan(model, target, given.type, options)
    for tensor in plan.tensors:
        source = tensor.source
        note = f" (instead of {tensor.instead_of})" if tensor.instead_of else ""
        shape = " x ".join(map(str, source.shape))
        print(f"{source.name:40} {shape:>20} {source.type:>8} -> {tensor.type:8} {tensor.size:>14}{note}")
    _show_total(plan)


def _show_total(plan: Plan) -> None:
    weights = sum(tensor.source.columns * tensor.source.rows for tensor in plan.tensors)
    data = sum(tensor.size for tensor in plan.tensors)
    for shard in plan.shards:
        print(f"{shard.path}: {shard.size} bytes")
    print(f"{plan.file.name}: {plan.size} bytes, {8 * data / max(weights, 1):.2f} bits per weight")
    if plan.lacking is not None:
        print(f"Quantizing needs an importance matrix with an entry for {plan.lacking}.")


if __name__ == "__main__":
    sys.exit(main())
