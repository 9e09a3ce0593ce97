"""An upload beside the known text: nothing is lost, what is added comes first, and hostile texts take no time."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licenses.aligned import Alignment, Kind, Piece
from licenses.alignment import align, alone, letters
from licenses.checklists import Answer, List, checklists, list_for, open_items
from licenses.findings import Code, Finding, Severity
from licenses.requests import compose
from licenses.shipped import shipped_readings
from licenses.shown import read_shown, shown
from licenses.words import Unreadable

KNOWN = """The Quay License

Permission is granted to anyone who has a copy of this model to use, copy and change it,
without limitation and without a fee.

1. The notice above shall be kept in all copies of the model.

2. Whoever earns more than 700 million euros in a year asks for a license of their own.
   That license may be refused.

The model comes without any warranty.
"""


def words(pieces: Iterable[Piece]) -> list[str]:
    """Return the words of pieces, as they are compared; copyright lines are none."""
    return list(shown("".join(one.text for one in pieces if one.kind is not Kind.NOISE)).keys)


def remarks(found: Alignment, kind: Kind) -> list[str]:
    return [one.text for one in found.remarks if one.kind is kind]


def compared(text: str, **passages: str) -> Alignment:
    return align(shown(KNOWN), shown(text), passages)


def test_layout_case_and_copyright_lines_make_no_difference() -> None:
    text = "Copyright (c) 2026 A Harbour\n\n" + KNOWN.upper().replace("COPY AND CHANGE", "COPY  AND\nCHANGE")
    found = compared(text)
    assert found.remarks == ()
    assert found.recall == 1
    assert {row.kind for row in found.rows} == {Kind.SAME}
    assert [one.text.strip() for row in found.rows for one in row.right if one.kind is Kind.NOISE] == [
        "Copyright (c) 2026 A Harbour"
    ]


def test_an_added_clause_is_a_row_of_its_own_and_comes_first() -> None:
    extra = "3. The model may not be used commercially."
    text = KNOWN.replace("without a fee", "for a fee").replace(
        "The model comes", f"{extra}\n\nThe model comes"
    )
    found = compared(text)
    assert remarks(found, Kind.ADDED) == [extra, "for"]
    assert "not" in found.remarks[0].signals
    assert found.remarks[0].line == 11
    (row,) = [row for row in found.rows if row.kind is Kind.ADDED]
    assert (row.left, row.number) == ((), 0)
    assert [piece.text.strip() for piece in row.right] == [extra]


def test_added_missing_and_changed_values_are_told_apart() -> None:
    text = (
        KNOWN.replace("700", "7")
        .replace("   That license may be refused.\n", "")
        .replace("to use,", "only to use,")
    )
    found = compared(text)
    assert [one.kind for one in found.remarks] == [Kind.ADDED, Kind.MISSING, Kind.CHANGED]
    assert remarks(found, Kind.ADDED) == ["only"]
    assert remarks(found, Kind.MISSING) == ["That license may be refused."]
    (value,) = [one for one in found.remarks if one.kind is Kind.CHANGED]
    assert (value.was, value.text) == ("700", "7")


def test_a_passage_that_supports_a_term_lights_up_where_it_stands_in_the_upload() -> None:
    found = compared(
        KNOWN, commercial_use="without limitation and without a fee", revocable="stands nowhere here"
    )
    lit = [piece for row in found.rows for piece in row.right if piece.opens]
    assert [piece.opens for piece in lit] == [("commercial_use",)]
    assert words(lit) == ["without", "limitation", "and", "without", "a", "fee"]
    gone = compared(KNOWN.replace("without limitation and without a fee", "freely"),
                    commercial_use="without limitation and without a fee")  # fmt: skip
    assert [one.kind for row in gone.rows for one in row.left if one.opens] == [Kind.MISSING]


def test_invisible_letters_are_left_out_and_counted() -> None:
    found = compared(KNOWN.replace("granted", "gra\u200bnted\u202e"))
    assert (found.remarks, found.hidden) == ((), 2)
    assert "\u202e" not in "".join(piece.text for row in found.rows for piece in row.right)


def test_a_text_like_no_other_is_shown_clause_by_clause() -> None:
    found = alone(shown(KNOWN))
    assert len(found.rows) == 5
    assert found.remarks == ()


SOME_WORDS = st.lists(st.sampled_from("a b c d may not 7 x\n\n 1.".split(" ")), max_size=60).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(SOME_WORDS, SOME_WORDS, SOME_WORDS)
def test_no_word_is_lost_or_made_up(first: str, second: str, third: str) -> None:
    known, upload = shown(f"{first} {second}"), shown(f"{second} {third} {first}")
    found = align(known, upload, {"revocable": second})
    left = [piece for row in found.rows for piece in row.left]
    right = [piece for row in found.rows for piece in row.right]
    assert words(left) == list(known.keys)
    assert words(right) == list(upload.keys)
    # What both sides call the same is the same, word for word.
    assert words(one for one in left if one.kind is Kind.SAME) == words(
        one for one in right if one.kind is Kind.SAME
    )
    marks = [piece.mark for piece in (*left, *right) if piece.mark]
    assert sorted(marks) == sorted(one.mark for one in found.remarks)


@pytest.mark.parametrize(
    ("known", "upload"),
    [
        ("no " * 99_000, "no " * 98_000 + "yes "),
        ("a b " * 40_000, "b a a " * 30_000),
        ("word " * 90_000, "\n" * 400_000 + " " * 100_000),
        ("x", "<b>" * 150_000),
        ("x" * 500_000, "y" * 500_000),
    ],
)
def test_texts_made_to_be_slow_end(known: str, upload: str) -> None:
    first, second = shown(known), read_shown(upload.encode())
    found = align(first, second)
    assert words(piece for row in found.rows for piece in row.right) == list(second.keys)


def test_binary_files_and_files_longer_than_any_license_are_refused() -> None:
    for content in (b"\x00\x01" * 400, b"a " * 300_000):
        with pytest.raises(Unreadable):
            read_shown(content)


def test_letters_go_on_after_z() -> None:
    assert [letters(number) for number in (0, 25, 26, 701, 702)] == ["a", "z", "aa", "zz", "aaa"]


def test_every_kind_of_license_has_its_checklist() -> None:
    assert {name: len(items) for name, items in checklists().items()} == {
        List.PERMISSIVE: 5, List.COMMUNITY: 14, List.NON_COMMERCIAL: 8, List.FIRST_SEEN: 20
    }  # fmt: skip
    readings = shipped_readings()
    for one, wanted in (
        ("mit", List.PERMISSIVE),
        ("llama3.1", List.COMMUNITY),
        ("cc-by-nc-4.0", List.NON_COMMERCIAL),
    ):
        assert list_for([readings[one]], first_seen=False) is wanted
    assert list_for([readings["mit"]], first_seen=True) is List.FIRST_SEEN
    assert list_for([readings["mit"], None], first_seen=False) is List.FIRST_SEEN
    assert list_for([], first_seen=False) is List.FIRST_SEEN


def test_nothing_is_released_while_anything_red_is_open() -> None:
    items = checklists()[List.PERMISSIVE]
    asked = {"findings": {"0": "No text."}, "unknown_terms": {"mit.patent_grant": "patents"}, "items": items}
    left = open_items(**asked, answers={}, explained=False)  # type: ignore[arg-type]  # One mapping for three.
    assert [one.kind for one in left] == ["finding", "term"] + ["check"] * 5
    answers = {f"check:{item.id}": "yes" for item in items}
    answers |= {"finding:0": "The text lies in the base model.", "term:mit.patent_grant": "unknown"}
    assert open_items(**asked, answers=answers, explained=False) == ()  # type: ignore[arg-type]  # As above.
    answers["check:text-whole"] = Answer.NO
    (left_over,) = open_items(**asked, answers=answers, explained=False)  # type: ignore[arg-type]  # As above.
    assert left_over.kind == "note"
    assert open_items(**asked, answers=answers, explained=True) == ()  # type: ignore[arg-type]  # As above.


def test_a_request_for_changes_names_each_fault_its_term_and_its_cure() -> None:
    missing = Finding(
        Code.DUTY_NOTICE, Severity.FIX, "The notice of the base model is missing.", "Add a file NOTICE.",
        "llama3.1", "notice_file_required", "meta-llama/Llama-3.1-8B",
    )  # fmt: skip
    hint = Finding(Code.LIC_MISSING, Severity.WARN, "No text lies here.", "Add it.")
    text = compose("acme/Chat", [hint, missing], shipped_readings())
    assert "1. The notice of the base model is missing." in text
    assert "Add a file NOTICE." in text
    assert "DUTY-NOTICE (Llama 3.1 Community License" in text
    assert "a notice file" in text
    assert text.index("notice of the base") < text.index("No text lies here")
    assert "no finding names" in compose("acme/Chat", [], {})
