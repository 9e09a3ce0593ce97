"""What a xorb that is damaged, or whole again, means for the blobs that are put together from it."""

from storage.models import Blob, Form, Xorb
from storage.quarantine import quarantine_if_unsound, release_if_sound


def locked(blobs: set[int]) -> list[Blob]:
    """Lock blobs in the one order that everybody who locks several of them keeps to, and return them."""
    return list(Blob.objects.select_for_update(no_key=True).filter(pk__in=blobs).order_by("sha256"))


def damage_forms(xorb: Xorb) -> list[Blob]:
    """Mark every form that needs this xorb as damaged; returns the blobs that have no sound form left.

    The caller's transaction holds the xorb's row.
    """
    forms = Form.objects.filter(recipe__in=xorb.needed_by.values("recipe"))
    blobs = locked(set(forms.values_list("blob", flat=True)))
    forms.update(state=Form.State.DAMAGED)
    for blob in blobs:
        quarantine_if_unsound(blob)
    return [blob for blob in blobs if blob.quarantined_at is not None]


def heal_forms(xorb: Xorb) -> list[Blob]:
    """Mark every form as sound whose xorbs are all sound now; returns their blobs.

    The caller's transaction holds the xorb's row.
    """
    damaged = Xorb.objects.filter(state=Xorb.State.DAMAGED)
    forms = Form.objects.filter(recipe__in=xorb.needed_by.values("recipe")).exclude(
        recipe__in=damaged.values("needed_by__recipe").filter(needed_by__isnull=False)
    )
    whole = dict(forms.values_list("pk", "blob"))
    blobs = locked(set(whole.values()))
    Form.objects.filter(pk__in=whole).update(state=Form.State.OK)
    for blob in blobs:
        release_if_sound(blob)
    return blobs
