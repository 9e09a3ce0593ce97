"""PURE: what the licences that come down ask of a repository, and whether it is there.

Three duties can be checked by a program: the exact line of a notice, the string that must be shown, the beginning of
the name.  The others are looked for as files.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from licenses.findings import Code, Finding, Severity
from licenses.terms import Reading, Value

_SPACE = re.compile(r"\s+")
_ALIKE = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})
# Where a display duty is met on a product's own pages, no file of a repository can show it.
ON_PRODUCT = "product"
ON_DERIVED = "trained-on-outputs-or-derived"


@dataclass(frozen=True, slots=True)
class Proof:
    """What lies in the repository: whose texts, the notice files' words, the card, the name, and what is offered."""

    name: str
    texts: frozenset[str] = frozenset()
    notices: str = ""
    card: str = ""
    changes_marked: bool = False
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do that came down from ``origin``; ``text`` is the exact string where there is one."""

    kind: str
    text: str
    license: str
    origin: str


def duties_of(reading: Reading, origin: str) -> Iterator[Duty]:
    """Yield what one licence asks of everyone downstream."""
    if needs_text(reading):
        yield Duty("text", reading.name, reading.id, origin)
    if reading.value("notice_file_required") is Value.YES:
        yield Duty("notice", reading.notice, reading.id, origin)
    for text in reading.display:
        yield Duty("display", text, reading.id, origin)
    if reading.name_prefix:
        yield Duty("name", reading.name_prefix, reading.id, origin)
    if reading.value("acceptable_use_policy") is Value.YES:
        yield Duty("use-policy", reading.note("acceptable_use_policy"), reading.id, origin)
    if reading.value("disclosure_of_changes") is Value.YES:
        yield Duty("changes", "", reading.id, origin)
    if reading.value("network_clause") is Value.YES:
        yield Duty("network", reading.note("network_clause"), reading.id, origin)


def needs_text(reading: Reading) -> bool:
    """True where the licence's own text, or its copyright notice, must lie beside the model."""
    return Value.YES in (
        reading.value("attribution_required"),
        reading.value("notice_file_required"),
    ) or reading.value("redistribution") in (Value.CONDITIONAL, Value.NO)


def missing_duties(
    reading: Reading, proof: Proof, *, origin: str, same_work_as: Collection[str], changed: bool
) -> Iterator[Finding]:
    """Yield a finding for each duty of an inherited licence that the repository does not meet.

    ``same_work_as`` holds the ids of the models of which this is another form; ``changed`` says whether it is more.
    """

    def missing(code: Code, message: str, clear: str, term: str, *, grave: bool = False) -> Finding:
        severity = Severity.BLOCK if grave else Severity.FIX
        return Finding(code, severity, message, clear, reading.id, term, origin)

    yield from _text(reading, proof, missing)
    yield from _notice(reading, proof, missing)
    yield from _display(reading, proof, missing, changed=changed)
    if reading.name_prefix and not _named(reading.name_prefix, proof.name, same_work_as):
        yield missing(
            Code.DUTY_NAME, f"The name must begin with {reading.name_prefix!r}.",
            f"Rename the repository to {reading.name_prefix}-{last_part(proof.name)}.", "naming_requirement",
        )  # fmt: skip
    if changed and reading.value("disclosure_of_changes") is Value.YES and not proof.changes_marked:
        yield missing(
            Code.DUTY_NOTICE, f"{reading.name} asks to say that files were changed.",
            "Say on the card, or in a notice file, what was changed.", "disclosure_of_changes",
        )  # fmt: skip
    if reading.value("network_clause") is Value.YES and not proof.offered:
        yield missing(
            Code.HUB_HOSTING, f"{reading.name} asks to offer the model to those who use it over a network.",
            "Offer the weights for download, or withdraw the service.", "network_clause", grave=True,
        )  # fmt: skip
    if reading.value("acceptable_use_policy") is Value.YES:
        yield Finding(
            Code.DUTY_AUP, Severity.INFO, f"The acceptable use policy of {reading.name} applies to every user.",
            license=reading.id, term="acceptable_use_policy", subject=origin,
        )  # fmt: skip


