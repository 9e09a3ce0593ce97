"""PURE: what is wrong or open, so that a person can act: a reason code, the term it rests on, what clears it."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why something is held or asked.  The words are part of the API; none is ever given another meaning."""

    LIC_MISSING = "LIC-MISSING"
    LIC_MISMATCH = "LIC-MISMATCH"
    LIC_ALTERED = "LIC-ALTERED"
    LIC_AMBIGUOUS = "LIC-AMBIGUOUS"
    LIN_UNRESOLVED = "LIN-UNRESOLVED"
    LIN_RELICENSED = "LIN-RELICENSED"
    LIN_CONFLICT = "LIN-CONFLICT"
    DUTY_NAME = "DUTY-NAME"
    DUTY_NOTICE = "DUTY-NOTICE"
    DUTY_ATTRIB = "DUTY-ATTRIB"
    DUTY_TEXT = "DUTY-TEXT"
    DUTY_AUP = "DUTY-AUP"
    GEO = "GEO"
    FIELD = "FIELD"
    THRESHOLD = "THRESHOLD"
    HUB_HOSTING = "HUB-HOSTING"
    OUTPUT_TRAINING = "OUTPUT-TRAINING"
    TEXT_CHANGED = "TEXT-CHANGED"
    STEWARD_TERMINATED = "STEWARD-TERMINATED"


class Severity(StrEnum):
    """``block`` holds the weights; ``fix`` asks the uploader for a file, a string, a name or an answer."""

    BLOCK = "block"
    FIX = "fix"
    WARN = "warn"
    INFO = "info"


_ORDER = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Finding:
    """``license`` and ``term`` cite what the finding rests on, ``subject`` is where it comes from."""

    code: Code
    severity: Severity
    message: str
    clear: str = ""
    license: str = ""
    term: str = ""
    subject: str = ""

    @property
    def holds(self) -> bool:
        return self.severity in (Severity.BLOCK, Severity.FIX)


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Return the findings without doubles, the gravest first."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda finding: _ORDER.index(finding.severity)))
