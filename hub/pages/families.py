"""The shelf of licences as people look at it: by family, with what most come to ask."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licenses.models import License
from licenses.terms import Reading, Value

# Families as the catalogue calls them, put together under the heads that people look for, the most usual first.
_HEADS: tuple[tuple[Promise | str, frozenset[str]], ...] = (
    (_("Permissive"), frozenset({"apache-2.0", "mit", "bsd", "permissive"})),
    ("Creative Commons", frozenset({"creative-commons"})),
    ("GPL, LGPL, AGPL", frozenset({"gnu"})),
    (_("Copyleft"), frozenset({"copyleft", "eclipse", "eupl"})),
    ("Llama", frozenset({"llama"})),
    ("Gemma", frozenset({"google"})),
    ("Qwen", frozenset({"qwen"})),
    ("Mistral", frozenset({"mistral"})),
    ("OpenRAIL", frozenset({"rail"})),
    ("Falcon", frozenset({"falcon"})), ("FLUX", frozenset({"flux"})), ("GLM", frozenset({"glm"})),
    ("Hunyuan", frozenset({"hunyuan"})), ("Kimi", frozenset({"kimi"})), ("LTX", frozenset({"ltx"})),
    ("MiniMax", frozenset({"minimax"})), ("NVIDIA", frozenset({"nvidia"})), ("Stability AI", frozenset({"stability"})),
    (_("Open data"), frozenset({"open-data", "cdla"})),
    (_("Research only"), frozenset({"research", "meta-research"})),
)  # fmt: skip
REST = _("All others")
# The seal and the word for each answer; what is asked in return is read the other way round.
_MAY: Mapping[Value, tuple[str, Promise]] = {
    Value.YES: ("proven", _("yes")), Value.CONDITIONAL: ("terms", _("with terms")), Value.NO: ("rejected", _("no")),
    Value.UNKNOWN: ("unknown", _("not known")),
}  # fmt: skip
_ASKS: Mapping[Value, tuple[str, Promise]] = {
    Value.YES: ("terms", _("needed")), Value.CONDITIONAL: ("terms", _("needed")),
    Value.NO: ("proven", _("not needed")), Value.UNKNOWN: ("unknown", _("not known")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flag:
    """One answer: to what, as which seal, in which word."""

    about: Promise
    seal: str
    word: Promise


@dataclass(frozen=True, slots=True)
class Line:
    """One licence with what most people come to ask of it; ``is_here`` where models on this hub are under it."""

    license: License
    flags: tuple[Flag, ...]
    is_here: bool


@dataclass(frozen=True, slots=True)
class Family:
    """Licences under one head."""

    head: str
    lines: Sequence[Line]

    @property
    def here(self) -> int:
        """How many of them have models on this hub."""
        return sum(line.is_here for line in self.lines)


def flags_of(reading: Reading) -> tuple[Flag, ...]:
    """Return whether it may be used commercially, be handed on, and asks for credit; what nobody read is not known."""
    return (
        Flag(_("Commercial use"), *_MAY[reading.value("commercial_use")]),
        Flag(_("Handing on"), *_MAY[reading.value("redistribution")]),
        Flag(_("Credit"), *_ASKS[reading.value("attribution_required")]),
    )


def by_family(
    rows: Sequence[License], readings: Mapping[str, Reading], here: Collection[str]
) -> Sequence[Family]:
    """Return the licences under the heads of their families, without heads that have none; ``here``: ids in use."""
    named = frozenset().union(*(families for _head, families in _HEADS))
    lines = [(row.family, Line(row, flags_of(readings[row.slug]), row.slug in here)) for row in rows]
    found = [Family(str(head), [line for name, line in lines if name in members]) for head, members in _HEADS]
    found.append(Family(str(REST), [line for name, line in lines if name not in named]))
    return [one for one in found if one.lines]
