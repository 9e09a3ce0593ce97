"""Checking the chain: every entry, in order, in constant memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.audit.acts import ERASED
from hub.audit.canonical import content_digest, link_digest, personal_digest
from hub.audit.lines import Line, Wanted, export, moment_text
from hub.audit.models import Entry


@dataclass(slots=True)
class Outcome:
    """What a check found.  ``fault`` names the first broken entry and what is wrong with it; empty: all is well."""

    entries: int = 0
    head: str = ""
    last_at: str = ""
    personal_kept: int = 0
    personal_gone: int = 0
    personal_erased: int = 0
    fault: str = ""
    anchored: set[int] = field(default_factory=set)

    @property
    def is_unexplained(self) -> bool:
        """Say whether personal fields are gone that no act of erasing tells of."""
        return self.personal_gone != self.personal_erased


class _Broken(Exception):
    pass


def verify(anchors: Mapping[int, str] | None = None) -> Outcome:
    """Check the whole chain in the database; ``anchors`` are hashes noted elsewhere, by their places.

    A chain whose last entries were cut off is sound in itself: only an anchor tells.
    """
    outcome = check(
        ({**line, "actor_kind": line["actor"]["kind"], "actor": line["actor"]["key"]} for line in _stored()),
        anchors or {},
    )
    if not outcome.fault and Entry.objects.filter(seq__isnull=True).exists():
        outcome.fault = (
            "There are entries without a place in the chain: triggers were off when they were made."
        )
    return outcome


def _stored() -> Iterable[Line]:
    return export(Wanted(), personal=True)


def check(lines: Iterable[Mapping[str, Any]], anchors: Mapping[int, str]) -> Outcome:
    """Check lines as `hub.audit.lines.parse` returns them, from the first entry on."""
    outcome = Outcome()
    try:
        for line in lines:
            _check_one(line, outcome, anchors)
        missing = sorted(set(anchors) - outcome.anchored)
        if missing:
            raise _Broken(
                f"The chain ends at entry {outcome.entries}; entry {missing[0]} was noted elsewhere."
            )
    except _Broken as broken:
        outcome.fault = str(broken)
    except ValueError as unread:
        outcome.fault = f"After entry {outcome.entries}: {unread}"
    return outcome


def _check_one(line: Mapping[str, Any], outcome: Outcome, anchors: Mapping[int, str]) -> None:
    seq, expected = line["seq"], outcome.entries + 1
    if seq != expected:
        raise _Broken(f"Entry {expected} is missing: {seq} follows {outcome.entries}.")
    if line["prev_hash"] != outcome.head:
        raise _Broken(f"Entry {seq} does not follow the entry before it.")
    _check_content(line)
    at = datetime.fromisoformat(line["at"])
    if line["hash"] != link_digest(seq=seq, at=at, prev_hash=line["prev_hash"], content=line["content"]):
        raise _Broken(f"Entry {seq} was changed: its place, its time or its hash is another.")
    if anchors.get(seq, line["hash"]) != line["hash"]:
        raise _Broken(f"Entry {seq} is not the one that was noted elsewhere.")
    outcome.anchored.update({seq} & anchors.keys())
    _check_personal(line, outcome)
    if line["act"] == ERASED:
        outcome.personal_erased += line["data"].get("rows", 0)
    outcome.entries, outcome.head, outcome.last_at = seq, line["hash"], moment_text(at)


def _check_content(line: Mapping[str, Any]) -> None:
    try:
        digest = content_digest(line)
    except (KeyError, TypeError):
        digest = ""
    if digest != line["content"]:
        raise _Broken(f"Entry {line['seq']} was changed: what it says is not what was sealed.")


def _check_personal(line: Mapping[str, Any], outcome: Outcome) -> None:
    if "details" not in line:
        return
    covered = list(line["personal"])
    for detail in line["details"]:
        digest = personal_digest(detail["salt"], detail["data"])
        if digest not in covered:
            raise _Broken(f"Entry {line['seq']} was changed: what it tells of people is not what was sealed.")
        covered.remove(digest)
        outcome.personal_kept += 1
    outcome.personal_gone += len(covered)
