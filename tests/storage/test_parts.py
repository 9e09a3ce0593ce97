from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import parts
from storage.errors import PartsMismatch
from storage.parts import MIB, Part

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=50 * 10**12))
def test_a_plan_covers_every_byte_once_in_few_parts(size: int) -> None:
    part_size = parts.size_for(size, at_least=64 * MIB)
    plan = parts.plan(size, part_size)
    assert sum(plan.values()) == size
    assert len(plan) == parts.count(size, part_size) <= parts.MAX_PARTS == 2_000
    assert list(plan) == list(range(1, len(plan) + 1))
    assert all(length == part_size for length in list(plan.values())[:-1])


def test_parts_stay_at_64_mib_as_long_as_they_can() -> None:
    assert parts.size_for(125 * 1024 * MIB, at_least=64 * MIB) == 64 * MIB
    assert parts.size_for(125 * 1024 * MIB + 1, at_least=64 * MIB) == 65 * MIB
    assert parts.size_for(500 * 10**9, at_least=64 * MIB) == 239 * MIB


def test_without_names_the_newest_arrival_is_taken() -> None:
    arrived = [Part(1, '"new"', 5, LATE), Part(1, '"old"', 5, EARLY), Part(2, '"b"', 3, EARLY)]
    assert parts.choose({1: 5, 2: 3}, arrived, None) == [(1, '"new"'), (2, '"b"')]


def test_the_named_arrival_is_taken_with_or_without_quotes() -> None:
    arrived = [Part(1, '"new"', 5, LATE), Part(1, '"old"', 5, EARLY)]
    assert parts.choose({1: 5}, arrived, [(1, "old")]) == [(1, '"old"')]
    assert parts.choose({1: 5}, arrived, [(1, '"old"')]) == [(1, '"old"')]


@pytest.mark.parametrize(
    "named",
    [
        [],
        [(1, "a")],
        [(1, "a"), (1, "a")],
        [(1, "a"), (2, "b"), (3, "c")],
        [(0, "a"), (2, "b")],
        [(1, "b"), (2, "a")],
    ],
)
def test_names_that_are_not_the_plan_are_refused(named: list[tuple[int, str]]) -> None:
    arrived = [Part(1, '"a"', 5, EARLY), Part(2, '"b"', 3, EARLY)]
    with pytest.raises(PartsMismatch):
        parts.choose({1: 5, 2: 3}, arrived, named)


def test_a_part_of_another_length_has_not_arrived() -> None:
    with pytest.raises(PartsMismatch, match="Part 2 has not arrived"):
        parts.choose({1: 5, 2: 3}, [Part(1, '"a"', 5, EARLY), Part(2, '"b"', 4, EARLY)], None)
