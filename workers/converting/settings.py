"""config.json as the families read it: with defaults, the text model's part on top, rotary settings in one place."""

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from workers.converting.defaults import TEXT_MODELS, with_defaults
from workers.converting.documents import read_object
from workers.converting.errors import ConvertError

GLOBAL_THETA = ("global_rope_theta", "rope_global_theta", "rope_theta")
LOCAL_THETA = ("local_rope_theta", "rope_local_theta", "rope_local_base_freq")
U32 = 2**32 - 1
# Far beyond any model; what is counted by these is allocated before a weight is looked at.
LIMITS = {
    "vocab_size": 2**24,
    "num_hidden_layers": 4096,
    "num_nextn_predict_layers": 64,
    "head_dim": 2**20,
    "hidden_size": 2**24,
}


class Settings:
    """The values of one config.json; every reader names the key in its errors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        config = read_object(path)
        self.raw = config
        self.architecture = _architecture(config, path)
        kind = str(config.get("model_type", ""))
        text = config.get("text_config")
        if isinstance(text, Mapping):
            text = with_defaults(text, str(text.get("model_type", TEXT_MODELS.get(kind, ""))))
            self.values = {**config, **text}
        else:
            self.values = with_defaults(config, kind)
        self.rope = self._rope()

    def get(self, *names: str) -> Any:
        """The value of the first name that is there, even where it is null."""
        return next((self.values[name] for name in names if name in self.values), None)

    def fault(self, name: str, value: Any, wanted: str) -> ConvertError:
        told = "is missing" if value is None else f"is {str(value)[:80]!r}"
        return ConvertError(f"{self.path}: {name} {told}; it must be {wanted}")

    def maybe_whole(self, *names: str) -> int | None:
        value = self.get(*names)
        if value is None:
            return None
        limit = LIMITS.get(names[0], U32)
        if type(value) is not int or not 0 <= value <= limit:
            raise self.fault(names[0], value, f"a whole number of at most {limit}")
        return value

    def whole(self, *names: str) -> int:
        """A whole number of at least one."""
        value = self.maybe_whole(*names)
        if value is None or value < 1:
            raise self.fault(names[0], value, "a whole number above zero")
        return value

    def maybe_number(self, *names: str) -> float | None:
        return self.as_number(names[0], self.get(*names))

    def as_number(self, name: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self.fault(name, value, "a number")
        return float(value)

    def rope_number(self, name: str) -> float | None:
        """A number of the settings for all layers that attend to everything."""
        return self.as_number(f"rope_scaling.{name}", self.global_rope.get(name))

    @property
    def global_rope(self) -> Mapping[str, Any]:
        found = self.rope.get("full_attention", self.rope)
        return found if isinstance(found, Mapping) else {}

    @property
    def rope_type(self) -> str:
        return str(self.global_rope.get("rope_type") or "").lower()

    @property
    def heads(self) -> int:
        return self.whole("num_attention_heads")

    @property
    def head_size(self) -> int:
        """The width of one head: head_dim, or the hidden size shared by the heads."""
        return self.maybe_whole("head_dim") or self.whole("hidden_size") // self.heads

    def _rope(self) -> dict[str, Any]:
        given = self.values.get("rope_parameters", self.values.get("rope_scaling")) or {}
        if not isinstance(given, Mapping):
            raise self.fault("rope_scaling", given, "an object")
        rope = dict(given)
        if "full_attention" in rope or "sliding_attention" in rope:
            return rope
        local = self.get(*LOCAL_THETA)
        if local is not None:
            rope["sliding_attention"] = {"rope_theta": local}
        for key, value in (
            ("rope_theta", self.get(*GLOBAL_THETA)),
            ("rope_type", rope.get("type")),
            ("partial_rotary_factor", self.get("partial_rotary_factor")),
            ("original_max_position_embeddings", self.get("original_max_position_embeddings")),
        ):
            if value is not None:
                rope.setdefault(key, value)
        return rope


def _architecture(config: Mapping[str, Any], path: Path) -> str:
    names = config.get("architectures")
    if not isinstance(names, list) or not names or not isinstance(names[0], str):
        raise ConvertError(f"{path}: architectures is {str(names)[:80]!r}; it must name the model's class")
    return names[0]
