"""Makes the environment in ``.venv`` from the lock file, and in it the kernel; needs nothing but a Python to run this.

``python3 hub/stack/bootstrap.py [--dev]``.  When the lock has not changed since last time it returns at once.
Where Python comes without ensurepip (as on Debian without its venv package), pip itself is fetched, by its
sha256, from the Python index that pip is configured for.
"""

from __future__ import annotations

import configparser
import hashlib
import html
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import venv
from pathlib import Path

OLDEST_PYTHON = (3, 11)
PIP_WHEEL = "pip-26.0-py3-none-any.whl"
PIP_SHA256 = "98436feffb9e31bc9339cf369fd55d3331b1580b6a6f1173bacacddcf9c34754"
# What pip itself uses when nothing is configured; it cannot be asked where it does not exist.
DEFAULT_INDEX = "https://pypi.org/simple"
STAMP = "weighhouse-lock"
RUN_LOCK, DEV_LOCK = "requirements.lock", "requirements-dev.lock"
# What brings a C compiler where there is none, and how the script that builds the kernel asks for one.
COMPILER_LOCK, NO_COMPILER = "requirements-compiler.lock", 3
KERNEL_SCRIPT = "workers/kernel/build.py"
# Neither builds what has no wheel, nor takes what the lock does not name.
EXACTLY = ("--require-hashes", "--no-deps", "--only-binary=:all:")
# Settings of pip, and what uv calls them.
UV_OPTIONS = {
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "trusted-host": "--allow-insecure-host",
    "cert": "--cert",
}


class BootstrapError(RuntimeError):
    """The environment cannot be made; the message says why and what to do."""


def ensure(base_dir: Path, *, dev: bool = False) -> str:
    """Make or refresh ``base_dir/.venv`` and return the path of its Python; raises BootstrapError."""
    folder = base_dir / ".venv"
    python = folder / "bin" / "python"
    lock = base_dir / (DEV_LOCK if dev else RUN_LOCK)
    wanted = {
        name: _sha256((base_dir / name).read_bytes())
        for name in ([RUN_LOCK, DEV_LOCK] if dev else [RUN_LOCK])
    }
    done = _read_stamp(folder / STAMP)
    if all(done.get(name) == digest for name, digest in wanted.items()) and python.exists():
        return str(python)
    started = time.monotonic()
    if not _works(python):
        _make(folder)
    (folder / STAMP).unlink(missing_ok=True)
    _install(python, lock)
    (folder / STAMP).write_text(
        "".join(f"{name} {digest}\n" for name, digest in wanted.items()), encoding="ascii"
    )
    _say(f"environment made in {time.monotonic() - started:.0f} s")
    return str(python)


def ensure_kernel(base_dir: Path, python: str) -> None:
    """Build the kernel's library where its sources have changed; raises BootstrapError."""
    command = [python, str(base_dir / KERNEL_SCRIPT)]
    done = subprocess.run(command, check=False)
    if done.returncode == NO_COMPILER:
        _install(Path(python), base_dir / COMPILER_LOCK)
        done = subprocess.run(command, check=False)
    if done.returncode:
        raise BootstrapError("the kernel could not be built; see above.")


def _install(python: Path, lock: Path) -> None:
    _say(f"installing what {lock.name} lists")
    if not _install_with_uv(python, lock):
        _pip(python, "install", *EXACTLY, "-r", str(lock))


