"""When a blob may not be handed out."""

from django.utils import timezone

from storage.models import Blob, Form

NO_SOUND_FORM = "No sound form of these bytes is left."


def quarantine_if_unsound(blob: Blob) -> None:
    """Hold a blob back when its last sound form is gone; the caller has locked its row."""
    if blob.quarantined_at is None and not blob.forms.filter(state=Form.State.OK).exists():
        blob.quarantined_at, blob.quarantine_reason = timezone.now(), NO_SOUND_FORM
        blob.save(update_fields=["quarantined_at", "quarantine_reason"])


def release_if_sound(blob: Blob) -> None:
    """Let a blob go that was held back for want of a sound form; held for another reason, it stays held."""
    if blob.quarantine_reason == NO_SOUND_FORM and blob.forms.filter(state=Form.State.OK).exists():
        blob.quarantined_at, blob.quarantine_reason = None, ""
        blob.save(update_fields=["quarantined_at", "quarantine_reason"])
