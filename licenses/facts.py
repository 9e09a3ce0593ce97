"""PURE: what is known of a subject when a policy is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from licenses.findings import Code, Finding, Severity, in_order
from licenses.identify import Identification
from licenses.lineage import Lineage
from licenses.terms import Confidence, Reading

_ABOUT_ANCESTORS = (Code.LIN_UNRESOLVED, Code.LIN_RELICENSED, Code.LIN_CONFLICT, Code.OUTPUT_TRAINING)


@dataclass(frozen=True, slots=True)
class Waiver:
    """One policy set aside for one subject, by someone, for a reason, until a moment."""

    policy: str
    subject: str
    reason: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a subject.

    ``reviewed_texts`` are the hashes that the last decision rested on, None before any; ``texts`` are those of now.
    """

    subject: str
    categories: tuple[str, ...] = ()
    confidences: tuple[Confidence, ...] = ()
    identification: str = "open"
    ancestors_clear: bool = False
    findings: tuple[Finding, ...] = ()
    texts: frozenset[str] = frozenset()
    reviewed_texts: frozenset[str] | None = None
    precedent: str = ""
    waivers: tuple[Waiver, ...] = ()


def facts_of(
    subject: str,
    identification: Identification,
    lineage: Lineage,
    readings: Mapping[str, Reading],
    *,
    texts: frozenset[str] = frozenset(),
    reviewed_texts: frozenset[str] | None = None,
    precedent: str = "",
    waivers: tuple[Waiver, ...] = (),
) -> Facts:
    """Put together what identification and lineage found; a licence outside the catalogue is of unknown category."""
    known = [readings.get(one) for one in lineage.use_licenses]
    above = [one for one in lineage.findings if one.code in _ABOUT_ANCESTORS and one.holds]
    return Facts(
        subject=subject,
        categories=tuple(one.category if one else "unknown" for one in known),
        confidences=tuple(one.confidence if one else Confidence.LOW for one in known),
        identification=identification.standing,
        ancestors_clear=not above,
        findings=in_order([*identification.findings, *lineage.findings]),
        texts=texts,
        reviewed_texts=reviewed_texts,
        precedent=precedent,
        waivers=waivers,
    )


def text_changes(facts: Facts) -> tuple[Finding, ...]:
    """Return a finding where the texts are no longer those that the last decision rested on."""
    if facts.reviewed_texts is None or facts.reviewed_texts == facts.texts:
        return ()
    return (
        Finding(
            Code.TEXT_CHANGED,
            Severity.FIX,
            "A licence text, here or above, is no longer the one that was reviewed.",
            "A reviewer reads the changed text; people are then asked again.",
            subject=facts.subject,
        ),
    )


def consent_covers(accepted: frozenset[str], required: frozenset[str]) -> bool:
    """Say whether consent to some texts covers all that are required now; consent is never stretched."""
    return required <= accepted
