"""How the values of facets read."""

from django.conf.locale import LANG_INFO

from hub.catalog.facets import USERS_STEPS
from licenses.openness import Rung

I_WANT: dict[str, str] = {
    "commercial": "use it commercially",
    "redistribute": "hand it on",
    "modify": "change it and build on it",
    "no-field-of-use-limits": "use it for any purpose",
    "everywhere": "use it anywhere in the world",
}
RUNGS: dict[int, str] = {
    Rung.MOF_I: "open science, MOF I",
    Rung.MOF_II: "open tooling, MOF II",
    Rung.MOF_III: "open model, MOF III",
    Rung.OPEN_WEIGHTS: "open weights",
    Rung.COMMUNITY_WEIGHTS: "community terms",
    Rung.RESTRICTED_WEIGHTS: "restricted terms",
}
STATES: dict[str, str] = {"proven": "bytes proven", "read": "licence read by a person"}
_FORMATS = {"gguf": "GGUF", "onnx": "ONNX"}
USERS = dict(zip(USERS_STEPS, ("10 thousand", "1 million", "100 million", "1 billion"), strict=True))


def step_words(step: int) -> str:
    """Return a step of size as people say it."""
    for scale, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        if step >= scale:
            return f"{step / scale:g} {unit}"
    return str(step)


def value_words(name: str, value: str) -> str:
    """Return how one value of a facet reads."""
    if name == "language":
        return str(LANG_INFO.get(value, {}).get("name", value))
    if name == "format":
        return _FORMATS.get(value, value)
    return value.replace("-", " ").replace("_", " ") if name == "task" else value
