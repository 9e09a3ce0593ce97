"""What a xorb that is damaged, or whole again, means for the blobs that are put together from it."""

from collections.abc import Iterable

from storage.models import Blob, Form, Xorb
from storage.quarantine import quarantine_if_unsound, release_if_sound


def _forms_of(xorb: Xorb) -> Iterable[Form]:
    needs = Form.objects.filter(recipe__in=xorb.needed_by.values("recipe"))
    return needs.order_by("blob_id").only("pk", "blob_id", "recipe_id")


def damage_forms(xorb: Xorb) -> list[Blob]:
    """Mark every form that needs this xorb as damaged; returns the blobs that have no sound form left.

    The caller's transaction holds the xorb's row.
    """
    held_back = []
    for form in _forms_of(xorb):
        blob = Blob.objects.select_for_update().get(pk=form.blob_id)
        Form.objects.filter(pk=form.pk).update(state=Form.State.DAMAGED)
        quarantine_if_unsound(blob)
        if blob.quarantined_at is not None:
            held_back.append(blob)
    return held_back


def heal_forms(xorb: Xorb) -> list[Blob]:
    """Mark every form as sound whose xorbs are all sound now; returns their blobs.

    The caller's transaction holds the xorb's row.
    """
    healed = []
    for form in _forms_of(xorb):
        blob = Blob.objects.select_for_update().get(pk=form.blob_id)
        if not Xorb.objects.filter(needed_by__recipe=form.recipe_id, state=Xorb.State.DAMAGED).exists():
            Form.objects.filter(pk=form.pk).update(state=Form.State.OK)
            release_if_sound(blob)
            healed.append(blob)
    return healed
