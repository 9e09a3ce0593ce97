"""What was said below the pages, said again in German."""

import pytest
from django.utils.translation import gettext, override

from hub.pages.saying import listed, patterns, pieces, said
from tests.sentences import SENTENCES, sentences


def test_the_sentences_that_pages_know_are_those_that_the_code_says() -> None:
    assert SENTENCES.read_text(encoding="utf-8").splitlines() == sentences(), "make words"


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Its user's country is not known.", "Das Land des Nutzers ist nicht bekannt."),
        ("The name acme is taken.", "Der Name acme ist vergeben."),
        ("{1} is taken.", "{1} is taken."),
        # The longer pattern is the truer one, and what fills a hole may be a sentence as well.
        (
            "acme/quill is held: its terms are being read. See /acme/quill/license",
            "acme/quill ist zurückgehalten: die Bedingungen werden gelesen. Siehe /acme/quill/license",
        ),
        # One word in a hole is a name, even if it is a word that pages know.
        ("The name open is taken.", "Der Name open ist vergeben."),
        ("in-review", "in Prüfung"),
        ("Commercial use", "Kommerzielle Nutzung"),
        (
            "From 700,000,000 monthly users it needs a licence of its own",
            "Ab 700.000.000 monatliche Nutzer gilt: eine eigene Lizenz ist nötig",
        ),
        # Several sentences in one, a last hole that is empty, and what stands in brackets.
        ("No licence is known. Ask its steward.", "Keine Lizenz ist bekannt. Beim Herausgeber nachfragen."),
        ("conditional: within limits", "bedingt: within limits"),
        ("LICENSE is no licence text known here.", "LICENSE ist kein hier bekannter Lizenztext."),
        ("the card (config.json)", "die Karte (config.json)"),
        ("Nobody here wrote this sentence.", "Nobody here wrote this sentence."),
        ("", ""),
    ],
)
def test_a_sentence_is_said_in_german(english: str, german: str) -> None:
    with override("de"):
        assert said(english) == german
    assert said(english) == english


def test_a_note_of_a_reading_is_told_apart_where_it_is_english_only() -> None:
    with override("de"):
        assert pieces("not addressed; names no court") == [
            ("nicht geregelt", True),
            ("names no court", False),
        ]
    assert pieces("not addressed; names no court") == [("not addressed; names no court", True)]


def test_every_pattern_finds_what_stands_in_its_holes() -> None:
    for pattern in patterns():
        filled = {number: f"value {number}" for number in pattern.holes}
        text = pattern.text
        for number, value in filled.items():
            text = text.replace(f"{{{number}}}", value)
        with override("de"):
            german = gettext(pattern.text)
            assert all(f"{{{number}}}" in german for number in filled)
            assert "value 1" in said(text) and "{" not in said(text)


def test_a_text_made_to_be_slow_is_not() -> None:
    with override("de"):
        assert said(" is under , and this " * 200) != ""


def test_names_are_listed_as_people_list_them() -> None:
    assert [listed(["MIT", "Apache-2.0", "BSD"][:many]) for many in range(4)] == [
        "", "MIT", "MIT and Apache-2.0", "MIT, Apache-2.0 and BSD",
    ]  # fmt: skip
    with override("de"):
        assert listed(["MIT", "BSD"]) == "MIT und BSD"
