"""PURE: models that lie elsewhere and the terms they are under, from ``catalogue/upstream.yaml``.

An ancestor need not be hosted here.  A pattern is a model's id, or ids with ``*``; an exact id goes before a pattern,
a longer pattern before a shorter one.  A model that no pattern names is unknown, and unknown holds.
"""

import fnmatch
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

import yaml

from licenses.shipped import BadReading, shipped_readings
from licenses.terms import Confidence

_FILE = "catalogue/upstream.yaml"
_FIELDS = {"evidence", "confidence", "modality", "models"}
_MODALITIES = ("", "text", "multimodal", "image", "audio", "video")


@dataclass(frozen=True, slots=True)
class Upstream:
    """``license`` is an id of the catalogue; a low confidence counts as not knowing."""

    pattern: str
    license: str
    evidence: str
    confidence: Confidence
    modality: str = ""

    @property
    def counts(self) -> bool:
        return self.confidence is not Confidence.LOW


class UpstreamIndex:
    """Finds the entry for a model's id."""

    def __init__(self, entries: Iterable[Upstream]) -> None:
        self._exact: dict[str, Upstream] = {}
        patterns: list[Upstream] = []
        for entry in entries:
            if "*" in entry.pattern:
                patterns.append(entry)
            else:
                self._exact[entry.pattern.casefold()] = entry
        self._patterns = sorted(patterns, key=lambda entry: -len(entry.pattern.replace("*", "")))

    def find(self, model: str) -> Upstream | None:
        """Return the entry for ``namespace/name``, or None where nothing is known."""
        key = model.strip().casefold()
        if (entry := self._exact.get(key)) is not None:
            return entry
        return next((one for one in self._patterns if fnmatch.fnmatchcase(key, one.pattern.casefold())), None)


@functools.cache
def shipped_upstream() -> Sequence[Upstream]:
    """Return what ships with the product; raises BadReading."""
    text = resources.files("licenses").joinpath(_FILE).read_text(encoding="utf-8")
    return tuple(_entries(yaml.safe_load(text)))


def _entries(data: dict[str, list[dict[str, object]]]) -> Iterable[Upstream]:
    seen: set[str] = set()
    for license_id, groups in data.items():
        if license_id not in shipped_readings():
            raise BadReading(f"{_FILE}: {license_id} is no licence of the catalogue.")
        for group in groups:
            if odd := set(group) - _FIELDS:
                raise BadReading(f"{_FILE}: {license_id}: {', '.join(sorted(odd))} is no field of an entry.")
            modality, models = str(group.get("modality", "")), group.get("models")
            if modality not in _MODALITIES or not isinstance(models, list):
                raise BadReading(f"{_FILE}: {license_id}: modality or models is not what it must be.")
            for pattern in map(str, models):
                if pattern.casefold() in seen:
                    raise BadReading(f"{_FILE}: {pattern} stands there twice; keep one.")
                seen.add(pattern.casefold())
                yield Upstream(
                    pattern,
                    license_id,
                    str(group["evidence"]),
                    Confidence(str(group["confidence"])),
                    modality,
                )
