"""Make the files of a record again, and prove that they have the same bytes.

    python -m workers.convert --reproduce provenance.json [--source DIR] [--only NAME]

The inputs are taken from a folder, or from the hub that the record names, by huggingface_hub and with HF_TOKEN where
that is set.  Each input's hash is checked first.  The outcome is not kept.
"""

import argparse
import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from workers.converting.errors import ConvertError
from workers.converting.run import convert_checkpoint
from workers.formats.troubles import why
from workers.kernel.build import library
from workers.provenance import CONVERTED, QUANTIZED
from workers.quantizing.errors import QuantizeError
from workers.quantizing.pipeline import quantize_file
from workers.quantizing.plan import Options

MAX_RECORD = 64 * 2**20
CHUNK = 4 * 2**20
MODEL_ENDING = ".gguf"


class ReproduceError(Exception):
    """A record, or what it names, cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a statement says: inputs and outputs by name with their sha256, and how the one becomes the other."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    wish: Mapping[str, Any]
    how: Mapping[str, Any]
    kernel: str


def main(arguments: Sequence[str]) -> int:
    """Run as a program: 0 where every file came out the same, 1 where one did not or could not be made."""
    given = _parser().parse_args(arguments)
    try:
        recipes = [recipe for recipe in read_recipes(given.reproduce) if _is_wanted(recipe, given.only)]
        if not recipes:
            raise ReproduceError(f"{given.reproduce}: tells of no such file")
        same = [_reproduced(recipe, given.source, given.scratch) for recipe in recipes]
    except (ReproduceError, QuantizeError, ConvertError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0 if all(same) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers.convert --reproduce")
    parser.add_argument("--reproduce", metavar="RECORD", type=Path, required=True, help="provenance.json")
    parser.add_argument(
        "--source", metavar="DIR", type=Path, help="the inputs; default: the hub in the record"
    )
    parser.add_argument("--only", metavar="NAME", help="make this file again, and no other")
    parser.add_argument(
        "--scratch", metavar="DIR", type=Path, help="where to work (default: the system's place)"
    )
    return parser


def _is_wanted(recipe: Recipe, only: str | None) -> bool:
    return only is None or only in recipe.outputs


def read_recipes(path: Path) -> list[Recipe]:
    """Return what a record tells, one statement or several; raises ReproduceError."""
    try:
        if path.stat().st_size > MAX_RECORD:
            raise ReproduceError(f"{path}: has more than {MAX_RECORD} bytes; no record is that long")
        told = json.loads(path.read_text())
        return [_recipe(one) for one in (told if isinstance(told, list) else [told])]
    except OSError as error:
        raise ReproduceError(why(path, error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReproduceError(f"{path}: is no record of files made here: {error!r}") from error


def _recipe(one: Mapping[str, Any]) -> Recipe:
    build = one["predicate"]["buildDefinition"]
    if build["buildType"] not in (QUANTIZED, CONVERTED):
        raise ReproduceError(f"{str(build['buildType'])[:100]!r} is no way in which files are made here")
    inputs = {_safe(item["name"]): item["digest"]["sha256"] for item in build["resolvedDependencies"]}
    outputs = {_safe(item["name"]): item["digest"]["sha256"] for item in one["subject"]}
    how = dict(build["internalParameters"])
    for name in ("folder", "target"):
        if "/" in _safe(how.get(name) or "x"):
            raise ReproduceError(f"{name}: {how[name]!r} is no name of a file")
    versions = one["predicate"]["runDetails"]["builder"]["version"]
    return Recipe(inputs, outputs, dict(build["externalParameters"]), how, str(versions.get("kernel")))


def _safe(name: str) -> str:
    """The name, if it stays below a folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise ReproduceError(f"{name[:200]!r} is no path of a file in a repository")
    return name


def _reproduced(recipe: Recipe, source: Path | None, scratch: Path | None) -> bool:
    if recipe.kernel != library().parent.name:
        print(f"note: made by kernel {recipe.kernel}, made again by {library().parent.name}")
    with tempfile.TemporaryDirectory(prefix="reproduce-", dir=scratch) as name:
        made = _make(recipe, source, Path(name))
    same = True
    for path, wanted in recipe.outputs.items():
        found = made.get(path)
        if found == wanted:
            print(f"same: {path} {wanted}")
        else:
            print(f"differs: {path} is {found or 'not made'}; the record says {wanted}")
            same = False
    return same and made.keys() == recipe.outputs.keys()


def _make(recipe: Recipe, source: Path | None, scratch: Path) -> dict[str, str]:
    """Make the files in a folder, and return their sha256 by name."""
    inputs, outputs = scratch / "in" / str(recipe.how.get("folder") or "model"), scratch / "out"
    outputs.mkdir()
    for path, sha256 in recipe.inputs.items():
        _bring(recipe, path, sha256, source, inputs / path)
    imatrix = recipe.wish.get("imatrix")
    base = inputs / _safe(str(recipe.wish["source"]))
    if recipe.how.get("folder"):
        base = scratch / f"model{MODEL_ENDING}"
        base = convert_checkpoint(inputs, base, str(recipe.how["base"])).files[0].path
    options = Options(
        imatrix=str(inputs / _safe(imatrix)) if imatrix else None, imatrix_label=imatrix,
        metadata=dict(recipe.wish.get("metadata") or {}), split_bytes=int(recipe.how["splitBytes"]),
    )  # fmt: skip
    outcome = quantize_file(
        base, outputs / str(recipe.how["target"]), str(recipe.wish["type"]), options=options
    )
    return {file.path.name: file.sha256 for file in outcome.files}


def _bring(recipe: Recipe, path: str, sha256: str, source: Path | None, target: Path) -> None:
    """Put an input where it is read, under the name that it had, and check its hash."""
    target.parent.mkdir(parents=True, exist_ok=True)
    found = source / path if source is not None else _downloaded(recipe, path, target.parent)
    if not found.is_file():
        raise ReproduceError(f"{found}: is missing; the record names it as an input")
    digest = hashlib.sha256()
    with found.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    if digest.hexdigest() != sha256:
        raise ReproduceError(f"{found}: has the sha256 {digest.hexdigest()}; the record names {sha256}")
    if source is None:
        found.replace(target)
    elif _may_link(found, target):
        target.symlink_to(found.resolve())
    else:
        shutil.copyfile(found, target)


def _may_link(found: Path, target: Path) -> bool:
    """Large files are read where they are; small ones are copied, for readers that follow no links."""
    return found.suffix in (".gguf", ".safetensors") and target.parent.is_dir()


def _downloaded(recipe: Recipe, path: str, beside: Path) -> Path:
    """Fetch an input from the hub that the record names."""
    address = urlsplit(str(recipe.wish["repository"]))
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ReproduceError(
            "huggingface_hub is not installed; install it, or give the inputs with --source"
        ) from error
    try:
        return Path(
            hub.hf_hub_download(
                address.path.strip("/"), path, revision=str(recipe.wish["commit"]),
                endpoint=f"{address.scheme}://{address.netloc}", token=os.environ.get("HF_TOKEN") or False,
                local_dir=beside / ".downloads",
            )
        )  # fmt: skip
    except Exception as error:  # the package raises many kinds
        raise ReproduceError(f"{path}: was not downloaded: {error}") from error
