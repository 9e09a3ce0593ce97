"""The shelf of licences as people look at it: by family, with what most come to ask."""

from collections.abc import Mapping, Sequence
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
    """One licence with what most people come to ask of it."""

    license: License
    flags: tuple[Flag, ...]


def flags_of(reading: Reading) -> tuple[Flag, ...]:
    """Return whether it may be used commercially, be handed on, and asks for credit; what nobody read is not known."""
    return (
        Flag(_("Commercial use"), *_MAY[reading.value("commercial_use")]),
        Flag(_("Handing on"), *_MAY[reading.value("redistribution")]),
        Flag(_("Credit"), *_ASKS[reading.value("attribution_required")]),
    )


def by_family(rows: Sequence[License], readings: Mapping[str, Reading]) -> list[tuple[str, list[Line]]]:
    """Return the licences under the heads of their families; a head without any is left out."""
    named = frozenset().union(*(families for _head, families in _HEADS))
    lines = [(row.family, Line(row, flags_of(readings[row.slug]))) for row in rows]
    found = [(str(head), [line for family, line in lines if family in members]) for head, members in _HEADS]
    found.append((str(REST), [line for family, line in lines if family not in named]))
    return [(head, members) for head, members in found if members]
