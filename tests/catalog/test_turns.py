"""What a process has little of is shared between people."""

import pytest

from hub.catalog.errors import StoreTrouble, TooManyAtOnce
from hub.catalog.turns import Seats, Turns


def test_one_person_has_one_turn_and_leaves_the_other_to_others() -> None:
    turns = Turns(at_once=2, waiting_each=4)
    with turns.turn("ada", patience=0):
        with pytest.raises(StoreTrouble), turns.turn("ada", patience=0.01):
            pass
        with turns.turn("bob", patience=0), pytest.raises(StoreTrouble), turns.turn("eve", patience=0.01):
            pass
    with turns.turn("ada", patience=0):
        pass


def test_few_of_one_person_wait() -> None:
    turns = Turns(at_once=1, waiting_each=0)
    with pytest.raises(TooManyAtOnce), turns.turn("ada", patience=1):
        pass


def test_seats_run_out_for_a_person_before_they_run_out_for_all() -> None:
    seats = Seats(total=3, each=2)
    assert [seats.take("ada") for _ in range(3)] == [True, True, False]
    assert [seats.take("bob") for _ in range(2)] == [True, False]
    seats.leave("ada")
    assert seats.take("bob")
