"""PURE: what was found, as JSON for the columns of a case, and back.  Everything is bounded on its way in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from licenses.duties import Duty
from licenses.findings import Code, Finding, Severity
from licenses.identify import Declared
from licenses.lineage import Inherited, Lineage
from licenses.matches import Detection, Match, Passage, Status
from licenses.terms import TERMS, Threshold, Value

Json = dict[str, Any]
MAX_FINDINGS = 200
MAX_PASSAGES = 20
MAX_PASSAGE = 4000
MAX_MISSING = 400
# Sentences that were kept before the hub wrote "licence"; names, ids and what stands in quotes are not words of ours.
_KEPT = re.compile(r"""(?<!\w)('[^']*'|"[^"]*")|(?<![\w\-./`])license(?=s?(?:[,.;:]?(?:\s|$)|'s\b))""")


def clean(text: str) -> str:
    """Return a text that PostgreSQL's JSON takes: neither the NUL character nor half a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def finding_to_json(finding: Finding) -> Json:
    """Return a finding; every text in it is made keepable."""
    return {key: clean(str(value)) for key, value in asdict(finding).items()}


def finding_from_json(told: Mapping[str, Any]) -> Finding:
    return Finding(
        Code(told["code"]), Severity(told["severity"]), _spelt(told["message"]), _spelt(told.get("clear", "")),
        told.get("license", ""), told.get("term", ""), told.get("subject", ""),
    )  # fmt: skip


def _spelt(sentence: str) -> str:
    return _KEPT.sub(lambda found: found[1] or "licence", sentence)


def findings_to_json(findings: Sequence[Finding]) -> list[Json]:
    return [finding_to_json(one) for one in findings[:MAX_FINDINGS]]


def findings_from_json(told: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    return tuple(finding_from_json(one) for one in told)


def declared_to_json(declared: Declared) -> Json:
    return {
        "raw": [clean(one) for one in declared.raw], "ids": list(declared.ids), "name": clean(declared.name),
        "link": clean(declared.link),
    }  # fmt: skip


def declared_from_json(told: Mapping[str, Any]) -> Declared:
    """Return what a card declared; what was unsure about it stands among the findings of the case."""
    return Declared(
        tuple(told.get("raw", ())), tuple(told.get("ids", ())), told.get("name", ""), told.get("link", "")
    )


def detection_to_json(path: str, found: Detection) -> Json:
    return {
        "path": clean(path),
        "status": str(found.status),
        "matches": [asdict(one) for one in found.matches],
        "residue": [
            asdict(one) | {"words": clean(one.words[:MAX_PASSAGE]), "text": clean(one.text[:MAX_PASSAGE])}
            for one in found.residue[:MAX_PASSAGES]
        ],
        "missing": [clean(word) for word in found.missing[:MAX_MISSING]],
        "runner_up": asdict(found.runner_up) if found.runner_up else None,
        "note": clean(found.note),
    }  # fmt: skip


def detection_from_json(told: Mapping[str, Any]) -> Detection:
    runner_up = told.get("runner_up")
    return Detection(
        Status(told["status"]),
        tuple(Match(**one) for one in told.get("matches", ())),
        tuple(Passage(**one) for one in told.get("residue", ())),
        tuple(told.get("missing", ())),
        Match(**runner_up) if runner_up else None,
        told.get("note", ""),
    )


def lineage_to_json(lineage: Lineage) -> Json:
    """Return what binds a model; its findings stand in a column of their own."""
    return {
        "concluded": lineage.concluded,
        "effective_use": lineage.effective_use,
        "licenses": list(lineage.licenses),
        "use_licenses": list(lineage.use_licenses),
        "values": {key: str(value) for key, value in lineage.values.items()},
        "thresholds": [asdict(one) for one in lineage.thresholds],
        "geography": [asdict(one) for one in lineage.geography],
        "duties": sorted((asdict(one) for one in lineage.duties), key=lambda one: tuple(one.values())),
        "gate": lineage.gate,
    }


def lineage_from_json(told: Mapping[str, Any]) -> Lineage:
    """Return what binds a model, without findings; of a case that was never settled nothing is known."""
    values = told.get("values", {})
    return Lineage(
        concluded=told.get("concluded", ""),
        effective_use=told.get("effective_use", ""),
        licenses=tuple(told.get("licenses", ())),
        use_licenses=tuple(told.get("use_licenses", ())),
        values={key: Value(values.get(key, Value.UNKNOWN)) for key in TERMS},
        thresholds=tuple(_inherited(one) for one in told.get("thresholds", ())),
        geography=tuple(_inherited(one) for one in told.get("geography", ())),
        duties=frozenset(Duty(**one) for one in told.get("duties", ())),
        findings=(),
        gate=told.get("gate", "open"),
    )


def _inherited(told: Mapping[str, Any]) -> Inherited:
    threshold = told.get("threshold")
    return Inherited(
        told["license"], told["origin"], Threshold(**threshold) if threshold else None, told.get("region", ""),
        told.get("scope", ""), told.get("modality", ""),
    )  # fmt: skip
