"""What a xorb that is damaged, or whole again, means for the blobs that are put together from it."""

from django.db import transaction
from django.db.models import Q, QuerySet

from storage.models import Blob, Form, RecipeXorb, Xorb
from storage.quarantine import quarantine_if_unsound, release_if_sound

OK, DAMAGED = Form.State.OK, Form.State.DAMAGED


def locked(blobs: set[int]) -> list[Blob]:
    """Lock blobs in the one order that everybody who locks several of them keeps to, and return them."""
    return list(Blob.objects.select_for_update(no_key=True).filter(pk__in=blobs).order_by("sha256"))


def settle_forms(xorb: Xorb) -> list[Blob]:
    """Make every form that needs this xorb as sound as its xorbs are; returns the blobs of these forms.

    The caller's transaction holds the xorb's row and has written its state.
    """
    return _settled(Form.objects.filter(recipe__in=xorb.needed_by.values("recipe")))


def repair_forms() -> int:
    """Do the same for every form that disagrees with its xorbs; returns how many did."""
    damaged = _damaged_recipes()
    wrong = Form.objects.filter(kind=Form.Kind.CHUNKED).filter(
        Q(state=OK, recipe__in=damaged) | Q(state=DAMAGED) & ~Q(recipe__in=damaged)
    )
    found = list(wrong.values_list("pk", flat=True))
    if found:
        with transaction.atomic():
            _settled(Form.objects.filter(pk__in=found))
    return len(found)


def _damaged_recipes() -> QuerySet[RecipeXorb, int]:
    return RecipeXorb.objects.filter(xorb__state=Xorb.State.DAMAGED).values_list("recipe", flat=True)


def _settled(forms: QuerySet[Form]) -> list[Blob]:
    blobs = locked(set(forms.values_list("blob", flat=True)))
    # Asked once the blobs are locked: whoever comes second then sees what the first has written.
    forms.filter(recipe__in=_damaged_recipes()).update(state=DAMAGED)
    forms.exclude(recipe__in=_damaged_recipes()).update(state=OK)
    for blob in blobs:
        quarantine_if_unsound(blob)
        release_if_sound(blob)
    return blobs
