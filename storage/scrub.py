"""Looking after what is kept: every form is read back and hashed again from time to time."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from storage import proof
from storage.errors import ObjectMissing, WrongSize
from storage.models import Blob, Form
from storage.quarantine import quarantine_if_unsound, release_if_sound


def due(limit: int, older_than: timedelta) -> QuerySet[Form]:
    """Return up to `limit` sound forms not looked at (or made) within `older_than`, oldest first."""
    looked_at = Coalesce("scrubbed_at", "created_at")
    forms = Form.objects.filter(state=Form.State.OK).annotate(looked_at=looked_at)
    old = forms.filter(looked_at__lt=timezone.now() - older_than)
    return old.select_related("blob").order_by("looked_at")[:limit]


def check(form: Form, *, progress: Callable[[int], None]) -> str:
    """Read a form and return what is wrong with it, or "" when it is sound.

    A store that does not answer says nothing about the bytes: that raises StoreUnavailable.
    """
    try:
        found = proof.hash_object(form.key, form.blob.size, progress=progress)
    except (ObjectMissing, WrongSize) as error:
        return str(error)
    return "" if found == form.blob.sha256 else f"The stored bytes hash to {found}."


def mark_sound(form: Form) -> None:
    """Record that a form was found sound just now; one that was damaged is handed out again."""
    _mark(form, Form.State.OK)


def mark_damaged(form: Form) -> Blob:
    """Record that a form is damaged and return its blob, quarantined when this was its last sound form."""
    return _mark(form, Form.State.DAMAGED)


def _mark(form: Form, state: Form.State) -> Blob:
    with transaction.atomic():
        blob = Blob.objects.select_for_update().get(pk=form.blob_id)
        Form.objects.filter(pk=form.pk).update(state=state, scrubbed_at=timezone.now())
        quarantine_if_unsound(blob)
        release_if_sound(blob)
    return blob