_Missing = Callable[[Code, str, str, str], Finding]


def _text(reading: Reading, proof: Proof, missing: _Missing) -> Iterator[Finding]:
    if not needs_text(reading) or reading.id in proof.texts:
        return
    code = Code.DUTY_NOTICE if reading.is_permissive else Code.DUTY_TEXT
    what = "copyright notice and text" if reading.is_permissive else "text"
    term = "attribution_required" if reading.is_permissive else "redistribution"
    yield missing(code, f"The {what} of {reading.name} must lie beside the model.", f"Add the {what}.", term)


def _notice(reading: Reading, proof: Proof, missing: _Missing) -> Iterator[Finding]:
    if reading.value("notice_file_required") is not Value.YES:
        return
    if reading.notice and not _holds(proof.notices, reading.notice):
        yield missing(
            Code.DUTY_NOTICE, "The notice of the base model is missing.",
            f"Add a file NOTICE with the line: {reading.notice}", "notice_file_required",
        )  # fmt: skip
    elif not reading.notice and not proof.notices.strip():
        yield missing(
            Code.DUTY_NOTICE, f"{reading.name} asks for a notice file.", "Add the notice of the base model.",
            "notice_file_required",
        )  # fmt: skip


def _display(reading: Reading, proof: Proof, missing: _Missing, *, changed: bool) -> Iterator[Finding]:
    if not reading.display or reading.display_on == ON_PRODUCT:
        return
    if reading.display_on == ON_DERIVED and not changed:
        return
    if not any(_holds(proof.card, text) for text in reading.display):
        words = " or ".join(repr(text) for text in reading.display)
        yield missing(
            Code.DUTY_ATTRIB, f"The card must show {words}.", f"Write {words} on the card.", "attribution_required"
        )  # fmt: skip


def output_duties(reading: Reading, proof: Proof, *, origin: str) -> Iterator[Finding]:
    """Yield what a teacher's licence says of a model that was trained on its outputs."""
    value = reading.value("output_training_restriction")
    if value is Value.NO:
        return
    note = reading.note("output_training_restriction")
    if value is Value.CONDITIONAL and (reading.display or reading.name_prefix):

        def missing(code: Code, message: str, clear: str, term: str) -> Finding:
            return Finding(code, Severity.FIX, message, clear, reading.id, term, origin)

        yield from _display(reading, proof, missing, changed=True)
        if reading.name_prefix and not _named(reading.name_prefix, proof.name, ()):
            yield missing(
                Code.DUTY_NAME, f"Trained on outputs of {origin}: the name must begin with {reading.name_prefix!r}.",
                f"Rename the repository to {reading.name_prefix}-{last_part(proof.name)}.",
                "output_training_restriction",
            )  # fmt: skip
        return
    banned = value is Value.YES
    yield Finding(
        Code.OUTPUT_TRAINING, Severity.BLOCK if banned else Severity.FIX,
        f"Trained on outputs of {origin}, whose licence {'forbids' if banned else 'limits'} that: "
        f"{note or 'nobody has read its terms on outputs'}.",
        "A lawyer or the steward's written permission." if banned else "A reviewer decides whether its terms travel.",
        reading.id, "output_training_restriction", origin,
    )  # fmt: skip


def mentions(card: str, reading: Reading) -> bool:
    """True where a card names a licence by its id, name or symbol."""
    return any(_holds(card, name) for name in (reading.id, reading.name, reading.symbol))


def last_part(name: str) -> str:
    """Return a repository's own name without its namespace."""
    return name.rpartition("/")[2]


def _named(prefix: str, name: str, same_work_as: Collection[str]) -> bool:
    last = last_part(name).casefold()
    return last.startswith(prefix.casefold()) or any(
        last.startswith(last_part(key).casefold()) for key in same_work_as
    )


def _holds(text: str, wanted: str) -> bool:
    return plain(wanted) in plain(text)


def plain(text: str) -> str:
    """Return words as duties are compared: quotes, case, layout and a full stop make no difference."""
    return _SPACE.sub(" ", text.translate(_ALIKE)).casefold().strip().rstrip(".")
