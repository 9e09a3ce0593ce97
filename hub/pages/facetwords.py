"""How the values of facets read.  The tables are English; who shows them asks for the reader's language."""

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from hub.catalog.facets import USERS_STEPS
from hub.pages.languages import numeral
from licenses.openness import Rung

I_WANT: dict[str, str] = {
    "commercial": gettext_noop("use it commercially"),
    "redistribute": gettext_noop("hand it on"),
    "modify": gettext_noop("change it and build on it"),
    "no-field-of-use-limits": gettext_noop("use it for any purpose"),
    "everywhere": gettext_noop("use it anywhere in the world"),
}
RUNGS: dict[int, str] = {
    Rung.MOF_I: gettext_noop("open science, MOF I"),
    Rung.MOF_II: gettext_noop("open tooling, MOF II"),
    Rung.MOF_III: gettext_noop("open model, MOF III"),
    Rung.OPEN_WEIGHTS: gettext_noop("open weights"),
    Rung.COMMUNITY_WEIGHTS: gettext_noop("community terms"),
    Rung.RESTRICTED_WEIGHTS: gettext_noop("restricted terms"),
}
STATES: dict[str, str] = {
    "proven": gettext_noop("bytes proven"),
    "read": gettext_noop("licence read by a person"),
}
_FORMATS = {"gguf": "GGUF", "onnx": "ONNX"}
_PEOPLE = (
    gettext_noop("10 thousand"), gettext_noop("1 million"), gettext_noop("100 million"), gettext_noop("1 billion"),
)  # fmt: skip
USERS = dict(zip(USERS_STEPS, _PEOPLE, strict=True))


def step_words(step: int) -> str:
    """Return a step of size as people say it."""
    for scale, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M")):
        if step >= scale:
            return f"{numeral(f'{step / scale:g}')} {unit}"
    return str(step)


def value_words(name: str, value: str) -> str:
    """Return how one value of a facet reads."""
    if name == "language":
        return _(str(LANG_INFO.get(value, {}).get("name", value)))
    if name == "fits":
        return f"{value} GB"
    if name == "format":
        return _FORMATS.get(value, value)
    return value.replace("-", " ").replace("_", " ") if name == "task" else value