def _install_with_uv(python: Path, lock: Path) -> bool:
    """Say whether uv has installed what a lock lists; it does so in a fifth of pip's time.

    It is used where the lock itself names it.  Where it fails, as with settings of pip that it does not know, pip is
    left to try, and to say what is wrong.
    """
    pinned = re.search(r"^uv==(?:.*\\\n)*.*\n", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if pinned is None:
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write(pinned.group())
        alone.flush()
        _pip(python, "install", "--quiet", *EXACTLY, "-r", alone.name)
    settings = pip_settings(python)
    proxy = {name: settings["proxy"] for name in ("HTTP_PROXY", "HTTPS_PROXY") if "proxy" in settings}
    command = [str(python.with_name("uv")), "pip", "install", "--quiet", "--python", str(python), *EXACTLY]
    command += ["--no-config", "--compile-bytecode", *uv_words(settings), "-r", str(lock)]
    done = subprocess.run(command, env={**os.environ, **proxy}, check=False).returncode == 0
    if not done:
        _say("uv could not install the packages; pip is asked to")
    return done


def pip_settings(python: Path) -> dict[str, str]:
    """Return pip's settings as pip itself reads them: its files, above them its environment."""
    command = [str(python), "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)='(.*)'$", listed, re.MULTILINE):
            found[name] = value.replace("\\n", " ")
    return found


def uv_words(settings: dict[str, str]) -> list[str]:
    """Return pip's settings in the words of uv.

    All indexes are asked for the best version, as pip does: the hashes in the lock say which files will do.
    """
    words = ["--index-strategy", "unsafe-best-match"] + ([] if "cert" in settings else ["--system-certs"])
    for name, option in UV_OPTIONS.items():
        words += [word for value in settings.get(name, "").split() for word in (option, value)]
    return [*words, "--no-index"] if settings.get("no-index", "") in ("1", "true", "yes", "on") else words


def _say(line: str) -> None:
    sys.stdout.write(f"weighhouse: {line}\n")
    sys.stdout.flush()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read_stamp(stamp: Path) -> dict[str, str]:
    if not stamp.is_file():
        return {}
    pairs = (line.partition(" ") for line in stamp.read_text(encoding="ascii").splitlines())
    return {name: digest for name, _, digest in pairs}


def _works(python: Path) -> bool:
    """Say whether this environment has a pip that runs; an interrupted or moved one does not."""
    if not python.exists():
        return False
    asked = [str(python), "-m", "pip", "--version"]
    return (
        subprocess.run(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        == 0
    )


def _make(folder: Path) -> None:
    """Make the environment anew, with pip in it."""
    version = ".".join(map(str, sys.version_info[:3]))
    _say(f"making the environment {folder} with Python {version}")
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian leaves it out of its smallest Python.
    except ImportError:
        venv.create(folder, clear=True, symlinks=True, with_pip=False)
        _install_pip(folder / "bin" / "python")
        return
    venv.create(folder, clear=True, symlinks=True, with_pip=True)


def _install_pip(python: Path) -> None:
    """Fetch the pinned pip, check it, and let it install itself; a wheel can be run from its archive."""
    with tempfile.TemporaryDirectory(prefix="weighhouse-") as place:
        wheel = Path(place) / PIP_WHEEL
        wheel.write_bytes(fetch_pip())
        command = [
            str(python),
            str(wheel / "pip"),
            "install",
            "--no-index",
            "--no-deps",
            "--quiet",
            str(wheel),
        ]
        if subprocess.run(command, check=False).returncode != 0:
            raise BootstrapError("pip could not be installed; see above.")


def fetch_pip() -> bytes:
    """Return the pinned pip wheel from the configured index; raises BootstrapError when that fails."""
    index = configured("index-url") or DEFAULT_INDEX
    page = index.rstrip("/") + "/pip/"
    _say(f"fetching {PIP_WHEEL}, because this Python comes without ensurepip")
    try:
        listing = _get(page).decode("utf-8", "replace")
        found = [
            html.unescape(link)
            for link in re.findall(r'href="([^"]+)"', listing)
            if PIP_WHEEL + "#" in link + "#"
        ]
        content = _get(urllib.parse.urljoin(page, found[0]).partition("#")[0]) if found else b""
    except OSError as error:
        raise BootstrapError(
            f"pip could not be fetched: {error}. Install Python's venv package, or set PIP_INDEX_URL."
        ) from error
    if _sha256(content) != PIP_SHA256:
        raise BootstrapError(
            f"{page} does not offer the {PIP_WHEEL} that is expected; install Python's venv package instead."
        )
    return content


def _get(address: str) -> bytes:
    certificate = configured("cert")
    context = ssl.create_default_context(cafile=certificate or None)
    request = urllib.request.Request(address, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        content: bytes = answer.read()
    return content


def configured(option: str) -> str:
    """Return one of pip's options as pip itself would find it: environment first, then its files."""
    from_environment = os.environ.get("PIP_" + option.upper().replace("-", "_"))
    if from_environment:
        return from_environment
    home = Path.home()
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path(os.environ.get("PIP_CONFIG_FILE") or os.devnull),
        config_home / "pip" / "pip.conf",
        home / ".pip" / "pip.conf",
        Path("/etc/pip.conf"),
    ]
    for file in files:
        parser = configparser.RawConfigParser()
        if parser.read(file) and parser.has_option("global", option):
            return parser.get("global", option).strip()
    return ""


def _pip(python: Path, *words: str) -> None:
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [str(python), "-m", "pip", *words]
    if subprocess.run(command, env={**os.environ, **quiet}, check=False).returncode != 0:
        raise BootstrapError(
            "the packages could not be installed; see above. `make up` goes on from there when tried again."
        )


def newer_python() -> str:
    """Return another Python on the PATH that is new enough, or nothing."""
    names = [f"python3.{minor}" for minor in range(20, OLDEST_PYTHON[1] - 1, -1)]
    return next((found for found in map(shutil.which, names) if found and _runs(found)), "")


def _runs(program: str) -> bool:
    """Say whether it is a Python that starts, not a shim of a version manager that points nowhere."""
    return subprocess.run([program, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0


def main() -> int:
    """Run from a Makefile: 0 when the environment is ready."""
    if sys.version_info < OLDEST_PYTHON:
        other = newer_python()
        if other:
            os.execv(other, [other, *sys.argv])
        _say("Python 3.11 or newer is needed; give one with `make up PYTHON=/path/to/python3`.")
        return 1
    try:
        base_dir = Path(__file__).resolve().parent.parent.parent
        ensure_kernel(base_dir, ensure(base_dir, dev="--dev" in sys.argv))
    except BootstrapError as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("stopped; the next `make up` goes on from here")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
