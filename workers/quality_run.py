"""Run a model on a text and say how well it foretells it: ``python -m workers.quality_run MODEL TEXT [--base MODEL]``.

A program of its own, because a model may take all memory or end the process. It prints one JSON object a line: how far
it is, and at the end perplexity and, with a base, the mean Kullback-Leibler divergence from it.

As llama-perplexity does it: windows of 512 tokens, in each the second half is counted.
"""

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.llama import Llama, LlamaError

Floats = NDArray[np.float32]
ROWS = 32
SPARE_MEMORY = 8 * 2**30


@dataclass(slots=True)
class Sums:
    """Over all tokens counted: negative log-probabilities, and divergences from the base."""

    tokens: int = 0
    surprise: float = 0.0
    base_surprise: float = 0.0
    divergence: float = 0.0
    windows: int = 0

    def told(self, *, has_base: bool) -> dict[str, float | int]:
        told: dict[str, float | int] = {
            "perplexity": round(math.exp(self.surprise / self.tokens), 4), "tokens": self.tokens,
            "windows": self.windows,
        }  # fmt: skip
        if has_base:
            told["basePerplexity"] = round(math.exp(self.base_surprise / self.tokens), 4)
            told["divergence"] = round(self.divergence / self.tokens, 6)
        return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program."""
    given = _parser().parse_args(arguments)
    models = [given.model, *([given.base] if given.base else [])]
    try:
        _limit_memory(models)
        with ExitStack() as stack:
            opened = [stack.enter_context(Llama(path, given.threads)) for path in models]
            sums = _measure(opened, given.text.read_text(), given.windows, given.seconds)
    except (LlamaError, MemoryError) as error:
        print(json.dumps({"problem": str(error) or "it took too much memory"}), flush=True)
        return 1
    print(json.dumps(sums.told(has_base=given.base is not None)), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.quality_run")
    parser.add_argument("model", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--base", type=Path, help="the model to compare with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, default=10**6, help="at most so many")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no window after this time")
    return parser


def _limit_memory(models: Sequence[Path]) -> None:
    """Room for each model twice, because some types are rearranged when they are loaded, and for what is computed."""
    folder_sizes = sum(file.stat().st_size for path in models for file in _shards(path))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = 2 * folder_sizes + SPARE_MEMORY
    resource.setrlimit(
        resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
    )


def _shards(path: Path) -> list[Path]:
    """A model's files: its own, or all that are named like the first of several."""
    stem, first, rest = path.name.partition("-00001-of-")
    return sorted(path.parent.glob(f"{stem}-?????-of-{rest}")) if first else [path]


def _measure(models: Sequence[Llama], text: str, most: int, seconds: float) -> Sums:
    model, began, sums = models[0], time.monotonic(), Sums()
    tokens = model.tokenize(text)
    count = min(len(tokens) // model.window, most)
    if not count:
        raise LlamaError(f"the text has {len(tokens)} tokens; {model.window} are needed")
    for number in range(count):
        if number and time.monotonic() - began > seconds:
            break
        window = tokens[number * model.window : (number + 1) * model.window]
        beginning = model.beginning
        asked = window if beginning is None else [beginning, *window[1:]]
        _add(sums, [one.logits(asked) for one in models], window)
        sums.windows += 1
        print(json.dumps({"done": number + 1, "of": count}), flush=True)
    return sums


def _add(sums: Sums, logits: Sequence[Floats], window: Sequence[int]) -> None:
    first = len(window) // 2
    for start in range(first, len(window) - 1, ROWS):
        end = min(start + ROWS, len(window) - 1)
        own, following = _log_shares(logits[0][start:end]), window[start + 1 : end + 1]
        sums.surprise -= float(own[np.arange(end - start), following].sum())
        sums.tokens += end - start
        if len(logits) > 1:
            base = _log_shares(logits[1][start:end])
            sums.base_surprise -= float(base[np.arange(end - start), following].sum())
            sums.divergence += float((np.exp(base) * (base - own)).sum())


def _log_shares(rows: Floats) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    wide -= wide.max(axis=1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=1, keepdims=True))
    if not np.isfinite(wide).all():
        raise LlamaError("the model answers with no numbers")
    return wide


if __name__ == "__main__":
    sys.exit(main())
