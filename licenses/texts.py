"""Canonical licence texts, taken at set-up from a well-kept data package; none of them lies in this repository.

The package is ScanCode LicenseDB's (its data is CC-BY-4.0) inside a wheel of a quarter of a gigabyte unpacked, so the
wheel is fetched once through pip, checked against its known hash, and only the texts that the catalogue names are kept:
1.5 MB in a folder of the hub.  Where no package index can be reached, the wheel may be brought as a file.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from licenses.shipped import shipped_readings

PACKAGE, VERSION = "scancode-toolkit-mini", "32.5.0"
# The wheel for Python 3.11; its data files are the same in all of them, and only they are read.
SHA256 = "7ae5e7b46b8cdbab78afb50380ffc1239d296e81e154314a8c3382e678c664cf"
SOURCE = f"{PACKAGE} {VERSION}, ScanCode LicenseDB, CC-BY-4.0"
# Of all wanted texts together, so that a wheel brought by hand, for any Python, gives the same ones.
TEXTS_SHA256 = "cf06e98ccbfd89742f8b6801f78a384fb3d0fd379c24e940def4156670fb6310"
FETCH_SECONDS = 900
MAX_TEXT_BYTES = 1024 * 1024
_INSIDE = "licensedcode/data/licenses/{key}.LICENSE"
_FRONT = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_PIP = (
    "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation", "cp",
    "--python-version", "3.11",
)  # fmt: skip


class NoTexts(RuntimeError):
    """The texts could not be had; the message says why and what to do."""


def wanted_keys() -> tuple[str, ...]:
    """Return the keys of all texts that the shipped readings name."""
    return tuple(sorted({document.key for one in shipped_readings().values() for document in one.documents}))


def kept_texts(folder: Path) -> Mapping[str, str]:
    """Return the texts that were fetched into a folder before, by key; none where there are none."""
    found = {key: folder / f"{key}.txt" for key in wanted_keys()}
    return {key: path.read_text(encoding="utf-8") for key, path in found.items() if path.is_file()}


def fetch_texts(folder: Path, *, wheel: Path | None = None) -> Mapping[str, str]:
    """Bring every wanted text into a folder, from a wheel at hand or through pip; raises NoTexts."""
    if _digest(kept_texts(folder)) != TEXTS_SHA256:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="license-texts-", dir=folder) as place:
            source = wheel or _download(Path(place))
            found = _extracted(source, wanted_keys())
        if _digest(found) != TEXTS_SHA256:
            raise NoTexts(f"The texts in {source.name} are not those of {PACKAGE} {VERSION}.")
        for key, text in found.items():
            (folder / f"{key}.txt").write_text(text, encoding="utf-8")
        (folder / "SOURCE").write_text(f"{SOURCE}\n", encoding="utf-8")
    return kept_texts(folder)


def _digest(texts: Mapping[str, str]) -> str:
    lines = (f"{key} {hashlib.sha256(text.encode()).hexdigest()}\n" for key, text in sorted(texts.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _download(place: Path) -> Path:
    wanted = place / "wanted.txt"
    wanted.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", *_PIP, "-r", str(wanted), "-d", str(place)]
    try:
        done = subprocess.run(pip, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoTexts(f"The package of licence texts could not be fetched: {error}.") from error
    wheels = list(place.glob("*.whl"))
    if done.returncode or not wheels:
        why = done.stderr.strip().rpartition("\n")[2] or "pip fetched nothing"
        raise NoTexts(
            f"{PACKAGE} {VERSION} could not be fetched ({why}); bring its wheel and name it with --wheel."
        )
    return wheels[0]


def _extracted(wheel: Path, keys: Iterable[str]) -> Mapping[str, str]:
    found = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for key in keys:
                member = archive.getinfo(_INSIDE.format(key=key))
                if member.file_size > MAX_TEXT_BYTES:
                    raise NoTexts(f"The text {key} in {wheel.name} is longer than any licence.")
                text = archive.read(member).decode("utf-8")
                found[key] = _FRONT.sub("", text, count=1).strip() + "\n"
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise NoTexts(f"{wheel} is not the wheel of {PACKAGE} {VERSION}: {error}.") from error
    return found
