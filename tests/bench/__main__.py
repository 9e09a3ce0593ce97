"""``python -m tests.bench``: measure, print a table, and write ``$HUB_BENCH_OUT/bench.json`` where that is set."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    measure_downloads,
    measure_kernel,
    measure_licenses,
    measure_memory,
    measure_pages,
    measure_quantize,
    measure_requests,
    measure_uploads,
    measure_xet_concurrency,
    measure_xet_downloads,
    measure_xet_formats,
    measure_xet_uploads,
    report,
)
from tests.bench.report import Line
from tests.bench.weights import write_weights
from tests.bench.world import GB, World, make_world, require_space

DELIVERIES = ("redirect", "proxy")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, help="measure only this; may be repeated"
    )
    parser.add_argument("--gb", type=float, default=1.0, help="size of the downloaded and uploaded file")
    parser.add_argument(
        "--memory-gb", type=float, default=5.0, help="size of the file in the memory benchmark"
    )
    parser.add_argument(
        "--weights", type=float, default=1.1, help="weights of the quantized model, in billions"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each comparison is made")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long requests are counted each time")
    parser.add_argument(
        "--folder", type=Path, help="where the hub and the files lie; default: the temp folder"
    )
    return parser.parse_args()


def _file(world: World, gigabytes: float) -> Path:
    path = world.scratch / "weights.bin"
    if not path.exists():
        size = int(gigabytes * GB)
        require_space(world.root, 2 * size)
        write_weights(path, size, seed=1)
    return path


def _downloads(world: World, given: argparse.Namespace) -> list[Line]:
    path = _file(world, given.gb)
    return [measure_downloads.measure(world, path, delivery=way, rounds=given.rounds) for way in DELIVERIES]


def _uploads(world: World, given: argparse.Namespace) -> list[Line]:
    path = _file(world, given.gb)
    return [measure_uploads.measure(world, path, delivery=way, rounds=given.rounds) for way in DELIVERIES]


def _requests(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_requests.measure(world, seconds=given.seconds, rounds=given.rounds)


def _memory(world: World, given: argparse.Namespace) -> list[Line]:
    size = int(given.memory_gb * GB)
    return [line for way in DELIVERIES for line in measure_memory.measure(world, size=size, delivery=way)]


def _xet_download(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_downloads.measure_download(world, _file(world, given.gb), rounds=given.rounds)


def _xet_bridge(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_downloads.measure_bridge(world, _file(world, given.gb), rounds=given.rounds)


def _xet_upload(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_uploads.measure_upload(world, _file(world, given.gb), rounds=given.rounds)


def _xet_splice(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_uploads.measure_splice(world, _file(world, given.gb))


def _xet_concurrency(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_concurrency.measure(world)


def _xet_formats(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_xet_formats.measure(rounds=given.rounds)


def _licenses(_: World, given: argparse.Namespace) -> list[Line]:
    return measure_licenses.measure(rounds=given.rounds)


def _pages(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_pages.measure(world, rounds=given.rounds)


def _kernel(_: World, __: argparse.Namespace) -> list[Line]:
    return measure_kernel.measure()


def _quantize(world: World, given: argparse.Namespace) -> list[Line]:
    return measure_quantize.measure(world.scratch, weights=given.weights * 10**9, rounds=given.rounds)


BENCHMARKS: dict[str, Callable[[World, argparse.Namespace], list[Line]]] = {
    "requests": _requests,
    "download": _downloads,
    "upload": _uploads,
    "memory": _memory,
    "kernel": _kernel,
    "quantize": _quantize,
    "xet-download": _xet_download,
    "xet-bridge": _xet_bridge,
    "xet-upload": _xet_upload,
    "xet-splice": _xet_splice,
    "xet-concurrency": _xet_concurrency,
    "xet-formats": _xet_formats,
    "licenses": _licenses,
    "pages": _pages,
}


def main() -> None:
    """Run what was asked for, each in a world of its own, and report."""
    given = _arguments()
    facts = report.machine()
    lines: list[Line] = []
    for name in given.only or BENCHMARKS:
        print(f"measuring {name} ...", flush=True)
        with make_world(given.folder) as world:
            lines += BENCHMARKS[name](world, given)
    print(report.table(lines))
    print(f"Before the first measurement: {facts}")
    if folder := os.environ.get("HUB_BENCH_OUT"):
        print(f"written to {report.write_json(lines, Path(folder), facts)}")


if __name__ == "__main__":
    main()
