"""PURE: what was made from what, by what and how, as an in-toto statement with an SLSA predicate.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
"""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from workers import kernel
from workers.kernel.build import library
from workers.quantizing.outputs import WrittenFile
from workers.quantizing.plan import SPLIT_BYTES

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:weighhouse:quantize:v1"


@dataclass(frozen=True, slots=True)
class Source:
    """What the files are made from: a repo's address, a commit, and (path, sha256, size) of each shard."""

    address: str
    commit: str
    files: tuple[tuple[str, str, int], ...]
    weights: int


def statement(
    files: Sequence[WrittenFile], *, type_: str, source: Source, builder: str, run: str, begun: datetime,
    ended: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return what is to be known of the files of one type."""
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": file.path.name, "digest": {"sha256": file.sha256}, "annotations": {"size": file.size}}
            for file in files
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "type": type_, "repository": source.address, "commit": source.commit, "source": source.files[0][0],
                },
                "internalParameters": {"splitBytes": SPLIT_BYTES, "weights": source.weights},
                "resolvedDependencies": [
                    {
                        "uri": f"{source.address}/resolve/{source.commit}/{quote(path)}", "name": path,
                        "digest": {"sha256": sha256}, "annotations": {"size": size},
                    }
                    for path, sha256, size in source.files
                ],
            },
            "runDetails": {
                "builder": {"id": builder, "version": _versions()},
                "metadata": {"invocationId": run, "startedOn": _moment(begun), "finishedOn": _moment(ended)},
            },
        },
    }  # fmt: skip


def _versions() -> dict[str, str]:
    """The kernel by the hash of its sources and flags, the code path that was taken, and the machine."""
    return {"kernel": library().parent.name, "path": kernel.paths()[-1], "machine": platform.machine()}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
