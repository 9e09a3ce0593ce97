"""Word by word: what was put in, taken out or exchanged, anywhere in a text."""

from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from licenses.detect import NAMED
from licenses.differences import differences
from licenses.matches import Canonical
from licenses.words import split_words
from tests.licenses.known import canonical, corpus

words = st.lists(st.sampled_from("abcd"), max_size=14)


@given(words, words)
def test_differences_turn_one_list_into_the_other(old: list[str], new: list[str]) -> None:
    found = differences(old, new, most=40)
    assert found is not None
    made, place = [], 0
    for one in found:
        made += old[place : one.start] + new[one.new_start : one.new_end]
        place = one.end
    assert made + old[place:] == new


@given(words, words)
def test_there_are_as_few_changes_as_can_be(old: list[str], new: list[str]) -> None:
    found = differences(old, new, most=40)
    assert found is not None
    table = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, first in enumerate(old):
        for j, second in enumerate(new):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if first == second else max(table[i][j + 1], table[i + 1][j])
            )
    changes = sum(one.end - one.start + one.new_end - one.new_start for one in found)
    assert changes == len(old) + len(new) - 2 * table[-1][-1]


def test_lists_that_differ_more_are_said_to_do_so() -> None:
    assert differences(["a"] * 9, ["b"] * 9, most=17) is None
    assert differences(["a"] * 9, ["b"] * 9, most=18) is not None
    assert differences([], ["a"] * 5, most=4) is None
    assert differences([], [], most=0) == ()


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(canonical()),
    st.randoms(use_true_random=False),
    st.integers(0, 8),
    st.sampled_from(
        ["", "never", "only for five days", "red", "use is restricted to the holder of a valid permit"]
    ),
)
def test_a_text_changed_anywhere_inside_never_passes_as_the_license(
    one: Canonical, random: Random, gone: int, put: str
) -> None:
    text = one.text.split()
    place = random.randrange(30, len(text) - 30 - gone)
    changed = " ".join([*text[:place], put, *text[place + gone :]])
    before, after = split_words(" ".join(text)).words, split_words(changed).words
    assume(list(before) != list(after))
    # A word for a holder's name may stand for another name; that is what a template is for.
    assume(not set(split_words(" ".join(text[place : place + gone])).words) & NAMED)
    found = corpus().detect(changed.encode())
    assert not found.is_clean, (one.license, place, text[place : place + gone], put)
