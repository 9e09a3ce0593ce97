"""What reviewers and staff may ask the audit log: what was permitted at a moment, on whose word, and what was done."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.audit import reading
from hub.audit.lines import Wanted
from hub.audit.models import Entry
from hub.catalog.access import may_review
from hub.catalog.errors import BadRequest, NotAllowed, SignInNeeded
from hub.catalog.models import Repo

Clearance = Repo.Clearance
RELEASING = (Clearance.CLEAR, Clearance.DECLARED)
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Permitted:
    """One repo that was released: the entry that says so, who is behind it, and the acts of review it rests on.

    ``repo`` is None where it is gone by now.
    """

    entry: Entry
    who: str
    repo: Repo | None
    citing: list[tuple[Entry, str]] = field(default_factory=list)


def require_audit(viewer: Viewer) -> None:
    """Raise unless the viewer may read the log: reviewers and staff, with a token that narrows nothing."""
    if viewer.user is None:
        raise SignInNeeded("Sign in as a reviewer to read the audit log.")
    if not may_review(viewer):
        raise NotAllowed("The audit log is for reviewers and administrators.")


def moment(text: str, *, field: str, end_of_day: bool = False) -> datetime | None:
    """Read a date or a moment, None for nothing; a date without a time is its end or its begin, in UTC.

    Raises BadRequest naming the field.
    """
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        # Behind its zone the first and the last day of the calendar may lie outside of it.
        read = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            f"{field} must be a date such as 2026-01-31, or a moment, not {text[:80]!r}."
        ) from None
    if end_of_day and len(text) == len("2026-01-31") and read.time() == time():
        return read + timedelta(days=1) - timedelta(microseconds=1) if read.year < 9999 else read
    return read


def permitted(
    viewer: Viewer, at: datetime | None, *, text: str = "", license_id: str = ""
) -> QuerySet[Entry]:
    """Return the entries of the repos whose terms were settled for everyone at a moment (None: now), by name."""
    require_audit(viewer)
    found = reading.released(at or timezone.now(), [str(one) for one in RELEASING])
    if text:
        found = found.filter(Q(label__icontains=text) | Q(subject=text))
    return found.filter(data__licenses__contains=[license_id]) if license_id else found


def explained(entries: Sequence[Entry]) -> list[Permitted]:
    """Return these entries with the people and acts behind them, in four queries."""
    citing = reading.cited(entries)
    names = reading.actors([*entries, *(one for few in citing.values() for one in few)])
    repos = Repo.objects.in_bulk([entry.subject for entry in entries if _is_number(entry.subject)])
    by_subject = {str(pk): repo for pk, repo in repos.items()}
    return [
        Permitted(
            entry,
            names[entry.pk],
            by_subject.get(entry.subject),
            [(one, names[one.pk]) for one in citing[entry.pk]],
        )
        for entry in entries
    ]


def _is_number(subject: str) -> bool:
    return len(subject) == 36 and subject.count("-") == 4


def in_batches(entries: QuerySet[Entry]) -> Iterator[Permitted]:
    """Yield all of them explained, some hundred in memory at a time."""
    batch: list[Entry] = []
    for entry in entries.iterator(chunk_size=AT_ONCE):
        batch.append(entry)
        if len(batch) == AT_ONCE:
            yield from explained(batch)
            batch = []
    yield from explained(batch)


def review_mode(at: datetime | None) -> str:
    """Return HUB_REVIEW as it was at a moment: only ``enforced`` kept back what was not released; '' is not known."""
    return reading.setting_at("HUB_REVIEW", at or timezone.now())


def entries(viewer: Viewer, wanted: Wanted, *, before: int | None = None) -> QuerySet[Entry]:
    """Return entries, the newest first, that come before a place."""
    require_audit(viewer)
    found = replace(wanted, actor=_actor_key(wanted.actor)).entries().order_by("-seq")
    return found.filter(seq__lt=before) if before is not None else found


def _actor_key(actor: str) -> str:
    """Return the number of the user of a name, as entries keep it; numbers and policies stay as they are."""
    user = User.objects.filter(username__iexact=actor).first() if actor else None
    return str(user.pk) if user is not None else actor


def named(found: Iterable[Entry]) -> list[tuple[Entry, str]]:
    """Return entries with what to call whoever acted."""
    found = list(found)
    names = reading.actors(found)
    return [(entry, names[entry.pk]) for entry in found]
