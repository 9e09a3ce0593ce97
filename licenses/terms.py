"""PURE: what a licence says, as values that a program can compare.

A term has one of four values.  ``conditional`` is the honest answer for most licences written for models; ``unknown``
is never permission.  `Reading.value` is what counts: a term that nobody verified, or that stands in a reading marked
low, is unknown whatever it states.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Value(StrEnum):
    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How far a reading can be trusted: ``low`` asks for a person to read the text before anything counts."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


# What the licence lets one do, with the words that people see.
PERMISSIONS: Mapping[str, str] = {
    "commercial_use": "commercial use",
    "redistribution": "redistribution",
    "modification": "modification",
    "patent_grant": "a patent grant",
    "trademark": "use of trademarks",
}
# What the licence asks or forbids.
LIMITS: Mapping[str, str] = {
    "attribution_required": "attribution",
    "notice_file_required": "a notice file",
    "naming_requirement": "a name for derivatives",
    "derivatives_same_license": "the same licence for derivatives",
    "disclosure_of_changes": "marking of changes",
    "acceptable_use_policy": "an acceptable use policy",
    "field_of_use_restrictions": "limits on the field of use",
    "geographic_exclusions": "excluded countries",
    "usage_thresholds": "thresholds of use",
    "output_training_restriction": "limits on training with outputs",
    "network_clause": "duties for hosted services",
    "patent_retaliation": "an end of rights for those who sue",
    "revocable": "a right to revoke",
    "gating_usual": "consent before download",
}
TERMS: Mapping[str, str] = {**PERMISSIONS, **LIMITS}

CATEGORIES = (
    "permissive",
    "weak-copyleft",
    "copyleft",
    "responsible-AI",
    "source-available",
    "non-commercial",
    "research-only",
    "proprietary",
    "ambiguous",
    "unknown",
)
# Categories whose terms leave a receiver free to put own terms on own changes, as long as notices are kept.
PERMISSIVE = "permissive"

METRICS = ("monthly-active-users", "daily-active-users", "revenue", "output-tokens")
EFFECTS = ("separate-license", "display", "royalty", "rights-end")
DOCUMENT_KINDS = ("license", "use-policy", "notice", "translation")

_PERMISSION_ORDER = (Value.NO, Value.UNKNOWN, Value.CONDITIONAL, Value.YES)
_LIMIT_ORDER = (Value.YES, Value.UNKNOWN, Value.CONDITIONAL, Value.NO)
_NO_SYMBOL = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One answer.  ``passage`` quotes the words it rests on; ``confirmed`` says that a person here verified it."""

    key: str
    value: Value
    note: str = ""
    items: tuple[str, ...] = ()
    passage: str = ""
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """From ``value`` on (a count, or money in ``currency``) within ``window``, ``effect`` sets in for ``scope``."""

    metric: str
    value: int
    effect: str
    currency: str = ""
    window: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class TextKey:
    """Where a canonical text is found in the data package."""

    kind: str
    key: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One licence as read.  ``display``, ``name_prefix`` and ``notice`` are strings to look for exactly."""

    id: str
    name: str
    category: str
    confidence: Confidence
    family: str
    spdx: str = ""
    steward: str = ""
    version: str = ""
    url: str = ""
    osi: Value = Value.UNKNOWN
    osaid: str = ""
    contact: str = ""
    aliases: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    source: str = ""
    documents: tuple[TextKey, ...] = ()
    display: tuple[str, ...] = ()
    display_on: str = "repo"
    name_prefix: str = ""
    notice: str = ""
    geography_scope: str = ""
    adapters: str = ""
    thresholds: tuple[Threshold, ...] = ()
    terms: Mapping[str, Term] = field(default_factory=dict)

    def value(self, key: str) -> Value:
        """Return what counts for a term; absent, unverified and low-confidence terms are unknown."""
        term = self.terms.get(key)
        if term is None or (self.confidence is Confidence.LOW and not term.confirmed):
            return Value.UNKNOWN
        return term.value

    def note(self, key: str) -> str:
        term = self.terms.get(key)
        return term.note if term else ""

    def items(self, key: str) -> tuple[str, ...]:
        term = self.terms.get(key)
        return term.items if term else ()

    @property
    def symbol(self) -> str:
        """Return the SPDX id, or a LicenseRef of our own where SPDX has none."""
        return self.spdx or f"LicenseRef-{_NO_SYMBOL.sub('-', self.id.replace('+', 'plus')).strip('-')}"

    @property
    def is_permissive(self) -> bool:
        return self.category == PERMISSIVE and self.confidence is not Confidence.LOW


def fold(key: str, values: Iterable[Value]) -> Value:
    """Return the strictest of several answers to one term; unknown where there is none.

    Permissions intersect (no, unknown, conditional, yes), limits unite (yes, unknown, conditional, no).
    """
    order = _PERMISSION_ORDER if key in PERMISSIONS else _LIMIT_ORDER
    return min(values, key=order.index, default=Value.UNKNOWN)
