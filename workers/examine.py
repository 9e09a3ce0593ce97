"""Say what converting a checkpoint would make, as one JSON object: ``python -m workers.examine FOLDER``.

A process of its own, because what people upload may make a tokenizer take all memory or end the process.  Of the
weights' files only the headers need to be there.
"""

import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workers.converting.checkpoint import open_checkpoint
from workers.converting.errors import ConvertError
from workers.converting.run import Examined, examine_checkpoint

MAX_MEMORY = 8 * 2**30


def examine(folder: Path) -> Examined:
    """Examine with the type that loses nothing: that of the first matrix, where it has 16 bits, else F32."""
    found = examine_checkpoint(folder)
    if found.type != "F16":
        return found
    with open_checkpoint(folder) as checkpoint:
        stored = {source.dtype for source in checkpoint.tensors.values() if len(source.shape) > 1}
    return found if "F16" in stored else examine_checkpoint(folder, "F32")


def told(folder: Path) -> dict[str, Any]:
    """Return the findings, or the problem, in words that tell nothing of where the folder lies."""
    try:
        return asdict(examine(folder))
    except ConvertError as error:
        return {"problem": str(error).replace(f"{folder}/", "").replace(str(folder), "the checkpoint")}


def main(arguments: Sequence[str]) -> int:
    """Run as a program."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    print(json.dumps(told(Path(arguments[0]))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
