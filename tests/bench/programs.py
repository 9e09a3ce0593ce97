"""What a program took: its own words, its time, and the processor time of it and of the servers it talked to."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

import psutil

from tests.live import BASE_DIR


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall time, and processor seconds of the client and of the servers."""

    wall: float
    client: float
    servers: float
    printed: str = ""


def run_counted(argv: Sequence[str], env: Mapping[str, str], *, base: Mapping[str, str], server: int) -> Cost:
    """Run a program to its end and count what it and the tree of processes under `server` use meanwhile.

    Raises SystemExit with its output when it fails.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        before, started = tree_seconds(server), time.perf_counter()
        child = subprocess.Popen(
            argv, cwd=BASE_DIR, env={**base, **env}, stdout=output, stderr=errors, text=True
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        printed, complaints = (_text(file) for file in (output, errors))
    if child.returncode:
        raise SystemExit(f"{' '.join(argv[:4])} failed:\n{printed[-2000:]}{complaints[-4000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, tree_seconds(server) - before, printed)


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def tree_seconds(pid: int) -> float:
    """Return the processor seconds that a process and all that live under it have used."""
    root = psutil.Process(pid)
    return sum(_seconds(process) for process in (root, *root.children(recursive=True)))


def seconds_by_name(pid: int) -> dict[str, float]:
    """Return the processor seconds of the servers under a process, summed by what they are."""
    sums: dict[str, float] = {}
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        name = name_of(process)
        sums[name] = sums.get(name, 0.0) + _seconds(process)
    return sums


def name_of(process: psutil.Process) -> str:
    """Return which server of the hub a process belongs to: web, bytes, worker, postgres, s3 or other."""
    try:
        words = " ".join(process.cmdline())
        if "gunicorn" in words:
            return process.environ().get("HUB_PROCESS", "web")
    except psutil.Error:
        return "other"
    marks = {"celery": "worker", "postgres": "postgres", "weed": "s3", "valkey": "valkey"}
    return next((name for mark, name in marks.items() if mark in words), "other")


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
