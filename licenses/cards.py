"""PURE: a reading in words: what one may do, on which condition, what not, and what nobody knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from licenses.terms import TERMS, Reading, Term, Threshold, Value

MAY, CONDITION, NOT = "may", "condition", "not"

# What each answer to a term means for the one who takes the model: a column, and a sentence.
_SAYS: Mapping[str, Mapping[Value, tuple[str, str]]] = {
    "commercial_use": {
        Value.YES: (MAY, "Use it commercially"),
        Value.CONDITIONAL: (CONDITION, "Use it commercially"),
        Value.NO: (NOT, "Use it commercially"),
    },
    "modification": {
        Value.YES: (MAY, "Change it and build on it"),
        Value.CONDITIONAL: (CONDITION, "Change it and build on it"),
        Value.NO: (NOT, "Hand on what you change in it"),
    },
    "redistribution": {
        Value.YES: (MAY, "Hand it on"),
        Value.CONDITIONAL: (CONDITION, "Hand it on"),
        Value.NO: (NOT, "Hand it on"),
    },
    "output_training_restriction": {
        Value.NO: (MAY, "Train other models on its outputs"),
        Value.CONDITIONAL: (CONDITION, "Train other models on its outputs"),
        Value.YES: (NOT, "Train other models on its outputs"),
    },
    "field_of_use_restrictions": {
        Value.NO: (MAY, "Use it for any purpose"),
        Value.CONDITIONAL: (CONDITION, "Keep within its field of use"),
        Value.YES: (NOT, "Use it for what its terms rule out"),
    },
    "geographic_exclusions": {
        Value.NO: (MAY, "Use it anywhere in the world"),
        Value.CONDITIONAL: (CONDITION, "Use it in {}"),
        Value.YES: (NOT, "Use it in {}"),
    },
    "usage_thresholds": {
        Value.NO: (MAY, "Use it at any size"),
        Value.YES: (CONDITION, "Use it at a size above its limits"),
    },
    "network_clause": {
        Value.NO: (MAY, "Offer it as a service"),
        Value.CONDITIONAL: (CONDITION, "Offer it as a service"),
        Value.YES: (CONDITION, "Offer it as a service, with its duties"),
    },
    "derivatives_same_license": {
        Value.NO: (MAY, "Put your own terms on what you make of it"),
        Value.CONDITIONAL: (CONDITION, "Put your own terms on what you make of it"),
        Value.YES: (CONDITION, "Hand on what you make of it, under the same licence"),
    },
    "attribution_required": {
        Value.CONDITIONAL: (CONDITION, "Credit its makers"),
        Value.YES: (CONDITION, "Credit its makers"),
    },
    "notice_file_required": {
        Value.CONDITIONAL: (CONDITION, "Keep its notice file"),
        Value.YES: (CONDITION, "Ship its notice"),
    },
    "naming_requirement": {Value.YES: (CONDITION, "Name what you make of it as it asks")},
    "disclosure_of_changes": {Value.YES: (CONDITION, "Say what you changed")},
    "acceptable_use_policy": {Value.YES: (CONDITION, "Keep to its use policy")},
    "patent_grant": {
        Value.YES: (MAY, "Use its makers’ patents in it"),
        Value.CONDITIONAL: (CONDITION, "Use its makers’ patents in it"),
        Value.NO: (NOT, "Rely on a patent licence"),
    },
    "trademark": {
        Value.YES: (MAY, "Use its makers’ marks"),
        Value.CONDITIONAL: (CONDITION, "Use its makers’ marks"),
        Value.NO: (NOT, "Use its makers’ marks"),
    },
    "patent_retaliation": {
        Value.YES: (NOT, "Go on using it after a lawsuit over it"),
        Value.CONDITIONAL: (CONDITION, "Go on using it after a lawsuit over it"),
    },
    "revocable": {
        Value.CONDITIONAL: (CONDITION, "Keep it for as long as you keep its terms"),
        Value.YES: (NOT, "Count on keeping it: its makers may take it back"),
    },
}
_METRICS = {
    "monthly-active-users": "{} monthly users",
    "daily-active-users": "{} daily users",
    "revenue": "{} of revenue",
    "output-tokens": "{} tokens put out",
}
_EFFECTS = {
    "separate-license": "needs a licence of its own",
    "display": "asks for a display",
    "royalty": "asks for a royalty",
    "rights-end": "ends all rights",
}
_WINDOWS = {
    "month": "{} a month",
    "year": "{} a year",
    "day": "{} a day",
    "release-date": "{} on the day of release",
    "month-before-release": "{} in the month before its release",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One sentence with its note, the quoted passage, and whether a person here has confirmed it."""

    key: str
    says: str
    note: str = ""
    passage: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """``unknown`` names the terms that count for nothing, with what an unconfirmed reading states of them."""

    may: tuple[Card, ...]
    condition: tuple[Card, ...]
    may_not: tuple[Card, ...]
    unknown: tuple[Card, ...]


def columns(reading: Reading) -> Columns:
    """Return what a licence allows, asks and forbids, in sentences."""
    found: dict[str, list[Card]] = {MAY: [], CONDITION: [], NOT: []}
    unknown = []
    for key, answers in _SAYS.items():
        value = reading.value(key)
        if value is Value.UNKNOWN:
            unknown.append(_unknown(reading, key))
        elif value in answers:
            column, sentence = answers[value]
            found[column].append(_card(reading, reading.terms[key], sentence))
    return Columns(tuple(found[MAY]), tuple(found[CONDITION]), tuple(found[NOT]), tuple(unknown))


def threshold_sentence(threshold: Threshold) -> str:
    """Return a threshold in words, as in ``From 700,000,000 monthly users``."""
    amount = f"{threshold.value:,} {threshold.currency}".strip()
    reached = _METRICS[threshold.metric].format(amount)
    window = (
        ""
        if threshold.metric.endswith("users") and threshold.window in ("month", "day")
        else threshold.window
    )
    reached = _WINDOWS.get(window, f"{{}} {window}").format(reached) if window else reached
    scope = f" ({threshold.scope})" if threshold.scope else ""
    return f"From {reached} it {_EFFECTS[threshold.effect]}{scope}"


def _card(reading: Reading, term: Term, sentence: str) -> Card:
    note = "; ".join(_notes(reading, term))
    if term.key == "geographic_exclusions":
        sentence = sentence.format(", ".join(term.items)).strip()
    return Card(term.key, sentence, note, term.passage, term.confirmed)


def _notes(reading: Reading, term: Term) -> Iterator[str]:
    if term.key == "attribution_required" and reading.display:
        yield "show " + " or ".join(f"“{text}”" for text in reading.display)
        if term.note in reading.display:
            return
    if term.key == "naming_requirement" and reading.name_prefix:
        yield f"the name begins with “{reading.name_prefix}”"
        return
    if term.key == "notice_file_required" and reading.notice:
        yield f"“{reading.notice}”"
        return
    if term.key == "usage_thresholds" and reading.thresholds:
        yield from (threshold_sentence(one) for one in reading.thresholds)
        return
    if term.key == "field_of_use_restrictions" and term.items:
        yield f"limits: {'; '.join(term.items)}"
    if term.note:
        yield term.note


def _unknown(reading: Reading, key: str) -> Card:
    term = reading.terms.get(key)
    stated = f"an unconfirmed reading says: {term.value}" if term and term.value is not Value.UNKNOWN else ""
    note = "; ".join(part for part in (stated, term.note if term else "") if part)
    return Card(key, TERMS[key].capitalize(), note)
