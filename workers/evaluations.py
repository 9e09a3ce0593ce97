"""Running what was made on a short text, where that was asked for.

What goes wrong with it is told beside the outcome: the files are as good as they are, measured or not.
"""

from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from hub.catalog.conversions import DIVERGENCE, Wish
from workers.bases import Base, Task
from workers.quality import QualityError, measure

# Running takes far longer than reading; so it is told in the sum of what is to be done.
WEIGHT = 20


def bytes_to_do(wish: Wish, base_size: int) -> int:
    """Return what an evaluation counts for in the progress of a run."""
    return WEIGHT * base_size if wish.evaluate else 0


def evaluate(task: Task, base: Base, path: Path, name: str) -> dict[str, Any]:
    """Return what running a file showed, nothing where that was not asked for or could not be done."""
    if not task.wish.evaluate:
        return {}
    size, seconds = bytes_to_do(task.wish, base.size), settings.HUB_CONVERT_EVALUATE_SECONDS

    def tell(share: float, what: str) -> None:
        task.meter.tell(int(share * size), f"{name}: running {what} on a text", type=name)

    try:
        if task.wish.evaluate == DIVERGENCE:
            return measure(
                path, base=base.path, seconds=seconds, tell=partial(tell, what="it beside its base")
            )
        if task.base_perplexity is None:
            told = measure(base.path, base=None, seconds=seconds, tell=partial(tell, what="the base"))
            task.base_perplexity = told["perplexity"]
        told = measure(path, base=None, seconds=seconds, tell=partial(tell, what="it"))
        return {**told, "basePerplexity": task.base_perplexity}
    except QualityError as error:
        task.warnings.append(f"{name}: {task.wish.evaluate} was not measured: {error}")
        return {"problem": str(error)}
    finally:
        task.meter.end(size)
