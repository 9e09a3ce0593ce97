"""Entries as lines of JSON: what is exported, and what a check reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from hub.audit.models import Entry, Personal

Line = dict[str, Any]
AT_ONCE = 1000
# One entry is a few kilobytes at most; what is longer was not written by an export.
LONGEST_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: between two moments (the later one excluded), of an act, subject, actor; all where not given."""

    since: datetime | None = None
    until: datetime | None = None
    act: str = ""
    subject: str = ""
    actor: str = ""

    def entries(self) -> QuerySet[Entry]:
        """Return the entries that have their place, in the order of the chain."""
        found = Entry.objects.filter(seq__isnull=False).order_by("seq")
        found = found.filter(at__gte=self.since) if self.since else found
        found = found.filter(at__lt=self.until) if self.until else found
        if self.act:
            # "review." names all acts that begin with it.
            found = found.filter(**{"act__startswith" if self.act.endswith(".") else "act": self.act})
        found = found.filter(subject=self.subject) if self.subject else found
        return found.filter(actor=self.actor) if self.actor else found


def moment_text(moment: datetime) -> str:
    """Return a moment with all of its microseconds: the chain covers them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line_of(entry: Entry, details: list[Personal] | None = None) -> Line:
    """Return an entry as a line; with ``details`` it also tells what is kept of people."""
    line: Line = {
        "seq": entry.seq, "at": moment_text(entry.at), "act": entry.act,
        "actor": {"kind": entry.actor_kind, "key": entry.actor}, "role": entry.role, "subject": entry.subject,
        "label": entry.label, "data": entry.data, "personal": entry.personal, "content": entry.content,
        "prev_hash": entry.prev_hash, "hash": entry.hash,
    }  # fmt: skip
    if details is not None:
        line["details"] = [{"person": one.person, "salt": one.salt, "data": one.data} for one in details]
    return line


def export(wanted: Wanted, *, personal: bool) -> Iterator[Line]:
    """Yield lines in the order of the chain, a thousand in memory at a time."""
    entries = wanted.entries()
    if not personal:
        yield from (line_of(entry) for entry in entries.iterator(chunk_size=AT_ONCE))
        return
    for entry in entries.prefetch_related("details").iterator(chunk_size=AT_ONCE):
        yield line_of(entry, list(entry.details.all()))


def dump(line: Line) -> str:
    """Return one line of an export, without its end."""
    return json.dumps(line, separators=(",", ":"))


def parse(text: str, number: int) -> Line:
    """Read line ``number`` of an export back; raises ValueError naming the line and its fault."""
    if len(text) > LONGEST_LINE:
        raise ValueError(f"line {number} is longer than {LONGEST_LINE} characters")
    try:
        line = json.loads(text)
        actor = line["actor"]
        line["actor_kind"], line["actor"] = actor["kind"], actor["key"]
        datetime.fromisoformat(line["at"])
        kept = {name: line[name] for name in ("seq", "content", "prev_hash", "hash", "personal")}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"line {number} is no entry of an export: {error!r}") from None
    if not isinstance(kept["seq"], int) or not all(isinstance(kept[n], str) for n in ("prev_hash", "hash")):
        raise ValueError(f"line {number} is no entry of an export: its place in the chain is missing")
    return dict(line)
