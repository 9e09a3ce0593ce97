"""Forms are as sound as the xorbs that they need, whoever writes at the same moment."""

import threading

import pytest
from django.db import connection, transaction

from storage import recipes, scrub, soundness
from storage.models import Blob, Form, Xorb
from tests.storage.files import Pile, made_of, register
from tests.storage.helpers import ignore

pytestmark = pytest.mark.django_db(transaction=True)
PILES = (Pile.of(80, 4), Pile.of(81, 4))


@pytest.fixture
def form() -> Form:
    for pile in PILES:
        pile.keep()
    (recipe,) = register([made_of([(PILES[0], 0, 4), (PILES[1], 0, 4)])])
    ((_, digest),) = recipes.hash_contents([recipe], progress=ignore)
    with transaction.atomic():
        recipes.settle([(recipe, digest)])
    return Form.objects.get()


def test_two_xorbs_that_are_sent_again_at_once_make_a_file_whole(form: Form) -> None:
    for _ in range(8):
        for xorb in Xorb.objects.all():
            scrub.mark_xorb_damaged(xorb)
        form.refresh_from_db()
        assert form.state == Form.State.DAMAGED
        together = threading.Barrier(len(PILES))

        def send(pile: Pile, together: threading.Barrier = together) -> None:
            together.wait()
            pile.keep()
            connection.close()

        threads = [threading.Thread(target=send, args=(pile,)) for pile in PILES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        form.refresh_from_db()
        assert form.state == Form.State.OK
        assert Blob.objects.get().quarantined_at is None


def test_upkeep_repairs_a_form_that_disagrees_with_its_xorbs(form: Form) -> None:
    assert soundness.repair_forms() == 0
    Xorb.objects.filter(hash=PILES[0].name).update(state="damaged")
    assert soundness.repair_forms() == 1
    form.refresh_from_db()
    assert form.state == Form.State.DAMAGED
    assert Blob.objects.get().quarantined_at is not None
    Xorb.objects.update(state="ok")
    assert soundness.repair_forms() == 1
    form.refresh_from_db()
    assert form.state == Form.State.OK
    assert Blob.objects.get().quarantined_at is None
