"""PURE: the message that asks an uploader for changes, put together from the findings.

It names every fault with the term it rests on and what would clear it, and asks for nothing that no finding says.
"""

from collections.abc import Mapping, Sequence

from licenses.findings import Finding, Severity, in_order
from licenses.terms import TERMS, Reading

MAX_FINDINGS = 40


def compose(label: str, findings: Sequence[Finding], readings: Mapping[str, Reading]) -> str:
    """Return the message in plain text, the gravest first; a person reads and changes it before it is sent."""
    asked = [one for one in in_order(list(findings)) if one.holds]
    told = [one for one in in_order(list(findings)) if one.severity is Severity.WARN]
    if not asked and not told:
        return f"The review of {label} asks for something that no finding names:\n\n"
    parts = [f"Before {label} can be released, this is needed:"] if asked else [f"About {label}:"]
    parts += [_item(number, one, readings) for number, one in enumerate(asked[:MAX_FINDINGS], start=1)]
    if (more := len(asked) - MAX_FINDINGS) > 0:
        parts.append(f"And {more} more; the page of the model lists them all.")
    if told:
        parts.append("Not needed for a release, yet better mended:" if asked else "Better mended:")
        parts += [f"- {one.message} {one.clear}".strip() for one in told[:MAX_FINDINGS]]
    if asked:
        parts.append("Push the change to main: it is read at once, and the review goes on by itself.")
    return "\n\n".join(parts) + "\n"


def _item(number: int, finding: Finding, readings: Mapping[str, Reading]) -> str:
    lines = [f"{number}. {finding.message}"]
    if finding.clear:
        lines.append(f"   To do: {finding.clear}")
    lines.append(f"   Rests on: {cite(finding, readings)}")
    return "\n".join(lines)


def cite(finding: Finding, readings: Mapping[str, Reading]) -> str:
    """Return what a finding rests on: its code, and the licence and term where it has them."""
    names = [
        readings[one].name if one in readings else one
        for one in (part.strip() for part in finding.license.split(","))
        if one
    ]
    what = TERMS.get(finding.term, "")
    rest = ", ".join([*names, *([what] if what else [])])
    return f"{finding.code} ({rest})" if rest else str(finding.code)
