"""Reading the chain: what stood at a moment, and who is behind an entry."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet

from hub.audit.acts import CLEARANCE, REPO_DELETED, REPO_DISABLED, REVIEW
from hub.audit.models import Entry, Personal

Kind = Entry.ActorKind


def standing(at: datetime, acts: Collection[str] = (CLEARANCE, REPO_DELETED)) -> QuerySet[Entry]:
    """Return, for each subject, the last entry of these acts up to a moment; by default what its bytes were held to."""
    told = Entry.objects.filter(act__in=acts, seq__isnull=False, at__lte=at)
    return Entry.objects.filter(pk__in=told.order_by("subject", "-seq").distinct("subject").values("pk"))


def released(at: datetime, values: Iterable[str]) -> QuerySet[Entry]:
    """Return the entries of what was released at a moment: those whose clearance then is one of ``values``.

    What an administrator had disabled then is not among them.
    """
    found = standing(at).filter(act=CLEARANCE, data__clearance__in=list(values))
    disabled = standing(at, [REPO_DISABLED]).filter(data__disabled=True)
    return found.exclude(subject__in=disabled.values("subject")).order_by("label", "pk")


def cited(entries: Iterable[Entry]) -> dict[int, list[Entry]]:
    """Return the acts of review that led to these entries: of the same case, and before."""
    entries = list(entries)
    cases = {str(entry.data["case"]) for entry in entries if entry.data.get("case")}
    subjects = {entry.subject for entry in entries}
    found = Entry.objects.filter(
        subject__in=subjects, act__startswith=REVIEW, data__case__in=sorted(cases), seq__isnull=False
    )
    by_case: dict[tuple[str, str], list[Entry]] = {}
    for one in found.order_by("seq"):
        by_case.setdefault((one.subject, one.data["case"]), []).append(one)
    return {
        entry.pk: [
            one
            for one in by_case.get((entry.subject, str(entry.data.get("case"))), [])
            if _before(one, entry)
        ]
        for entry in entries
    }


def _before(one: Entry, entry: Entry) -> bool:
    return one.seq is not None and entry.seq is not None and one.at <= entry.at


def actors(entries: Iterable[Entry]) -> dict[int, str]:
    """Return what to call whoever acted, by the entry's number: a name, a number where it was erased, a policy."""
    entries = list(entries)
    persons = {entry.pk: entry for entry in entries if entry.actor_kind == Kind.PERSON}
    told = Personal.objects.filter(entry__in=persons).values_list("entry", "person", "data__name")
    names = {pk: name for pk, who, name in told if name and str(who) == persons[pk].actor}
    return {entry.pk: names.get(entry.pk) or _unnamed(entry) for entry in entries}


def _unnamed(entry: Entry) -> str:
    match entry.actor_kind:
        case Kind.PERSON:
            return f"user {entry.actor} (name erased)"
        case Kind.POLICY:
            return f"policy {entry.actor}"
        case _:
            return f"the hub ({entry.actor})"


def setting_at(name: str, at: datetime) -> str:
    """Return what a setting that is written down was at a moment, or '' where nothing was written by then."""
    last = (
        Entry.objects.filter(subject=f"setting:{name}", at__lte=at, seq__isnull=False)
        .order_by("-seq")
        .first()
    )
    return str(last.data["value"]) if last else ""
