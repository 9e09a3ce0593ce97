"""Taking what is known of a person out of the log, which stays as sound as it was."""

from django.db import transaction

from hub.audit.acts import ERASED
from hub.audit.chain import Actor, append, system
from hub.audit.models import Personal


def erase(person: int, *, actor: Actor | None = None) -> int:
    """Delete the personal fields of a user from every entry; returns how many entries told of them.

    What is left says "user 12".  The act of erasing is an entry itself, so that a check can tell it from tampering.
    """
    with transaction.atomic():
        rows = Personal.objects.filter(person=person).delete()[0]
        if rows:
            data = {"person": person, "rows": rows}
            append(act=ERASED, actor=actor or system("erase"), subject=f"user:{person}", data=data)
    return rows


def person_called(name: str) -> int | None:
    """Return the number of the user whom entries call by this name; for accounts that are gone."""
    found = Personal.objects.filter(data__name=name, person__isnull=False).order_by("-pk")
    return found.values_list("person", flat=True).first()
