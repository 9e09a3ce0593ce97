"""Builds the kernel's library: ``python workers/kernel/build.py``; needs nothing but Python and a C compiler.

The library lies in the Python environment, in a folder named after what it is made from, so a change of a source file
asks for a new one and no old one is taken by mistake.  The compiler is ``$CC``, else cc, gcc or clang, else the one in
the ziglang package where that is installed; every one of them has to give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).resolve().parent / "c"
NAME = "libkernel.so"
NO_COMPILER = 3
# No contraction into fused multiply-adds: they round once where the reference rounds twice.
FLAGS = (
    "-std=gnu11", "-O3", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
    "-Wall", "-Wextra", "-Wno-psabi",
)  # fmt: skip


class Unit(NamedTuple):
    """One call of the compiler."""

    source: str
    name: str
    flags: tuple[str, ...]


DOORS = Unit("kernel.c", "doors", ("-fvisibility=default",))
PORTABLE = Unit("path.c", "portable", ("-DLANES=4", "-DPATH=portable"))
AVX2 = Unit("path.c", "avx2", ("-DLANES=8", "-DPATH=avx2", "-mavx2", "-mf16c"))
AVX512 = Unit(
    "path.c",
    "avx512",
    (
        "-DLANES=16",
        "-DPATH=avx512",
        "-mavx2",
        "-mf16c",
        "-mavx512f",
        "-mavx512bw",
        "-mavx512dq",
        "-mavx512vl",
    ),
)


class BuildError(RuntimeError):
    """The library cannot be built; the message says why."""


class NoCompilerError(BuildError):
    """There is no C compiler, not even one in a package."""


def units() -> tuple[Unit, ...]:
    """Return what is compiled on this kind of machine."""
    if platform.machine().lower() in {"x86_64", "amd64"}:
        return (DOORS, PORTABLE, AVX2, AVX512)
    return (DOORS, PORTABLE)


def library() -> Path:
    """Return where the library of these sources lies, or will lie once it is built."""
    digest = hashlib.sha256(repr((FLAGS, units(), platform.machine(), platform.system())).encode())
    for path in sorted(SOURCES.iterdir()):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return Path(sys.prefix) / "kernel" / digest.hexdigest()[:20] / NAME


def compiler() -> list[str]:
    """Return the words that start the compiler; raises NoCompilerError."""
    if chosen := os.environ.get("CC"):
        return shlex.split(chosen)
    if found := next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None):
        return [found]
    if importlib.util.find_spec("ziglang") is None:
        raise NoCompilerError("there is no C compiler: install gcc or clang, or the Python package ziglang")
    # Without a target it would build for exactly this processor; with one, for any of its kind.
    system = "macos" if platform.system() == "Darwin" else "linux-" + _libc()
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
    return [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        f"{machine}-{system}",
        "-fno-sanitize=undefined",
    ]


def _libc() -> str:
    return "gnu" if platform.libc_ver()[0] == "glibc" else "musl"


def build(target: Path, extra: tuple[str, ...] = ()) -> Path:
    """Compile the library to `target` with extra flags; raises BuildError with the compiler's words."""
    words = compiler()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as place, ThreadPoolExecutor() as pool:
        folder = Path(place)
        objects = [folder / f"{unit.name}.o" for unit in units()]
        commands = [
            [*words, *FLAGS, *unit.flags, *extra, "-c", str(SOURCES / unit.source), "-o", str(to)]
            for unit, to in zip(units(), objects, strict=True)
        ]
        list(pool.map(lambda command: _run(command, folder), commands))
        made = folder / NAME
        _run([*words, "-shared", *extra, "-o", str(made), *map(str, objects)], folder)
        made.replace(target)
    return target


def _run(command: list[str], folder: Path) -> None:
    """Run the compiler; zig's caches go to the folder too, which does not outlive the build."""
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(folder / "zig"))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **caches}
        )
    except OSError as error:
        raise BuildError(f"{command[0]} does not start: {error}") from error
    if done.returncode:
        raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr}")


def main() -> int:
    """Build the library where it is missing; 3 says that there is no compiler."""
    target = library()
    if target.is_file():
        return 0
    started = time.monotonic()
    try:
        build(target)
    except BuildError as error:
        sys.stderr.write(f"weighhouse: {error}\n")
        return NO_COMPILER if isinstance(error, NoCompilerError) else 1
    sys.stdout.write(f"weighhouse: kernel built in {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
