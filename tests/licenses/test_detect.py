"""Which licence a text is: exact, altered, added to, cut, mixed, hostile."""

import time

import pytest

from licenses.detect import Corpus
from licenses.matches import Canonical, Status
from licenses.words import MAX_BYTES, read_words, split_words
from tests.licenses import known
from tests.licenses.known import corpus, text_of

CLAUSE = (
    "\n\nFurther terms. The Model may not be used for any commercial purpose, and any product that is built with it "
    "must show the name of the licensor on its first page.\n"
)


def detect(text: str) -> Status:
    return corpus().detect(text.encode()).status


def test_every_shipped_text_is_found_exactly() -> None:
    for one in known.canonical():
        found = corpus().detect(one.text.encode())
        assert (found.status, found.licenses) == (Status.EXACT, (one.license,)), one.license
        assert found.matches[0].version == one.version


def test_layout_case_and_a_copyright_line_make_no_difference() -> None:
    for one in known.canonical():
        text = "Copyright (c) 2026 Example Laboratories Ltd. All rights reserved.\r\n\r\n" + one.text.upper()
        found = corpus().detect(text.replace("\n", "\n  ").encode())
        assert found.is_clean and found.matches[0].license == one.license, one.license


def test_an_added_clause_is_never_missed_and_is_shown() -> None:
    for one in known.canonical():
        found = corpus().detect((one.text + CLAUSE).encode())
        assert found.status is Status.ADDED, one.license
        assert found.matches[0].license == one.license
        assert "any commercial purpose" in found.residue[0].words
        assert found.residue[0].last_line > found.residue[0].first_line - 1


@pytest.mark.parametrize("short", ["For non-commercial use only.", "Research use only", "No military use."])
def test_a_short_addition_that_restricts_is_not_overlooked(short: str) -> None:
    for license_id in ("mit", "apache-2.0", "gpl-3.0", "llama3.1"):
        assert detect(f"{text_of(license_id)}\n{short}\n") is Status.ADDED


def test_only_a_title_may_stand_around_a_text() -> None:
    mit, bsd = text_of("mit"), text_of("bsd-3-clause")
    assert detect(f"The MIT License (MIT)\n\nCopyright (c) 2024 Acme\n\n{mit}") is Status.MATCH
    assert detect(f"BSD 3-Clause License\n\n{bsd}\nAll rights reserved.\n") is Status.MATCH
    assert detect(f"{mit}\nYou owe Acme ten percent of sales.\n") is Status.ADDED
    assert detect(f"For members of Acme:\n{mit}") is Status.ADDED


def test_a_word_put_in_or_taken_out_is_seen() -> None:
    apache = text_of("apache-2.0")
    assert detect(apache.replace("You may reproduce", "You may not reproduce", 1)) is Status.ADDED
    mit = " ".join(text_of("mit").split())
    for words in ("without restriction, ", "sublicense, and/or sell", "subject to the following conditions"):
        assert words in mit
        assert detect(mit.replace(words, "", 1)) is Status.ALTERED


def test_names_filled_into_a_template_make_no_difference() -> None:
    text = " ".join(text_of("bsd-3-clause").split())
    assert "the name of the ORGANIZATION nor" in text
    assert detect(text.replace("the name of the ORGANIZATION", "the name of Acme Works")) is Status.MATCH


def test_a_text_cut_short_is_altered_never_a_match() -> None:
    for one in known.canonical():
        found = corpus().detect(one.text[: int(len(one.text) * 0.7)].encode())
        assert found.status in (Status.ALTERED, Status.UNKNOWN), one.license


def test_modified_mit_is_not_mit() -> None:
    kimi = text_of("kimi-modified-mit")
    assert corpus().detect(kimi.encode()).licenses == ("kimi-modified-mit",)
    without = Corpus(one for one in known.canonical() if one.license != "kimi-modified-mit")
    found = without.detect(kimi.encode())
    assert (found.status, found.licenses) == (Status.ADDED, ("mit",))
    assert found.longest_run > 50


