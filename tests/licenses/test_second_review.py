"""The second of two persons."""

import pytest

from licenses.models import Case
from tests.licenses.test_reviews import catalogue, held_case, people, yes

__all__ = ["catalogue"]

pytestmark = pytest.mark.django_db


def test_a_yes_counts_no_more_when_its_giver_may_not_review_any_more() -> None:
    first, second, third = people("ada", "bob", "eve")
    case = yes(held_case(), first)
    assert case.state == Case.State.SECOND_REVIEW
    first.is_reviewer = False
    first.save()
    assert yes(case, second).state == Case.State.SECOND_REVIEW
    assert yes(case, third).state == Case.State.APPROVED
