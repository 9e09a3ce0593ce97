"""What an inspection says: the tensors of a file, its metadata, and every fault found in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal, NamedTuple

Format = Literal["safetensors", "gguf", "shard-index", "pickle", "unknown"]
Severity = Literal["error", "warning"]

MAX_FINDINGS = 100
MAX_TENSORS = 500_000
MAX_TENSORS_IN_JSON = 100_000
MAX_NAMES_IN_JSON = 32 * 1024 * 1024
MAX_METADATA_TEXT = 64 * 1024
MAX_SHORT_KEY = 256
MAX_METADATA_TOTAL = 8 * 1024 * 1024


class Tensor(NamedTuple):
    """One tensor: its shape in the file's order, the bytes [start, end) it takes, its number of weights.

    safetensors writes the slowest dimension first, GGUF the fastest.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int
    weights: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. An error means that readers of the format refuse the file or read it wrongly."""

    code: str
    message: str
    tensor: str | None = None
    severity: Severity = "error"

    def to_json(self) -> dict[str, str]:
        told = {"code": self.code, "message": clean(self.message), "severity": self.severity}
        return told if self.tensor is None else {**told, "tensor": clean(self.tensor[:1024])}


class FormatError(Exception):
    """The file cannot be read any further. Never leaves `inspect`: it becomes a Finding."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class Inspection:
    """What was read in one file. Where `ok` is false the rest is only what was readable."""

    format: Format
    tensors: list[Tensor] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    weight_map: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    data_start: int = 0
    metadata_room: int = MAX_METADATA_TOTAL
    told: dict[Severity, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def parameters(self) -> dict[str, int]:
        """Number of weights by dtype, largest first."""
        counts: dict[str, int] = {}
        for tensor in self.tensors:
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.weights
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    @property
    def total_parameters(self) -> int:
        return sum(tensor.weights for tensor in self.tensors)

    def error(self, code: str, message: str, tensor: str | None = None) -> None:
        self._add(Finding(code, message, tensor))

    def warn(self, code: str, message: str, tensor: str | None = None) -> None:
        self._add(Finding(code, message, tensor, "warning"))

    def _add(self, finding: Finding) -> None:
        """Keep the first hundred of each severity, so that warnings crowd out no error; count the rest."""
        told = self.told.get(finding.severity, 0)
        if told < MAX_FINDINGS:
            self.findings.append(finding)
            self.told[finding.severity] = told + 1
        else:
            self._leave_out("findings")

    def _leave_out(self, what: str, number: int = 1) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + number

    def put(self, key: str, value: Any) -> None:
        """Keep one metadata value: text is clipped to 64 Ki characters, and after 8 Mi in all only counted.

        A number under a short key is always kept, because offsets are judged by one (GGUF's alignment).
        """
        if isinstance(value, str) and len(value) > MAX_METADATA_TEXT:
            self.warn("metadata-clipped", f"metadata {key[:100]!r} is longer than 64 KiB and is kept clipped")
            value = value[:MAX_METADATA_TEXT]
        self.metadata_room -= len(key) + len(str(value))
        small = len(key) <= MAX_SHORT_KEY and isinstance(value, int | float)
        if self.metadata_room < 0 and not small:
            self._leave_out("metadata")
        else:
            self.metadata[key] = value

    def to_json(self) -> dict[str, Any]:
        """A bounded, JSON-able copy that PostgreSQL's jsonb takes: no NUL, no NaN, no infinity."""
        tensors = self._listed()
        left_out = {**self.left_out}
        if len(tensors) < len(self.tensors):
            left_out["tensors"] = len(self.tensors) - len(tensors)
        return {
            "format": self.format,
            "ok": self.ok,
            "data_start": self.data_start,
            "parameters": clean(self.parameters),
            "total_parameters": self.total_parameters,
            "tensors": [[clean(t.name), t.dtype, list(t.shape), t.start, t.end, t.weights] for t in tensors],
            "metadata": clean(self.metadata),
            "summary": clean(self.summary),
            "weight_map": clean(self.weight_map),
            "findings": [finding.to_json() for finding in self.findings],
            "left_out": left_out,
        }

    def _listed(self) -> list[Tensor]:
        room = MAX_NAMES_IN_JSON
        for number, tensor in enumerate(self.tensors[:MAX_TENSORS_IN_JSON]):
            room -= len(tensor.name) + 8 * len(tensor.shape)
            if room < 0:
                return self.tensors[:number]
        return self.tensors[:MAX_TENSORS_IN_JSON]

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Inspection":
        """The inspection that `to_json` told; what was left out stays left out."""
        return cls(
            format=told["format"],
            tensors=[Tensor(n, d, tuple(shape), *rest) for n, d, shape, *rest in told["tensors"]],
            metadata=dict(told["metadata"]),
            summary=dict(told["summary"]),
            weight_map=dict(told["weight_map"]),
            findings=[Finding(**finding) for finding in told["findings"]],
            left_out=dict(told["left_out"]),
            data_start=told["data_start"],
        )


def clean(value: Any) -> Any:
    """A value that PostgreSQL stores as JSON: NUL becomes U+FFFD, half a surrogate "?", NaN text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
