"""Differences of texts: complete, small where texts are alike, and found in bounded time whatever the texts are."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.catalog.textdiff import Pair, TextDiff, compare

TEXTS = st.text(alphabet="ab\n \r", max_size=60)


def sides(found: TextDiff) -> tuple[str, str]:
    """Return both texts as their differences tell them."""
    pairs = [pair for hunk in found.hunks for pair in hunk]
    old = "".join(pair.old.text + "\n" for pair in pairs if pair.old)
    new = "".join(pair.new.text + "\n" for pair in pairs if pair.new)
    return old, new


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_off_their_differences(old: str, new: str) -> None:
    old, new = old + "\n", new + "\n"
    found = compare(old, new, context=10**6)
    assert sides(found) == (("", "") if old == new else (old, new))
    assert all(
        pair.old and pair.new and pair.old.text == pair.new.text
        for hunk in found.hunks
        for pair in hunk
        if pair.is_same
    )


def test_few_changes_are_few_lines_with_the_words_that_differ() -> None:
    old = "".join(f"line {number}\n" for number in range(100))
    new = old.replace("line 50\n", "line fifty\n").replace("line 90\n", "")
    found = compare(old, new)
    assert (found.added, found.removed, len(found.hunks)) == (1, 2, 2)
    (changed,) = [pair for pair in found.hunks[0] if not pair.is_same]
    assert changed == Pair(changed.old, changed.new)
    assert changed.old and changed.old.pieces == (("line ", False), ("50", True))
    assert changed.new and changed.new.pieces == (("line ", False), ("fifty", True))


def test_moved_blocks_keep_the_longer_part_in_place() -> None:
    found = compare("a\nb\nc\nd\ne\n", "d\ne\na\nb\nc\n")
    assert (found.added, found.removed) == (2, 2)


def test_a_last_line_without_an_end_is_another_line() -> None:
    found = compare("a", "a\n")
    assert (found.added, found.removed) == (1, 1)
    assert compare("", "").hunks == ()


def test_other_line_ends_do_not_end_lines() -> None:
    found = compare("a\x0bb\u2028c\r\n", "a\x0bb\u2028d\r\n")
    assert (found.added, found.removed) == (1, 1)


@pytest.mark.parametrize("kind", ["two letters", "all other", "shuffled", "words"])
def test_texts_made_to_take_long_do_not(kind: str) -> None:
    dice = random.Random(1)
    lines = [f"{dice.random()}" for _ in range(20_000)]
    old, new = {
        "two letters": (dice.choices("ab", k=20_000), dice.choices("ab", k=20_000)),
        "all other": (lines, [line + "x" for line in lines]),
        "shuffled": (lines, dice.sample(lines, len(lines))),
        "words": (["a b " * 450] * 500, ["b a " * 450 + "c"] * 500),
    }[kind]
    started = time.process_time()
    found = compare("\n".join(old), "\n".join(new))
    # About a second on an idle machine.
    assert time.process_time() - started < 15
    assert found.added == found.removed > 0