def test_versions_are_told_apart_by_title_and_date() -> None:
    title = "License text\n"
    for license_id in ("llama3.1", "llama3.2", "llama3.3", "llama4"):
        found = corpus().detect((title + text_of(license_id)).encode())
        assert found.licenses == (license_id,) and found.status is Status.MATCH
    newer, older = (one for one in known.canonical() if one.license == "gemma" and one.kind == "license")
    for one in (newer, older):
        found = corpus().detect((title + one.text).encode())
        assert [match.version for match in found.matches] == [one.version]


def test_without_its_date_a_version_is_left_open() -> None:
    body = text_of("qwen")[200:]
    dated = Corpus(
        Canonical("terms", "license", year, f"Terms of Use\nLast modified: March {year}\n{body}")
        for year in ("2024", "2025")
    )
    found = dated.detect(("A preface. Terms of Use\n" + body).encode())
    assert found.status is Status.AMBIGUOUS
    assert {match.version for match in found.matches} == {"2024", "2025"}
    told = dated.detect(f"A preface. Terms of Use\nLast modified: March 2024\n{body}".encode())
    assert [match.version for match in told.matches] == ["2024"]


def test_two_licenses_in_one_file_are_both_named() -> None:
    found = corpus().detect((text_of("apache-2.0") + "\n\n" + text_of("bsd-3-clause")).encode())
    assert found.status is Status.MULTIPLE
    assert set(found.licenses) == {"apache-2.0", "bsd-3-clause"}
    more = corpus().detect((text_of("apache-2.0") + "\n\n" + text_of("bsd-3-clause") + CLAUSE).encode())
    assert more.status is Status.ADDED


def test_the_appendix_of_a_license_may_be_left_out() -> None:
    apache = text_of("apache-2.0")
    assert detect(apache[: apache.index("APPENDIX")]) is Status.MATCH


def test_other_text_is_unknown() -> None:
    assert detect("A model that answers questions. Use it as you like.") is Status.UNKNOWN
    assert detect("") is Status.UNKNOWN


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 40, Status.UNREADABLE),
        (b"x " * MAX_BYTES, Status.UNREADABLE),
        (b"a " * 120_000, Status.UNREADABLE),
        (b"<div " * 60_000, Status.UNKNOWN),
        (b"(c) 2024 " * 40_000, Status.UNKNOWN),
        (b"\xff\xfe" + "nothing known".encode("utf-16-le"), Status.UNKNOWN),
        ("caf\xe9 law".encode("latin-1"), Status.UNKNOWN),
    ],
)
def test_hostile_content_gets_an_answer(content: bytes, status: Status) -> None:
    assert corpus().detect(content).status is status


def test_work_grows_no_faster_than_the_text() -> None:
    def seconds(copies: int) -> float:
        content = (text_of("mit") * copies)[: MAX_BYTES - 1].encode()
        started = time.perf_counter()
        corpus().detect(content)
        return time.perf_counter() - started

    seconds(1)
    few, many = min(seconds(20) for _ in range(3)), min(seconds(200) for _ in range(3))
    assert many < 10 * few * 4


def test_a_clause_cannot_hide_in_markup_or_in_other_letters() -> None:
    mit = text_of("mit")
    assert detect(mit + "<!-- not for commercial use -->") is Status.ADDED
    assert detect(mit + '<p style="display:none">not for commercial use</p>') is Status.ADDED
    assert detect(mit + "\nn\u200bot for com\u00admercial use") is Status.ADDED
    assert detect(mit + "\nCopyright 2024: commercial use is prohibited") is Status.ADDED
    assert detect("Copyright 2024 Acme: you agree to pay 1000 euros per user\n" + mit) is Status.ADDED
    cyrillic = mit.replace("including", "in\u0441luding")
    assert detect(cyrillic) is Status.ALTERED


def test_words_know_their_lines_and_texts_their_hash() -> None:
    words = split_words("One\n\ntwo three")
    assert list(words.words) == ["one", "two", "three"] and list(words.lines) == [1, 3, 3]
    assert read_words("ONE two\tthree".encode("utf-16")).sha256 == words.sha256
    assert read_words(b"Copyright 2020 Me\none two three").sha256 == words.sha256


def test_a_corpus_without_texts_knows_nothing() -> None:
    assert Corpus([]).detect(b"Permission is hereby granted").status is Status.UNKNOWN
    tiny = Corpus([Canonical("tiny", "license", "", "do what you like with it all")])
    assert tiny.detect(b"Do what you like, with it all!").status is Status.EXACT
