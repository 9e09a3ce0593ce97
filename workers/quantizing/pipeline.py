"""Reading, judging, converting, hashing and writing at the same time, in memory that does not grow with the model.

Threads read and convert slabs; the thread that called hashes and writes them in order. The kernel, the hash and the
system calls all let other threads run. What is on its way is bounded in bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from workers import kernel
from workers.flow import in_order
from workers.formats.layout import align_up
from workers.quantizing.errors import QuantizeError
from workers.quantizing.model import Model, open_model
from workers.quantizing.outputs import Outputs, WrittenFile
from workers.quantizing.plan import Options, Plan, Planned, make_plan
from workers.quantizing.slabs import Buffers, Made, Slab, cut, make
from workers.quantizing.types import bytes_of

# What may be on its way at once, in bytes of input and output.
IN_FLIGHT = 64 * 2**20


class Progress(NamedTuple):
    """How far a run is, in bytes of input."""

    done: int
    total: int
    tensor: str


class TensorOutcome(NamedTuple):
    """One tensor as it was written; `error` is relative (root mean square of the difference to that of the weights)."""

    name: str
    shape: tuple[int, ...]
    source_type: str
    type: str
    size: int
    instead_of: str | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The files, first shard first, and their tensors in writing order; `error` is that of all quantized weights."""

    files: tuple[WrittenFile, ...]
    tensors: tuple[TensorOutcome, ...]
    error: float | None = None


@dataclass(slots=True)
class Errors:
    """Sums over a tensor's slabs."""

    squares: float = 0.0
    errors: float = 0.0

    def add(self, made: Made) -> None:
        self.squares += made.squares
        self.errors += made.errors

    @property
    def relative(self) -> float:
        return sqrt(self.errors / self.squares) if self.squares else 0.0


Watcher = Callable[[Progress], None]


class Part(NamedTuple):
    """A slab, and the number of the file that it goes to."""

    shard: int
    slab: Slab


@dataclass(slots=True)
class Run:
    """One run: its threads, and what they are working on in the order in which it is to be written."""

    model: Model
    plan: Plan
    outputs: Outputs
    measure: bool
    watcher: Watcher | None
    total: int
    buffers: Buffers = field(default_factory=Buffers)
    done: int = 0
    errors: dict[str, Errors] = field(default_factory=dict)


def quantize_file(
    source: Path,
    target: Path,
    type: str,  # noqa: A002 - what everybody calls it
    *,
    options: Options | None = None,
    progress: Watcher | None = None,
) -> Outcome:
    """Quantize a GGUF model (one file, or the first of its shards) into target, as llama-quantize would.

    Above `options.split_bytes` target becomes shards named TARGET-00001-of-00002.gguf. Raises QuantizeError; then
    nothing is left behind. `progress` is called after every slab and may raise to stop the run.
    """
    options = options or Options()
    _require_kernel()
    with open_model(source) as model:
        plan = make_plan(model, target, type, options)
        _check_possible(model, plan, target)
        paths = [shard.path for shard in plan.shards]
        with Outputs(paths, plan.size) as outputs:
            total = sum(tensor.size for tensor in model.tensors)
            run = Run(model, plan, outputs, options.measure, progress, total)
            _write_all(run, options.threads)
            model.check_unchanged()
            files = outputs.finish()
    return Outcome(files, tuple(_told(tensor, run) for tensor in plan.tensors), _overall(run))


def _require_kernel() -> None:
    try:
        kernel.paths()
    except kernel.KernelMissingError as error:
        raise QuantizeError(str(error)) from error


def _check_possible(model: Model, plan: Plan, target: Path) -> None:
    if plan.lacking is not None:
        raise QuantizeError(
            f"tensor {plan.lacking!r}: {plan.file.name} needs an importance matrix with an entry for it; give one, "
            "or choose Q2_K"
        )
    if not target.parent.is_dir():
        raise QuantizeError(f"{target.parent}: is no folder to write to")
    inputs = [*model.paths, *([plan.importance.path] if plan.importance is not None else [])]
    for shard in plan.shards:
        for path in inputs:
            if shard.path.exists() and shard.path.samefile(path):
                raise QuantizeError(f"{shard.path}: is what is read; write to another name")


def _write_all(run: Run, threads: int | None) -> None:
    """Feed the threads and write what they make. On any trouble what has not begun is dropped."""
    for number, shard in enumerate(run.plan.shards):
        run.outputs.write(number, shard.header)
    made = in_order(
        _parts(run.plan), lambda part: make(part.slab, run.model, run.buffers, measure=run.measure),
        threads=threads, cost=_cost, most=IN_FLIGHT, name="quantize",
    )  # fmt: skip
    with closing(made):
        for part, slab in made:
            _write_one(run, part, slab)


def _parts(plan: Plan) -> Iterator[Part]:
    for number, shard in enumerate(plan.shards):
        for tensor in shard.tensors:
            for slab in cut(tensor, plan.importance):
                yield Part(number, slab)


def _cost(part: Part) -> int:
    tensor, columns = part.slab.tensor, part.slab.tensor.source.columns
    return part.slab.rows * (bytes_of(tensor.source.type, columns) + bytes_of(tensor.type, columns))


def _write_one(run: Run, part: Part, made: Made) -> None:
    slab, tensor, source = part.slab, part.slab.tensor, part.slab.tensor.source
    run.outputs.write(part.shard, made.data)
    if run.measure and tensor.changes:
        run.errors.setdefault(source.name, Errors()).add(made)
    if slab.first + slab.rows == source.rows:
        run.outputs.write(part.shard, bytes(align_up(tensor.size, run.plan.alignment) - tensor.size))
    run.done += slab.rows * bytes_of(source.type, source.columns)
    if run.watcher is not None:
        run.watcher(Progress(run.done, run.total, source.name))


def _overall(run: Run) -> float | None:
    """The relative error of all that was quantized, taken together."""
    if not run.measure:
        return None
    found = run.errors.values()
    return Errors(sum(one.squares for one in found), sum(one.errors for one in found)).relative


def _told(tensor: Planned, run: Run) -> TensorOutcome:
    source = tensor.source
    error = None
    if run.measure:
        error = run.errors[source.name].relative if source.name in run.errors else 0.0
    return TensorOutcome(
        source.name, source.shape, source.type, tensor.type, tensor.size, tensor.instead_of, error
    )
