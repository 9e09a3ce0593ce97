"""PURE: what was made from what, by what and how, as an in-toto statement with an SLSA predicate.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from workers import kernel
from workers.formats.added_metadata import Value
from workers.kernel.build import library
from workers.quantizing.outputs import WrittenFile
from workers.quantizing.plan import SPLIT_BYTES
from workers.version import VERSION

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
# A GGUF file was quantized; or a checkpoint was converted first.
QUANTIZED, CONVERTED = "urn:weighhouse:quantize:v1", "urn:weighhouse:convert:v1"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class Source:
    """What files are made from: a repo's address, a commit, the model's path, and (path, sha256, size) of all inputs.

    For a checkpoint `base` is the type of the GGUF file between, and `folder` the name it was converted under.
    """

    address: str
    commit: str
    path: str
    files: tuple[tuple[str, str, int], ...]
    weights: int
    folder: str = ""
    base: str = ""
    imatrix: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """The files of one type, how they were asked for, and how good they are."""

    type: str
    target: str
    files: Sequence[WrittenFile]
    metadata: Mapping[str, Value]
    error: float | None = None
    errors: Mapping[str, float] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)


def statement(
    made: Made, source: Source, *, builder: str, run: str, begun: datetime, ended: datetime
) -> dict[str, Any]:
    """Return what is to be known of the files of one type."""
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": file.path.name, "digest": {"sha256": file.sha256}, "annotations": {"size": file.size}}
            for file in made.files
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": CONVERTED if source.folder else QUANTIZED,
                "externalParameters": _wish(made, source),
                "internalParameters": {
                    "splitBytes": SPLIT_BYTES, "weights": source.weights, "target": made.target,
                    **({"folder": source.folder, "base": source.base} if source.folder else {}),
                },
                "resolvedDependencies": [_dependency(source, *file) for file in source.files],
            },
            "runDetails": {
                "builder": {"id": builder, "version": _versions()},
                "metadata": {"invocationId": run, "startedOn": _moment(begun), "finishedOn": _moment(ended)},
                "byproducts": [{"name": "quality", "annotations": quality(made)}],
            },
        },
    }  # fmt: skip


def _wish(made: Made, source: Source) -> dict[str, Any]:
    return {
        "type": made.type, "repository": source.address, "commit": source.commit, "source": source.path,
        **({"imatrix": source.imatrix} if source.imatrix else {}), "metadata": dict(made.metadata),
    }  # fmt: skip


def _dependency(source: Source, path: str, sha256: str, size: int) -> dict[str, Any]:
    return {
        "uri": f"{source.address}/resolve/{source.commit}/{quote(path)}", "name": path,
        "digest": {"sha256": sha256}, "annotations": {"size": size},
    }  # fmt: skip


def quality(made: Made) -> dict[str, Any]:
    """Relative errors: root mean square of the differences by that of the weights, for all together and by tensor."""
    told: dict[str, Any] = {}
    if made.error is not None:
        told["relativeError"] = round(made.error, DIGITS)
        told["tensors"] = {name: round(error, DIGITS) for name, error in made.errors.items()}
    if made.evaluation:
        told["evaluation"] = dict(made.evaluation)
    return told


def quality_in(one: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement says of the quality of its files, without the list of tensors."""
    products = one["predicate"]["runDetails"].get("byproducts") or []
    told: Mapping[str, Any] = next(
        (one["annotations"] for one in products if one.get("name") == "quality"), {}
    )
    return {key: value for key, value in told.items() if key != "tensors"}


def _versions() -> dict[str, str]:
    """The converter, the kernel by the hash of its sources and flags, the code path that was taken, and the machine."""
    return {
        "converter": VERSION, "kernel": library().parent.name, "path": kernel.paths()[-1],
        "machine": platform.machine(),
    }  # fmt: skip


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
