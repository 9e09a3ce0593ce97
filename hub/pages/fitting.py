"""Which quantization fits what a reader has: their choice, what each takes, and how it stands on a scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from hub.catalog import memory
from hub.catalog.ggufs import Gguf, needs_of
from hub.catalog.memory import Need

# Steps of the scale, in GB.
STEPS = (1, 2, 4, 5, 10, 20, 50, 100, 200)
TICKS = 6


@dataclass(frozen=True, slots=True)
class Fit:
    """What one model takes, and where that lies on the scale, in percent."""

    need: Need
    scale: float
    fits: bool | None

    @property
    def share(self) -> float:
        """Length of the whole bar."""
        return 100 * self.need.total / self.scale

    @property
    def weights(self) -> float:
        """The part of the bar that is weights."""
        return 100 * self.need.weights / self.need.total

    @property
    def rest(self) -> float:
        """The part that is cache and buffers."""
        return 100 - self.weights


def fits(models: Sequence[Gguf], chosen: QueryDict) -> dict[str, Any]:
    """Return what the page says of memory; ``models`` are in the order of their quality, the best first."""
    device, context = memory.device_of(chosen.get("ram", "")), memory.context_of(chosen.get("context", ""))
    needs = needs_of(models, context)
    largest = max((one.total for one in needs if one), default=memory.GB)
    step = next((step for step in STEPS if step * TICKS * memory.GB >= largest), STEPS[-1])
    scale = step * TICKS * memory.GB
    return {
        "fits": [
            Fit(one, scale, one.total <= device * memory.GB if device else None) if one else None for one in needs
        ],
        "best": memory.best(needs, device) if device else None, "device": device, "context": context,
        "devices": memory.DEVICES, "contexts": memory.CONTEXTS, "cut": min(100 * device * memory.GB / scale, 100),
        "ticks": [step * tick for tick in range(TICKS)],
    }  # fmt: skip


def shelf(models: Sequence[Gguf]) -> list[tuple[int, Gguf, Need]]:
    """Return, for devices from small to large, the best model that fits each; the models' best stands first."""
    needs = needs_of(models, memory.DEFAULT_CONTEXT)
    found: list[tuple[int, Gguf, Need]] = []
    for device in memory.DEVICES:
        place = memory.best(needs, device)
        one = needs[place] if place is not None else None
        if place is not None and one is not None and (not found or found[-1][1] is not models[place]):
            found.append((device, models[place], one))
    return found
