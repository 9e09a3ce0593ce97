"""Which form of a model fits what a reader has: their choice, what each takes, and how it stands on a scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from hub.accounts.identity import Viewer
from hub.catalog import family, memory
from hub.catalog.ggufs import Gguf, models_in, needs_of
from hub.catalog.lookups import Located, locate_heads
from hub.catalog.memory import Need
from hub.catalog.models import Repo
from hub.pages.languages import numeral

# Steps of a scale, in bytes: ten megabytes to five hundred gigabytes.
STEPS = tuple(digit * 10**power for power in range(7, 12) for digit in (1, 2, 5))
MOST_TICKS = 6
# Memory so many times what the largest takes would leave nothing to see of the bars.
FAR = 8
MEGA = 10**6
MAX_RELATIVES = 3


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


@dataclass(frozen=True, slots=True)
class Scale:
    """What bars are drawn on: its end in bytes, its ticks in percent with what they say, and how far apart they are.

    ``unit`` is that of the ticks.  ``cut`` is where the reader's memory lies: None where they chose none, or where it
    is far beyond the end.
    """

    end: float
    unit: str
    ticks: Sequence[tuple[float, str]]
    step: float
    cut: float | None


def scale_of(largest: int, device: int) -> Scale:
    """Return a scale on which the largest has room, and the reader's memory too unless it is many times as much."""
    room = device * memory.GB
    is_near = 0 < room <= FAR * largest
    end = max(1.1 * largest, 1.04 * room if is_near else 0)
    step = next((step for step in STEPS if step * MOST_TICKS >= end), STEPS[-1])
    unit, name = (memory.GB, "GB") if step >= memory.GB else (MEGA, "MB")
    places = [step * number for number in range(int(end // step) + 1)]
    ticks = [(100 * place / end, numeral(f"{place // unit:,}")) for place in places]
    return Scale(end, name, ticks, 100 * step / end, 100 * room / end if is_near else None)


def fits(models: Sequence[Gguf], chosen: QueryDict, *, close: Sequence[bool]) -> dict[str, Any]:
    """Return what the page says of memory; ``models`` are in the order of their quality, the best first.

    Those that are ``close`` are advised before those that only say that they belong here.
    """
    device, context = memory.device_of(chosen.get("ram", "")), memory.context_of(chosen.get("context", ""))
    needs = needs_of(models, context)
    scale = scale_of(max((one.total for one in needs if one), default=memory.GB), device)
    ours = memory.best([one if near else None for one, near in zip(needs, close, strict=True)], device)
    return {
        "fits": [
            Fit(one, scale.end, one.total <= device * memory.GB if device else None) if one else None for one in needs
        ],
        "best": (ours if ours is not None else memory.best(needs, device)) if device else None,
        "device": device, "context": context, "devices": memory.DEVICES, "contexts": memory.CONTEXTS, "scale": scale,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """One form in which a model comes; ``model`` is None for a checkpoint as it is stored."""

    repo: Repo
    model: Gguf | None
    need: Need

    @property
    def name(self) -> str:
        return (self.model.file_type or self.model.path) if self.model else _("as it is stored")

    @property
    def size(self) -> int:
        return self.model.size if self.model else self.need.weights


def forms_of(viewer: Viewer, at: Located, models: Sequence[Gguf]) -> list[Form]:
    """Return the forms that a model comes in, the finest first: its own, and what was made from its checkpoint."""
    found = [(at.repo, model) for model in models]
    stored = memory.need_of_checkpoint(at.facts)
    if stored and at.repo.type == Repo.Type.MODEL:
        near = family.own_forms(viewer, at.repo, MAX_RELATIVES)
        heads = locate_heads(near).values() if near else []
        found += [(place.repo, model) for place in heads for model in models_in(place.repo, place.tree)]
    needs = needs_of([model for _repo, model in found], memory.DEFAULT_CONTEXT) if found else []
    forms = [Form(repo, model, need) for (repo, model), need in zip(found, needs, strict=True) if need]
    forms.sort(key=lambda form: (-form.model.bits, form.model.path) if form.model else (0.0, ""))
    return [Form(at.repo, None, stored), *forms] if stored else forms


def best_of(forms: Sequence[Form], device: int) -> Form | None:
    """Return the finest form that fits a device."""
    place = memory.best([form.need for form in forms], device)
    return forms[place] if place is not None else None


def shelf(forms: Sequence[Form]) -> list[tuple[int, Form]]:
    """Return, for devices from small to large, the finest GGUF file that fits each, where it is another one.

    The checkpoint stands at the smallest device in which it runs.
    """
    stored = [form for form in forms if form.model is None]
    files = [form for form in forms if form.model is not None]
    found: list[tuple[int, Form]] = []
    for device in memory.DEVICES:
        form = best_of(files, device)
        if form is not None and (not found or found[-1][1] is not form):
            found.append((device, form))
    whole = [(device, form) for device in memory.DEVICES if (form := best_of(stored, device))]
    return sorted([*found, *whole[:1]], key=lambda row: row[0])


def advised(forms: Sequence[Form], repo: Repo, device: int) -> Gguf | None:
    """Return the GGUF file of this repo to take: for the reader's memory, else for the smallest that one fits."""
    own = [form for form in forms if form.model is not None and form.repo == repo]
    if not own:
        return None
    chosen = best_of(own, device) if device else next((form for _device, form in shelf(own)), None)
    return (chosen or own[-1]).model
