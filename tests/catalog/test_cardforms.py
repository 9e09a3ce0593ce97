"""Front matter by a form: what it does not know stays as it was, byte for byte."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.catalog.cardforms import KEYS, LISTS, read, write
from hub.catalog.errors import BadRequest

CARD = """---
# made by hand
model-index:
- name: x
  results: []
license: mit   # for now
tags:
  - old
# about the words
language: en
custom: {a: 1}
---

# Ships

---
license: not-this
---
"""


def test_only_the_changed_keys_are_written_anew() -> None:
    after = write(CARD, {"license": ["apache-2.0"], "tags": ["chat", "old"], "language": ["en"]})
    assert after == CARD.replace("license: mit   # for now", "license: apache-2.0").replace(
        "tags:\n  - old\n", "tags:\n- chat\n- old\n"
    )
    assert write(CARD, {"license": ["mit"]}) == CARD


def test_a_card_without_front_matter_gets_one_and_a_key_can_go() -> None:
    made = write("# Ships\n", {"license": ["mit"], "language": ["no", "de"], "base_model": ["a/b"]})
    assert made == "---\nlicense: mit\nlanguage:\n- 'no'\n- de\nbase_model: a/b\n---\n\n# Ships\n"
    assert "language" not in write(made, {"language": []})
    assert write("", {"license": ["mit"]}) == "---\nlicense: mit\n---\n"


def test_line_ends_of_windows_stay() -> None:
    after = write("---\r\nlicense: mit\r\nx: 1\r\n---\r\nText\r\n", {"license": ["bsd"]})
    assert after == "---\r\nlicense: bsd\r\nx: 1\r\n---\r\n\r\nText\r\n"


@pytest.mark.parametrize("front", ["a: [", "- just\n- a list", "x: *y", "{license: mit, tags: [a]}"])
def test_what_cannot_be_changed_safely_is_said(front: str) -> None:
    with pytest.raises(BadRequest, match=r"README\.md"):
        write(f"---\n{front}\n---\n# T\n", {"license": ["apache-2.0"]})


WORD = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(LISTS)), st.lists(WORD, max_size=4), max_size=3),
    st.sampled_from([CARD, "", "# T\n", "---\n---\n"]),
)
def test_whatever_is_written_is_read_back(values: dict[str, list[str]], card: str) -> None:
    after = write(card, values)
    for key, items in values.items():
        assert read(after)[key] == list(
            dict.fromkeys(filter(None, (" ".join(item.split()) for item in items)))
        )
    assert all(read(after)[key] == read(card)[key] for key in KEYS if key not in values)
    assert "# Ships" in after or card != CARD
