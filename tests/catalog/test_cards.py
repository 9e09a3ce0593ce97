"""Model cards: what they claim, and that a broken one never raises."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.catalog.cards import Claims, body_of, parse_card


def _card(front: str, body: str = "# Title\n") -> bytes:
    return f"---\n{front}\n---\n{body}".encode()


def test_claims_are_read_from_the_front_matter() -> None:
    claims = parse_card(
        _card(
            "license: apache-2.0\nlibrary_name: transformers\npipeline_tag: text-generation\nlanguage: [en, de]\n"
            "datasets:\n- c4\ntags: [tiny]\nbase_model: org/base\nbase_model_relation: quantized"
        )
    )
    assert not claims.errors + claims.warnings
    assert claims.word("license") == "apache-2.0"
    assert claims.base_models == ["org/base"]
    assert claims.tags() == [
        "transformers", "text-generation", "tiny", "en", "de", "license:apache-2.0", "dataset:c4",
        "base_model:org/base", "base_model:quantized:org/base",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("claimed", "language"),
    [
        ("de", "de"), ("[pt-BR]", "pt-BR"), ("zh-hant-tw", "zh-hant-tw"), ("yue", "yue"), ("de-1996", "de-1996"),
        ("[de, en]", ""), ("[]", ""), ("5", ""), ("english", ""), ("multilingual", ""), ("code", ""), ("mul", ""),
        ("\"de' onload='x\"", ""), ("\"de\\nx\"", ""), ("x-klingon", ""),
    ],
)  # fmt: skip
def test_a_card_that_names_one_language_is_written_in_it(claimed: str, language: str) -> None:
    assert parse_card(_card(f"language: {claimed}")).language == language


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"# no front matter", "empty or missing yaml metadata"),
        (b"---\n---\n# empty", "empty or missing yaml metadata"),
        (b"\xff\xfe", "UTF-8"),
        (_card("a: [1"), "Invalid YAML"),
        (_card("- a\n- list"), "mapping"),
        (_card("a: &x 1\nb: *x"), "aliases"),
        (_card("a: " + "[" * 60 + "]" * 60), "levels deep"),
        (_card("a: !!python/object:os.system x"), "Invalid YAML"),
        (_card("license: my-own"), '"license" must be one of'),
        (_card("tags: [1, 2]"), '"tags" must be a string or a list'),
        (_card("pipeline_tag: [a]"), '"pipeline_tag" must be a string'),
        (_card("base_model_relation: cousin"), "base_model_relation"),
        (_card("x: " + "y" * 600_000), "longer than"),
    ],
)
def test_whatever_is_wrong_with_a_card_is_said_in_words(content: bytes, word: str) -> None:
    claims = parse_card(content)
    assert any(word in text for text in claims.errors + claims.warnings)


def test_values_become_what_json_and_the_database_can_keep() -> None:
    claims = parse_card(
        _card('date: 2026-01-02\nnan: .nan\nbig: 123456789012345678901234567890\n1: one\nnul: "a\\0b"')
    )
    assert claims.data == {
        "date": "2026-01-02", "nan": "nan", "big": "123456789012345678901234567890", "1": "one", "nul": "ab",
    }  # fmt: skip


def test_a_laughing_card_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    begin = time.monotonic()
    assert parse_card(_card("\n".join(lines))).errors
    assert time.monotonic() - begin < 30


def test_the_body_comes_without_the_front_matter_and_dashes_in_it_stay() -> None:
    text = "---\nlicense: mit\n---\n\n# T\n\n---\nmore"
    assert body_of(text) == "# T\n\n---\nmore"


@given(st.binary(max_size=400))
def test_no_bytes_make_the_card_reader_raise(content: bytes) -> None:
    assert isinstance(parse_card(b"---\n" + content + b"\n---\n"), Claims)


@pytest.mark.parametrize(
    "value",
    [
        "!!bool foo", "!!int ''", "!!int '-'", "!!int 0x", "!!int 0b", "!!int '1:'", "!!float ''", "!!float x",
        "!!float '1:'", "!!timestamp foo", "!!timestamp 2001-1-1T99:99:99", "2001-99-99",
        "2001-12-14t21:59:43.10-99:00", "!!bool [a]",
        "!!int {a: b}", "!!binary '%%'", "!!set {a}", "!!omap [a]", "!!pairs [a]", "!!null x", "!!str [a]", "!!map [a]",
        "!!seq {a: b}", "=", "{? {a: b} : c}", "<<: 5", "? [a]\n: b", "0x" + "f" * 6000, "0b" + "1" * 20_000,
        "0" + "7" * 9000,
        "9" * 6000, "1:" + ":".join(["59"] * 50_000), "1:" + ":".join(["59"] * 50_000) + ".5",
        "!!python/object:os.system x",
        "'" + "İ" * 200 + "'", "\\0", "!!int " + "9" * 6000, "-.", ".inf", "_", "0x_", "[" * 5000,
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_no_card_is_too_odd_to_be_read(value: str) -> None:
    started = time.process_time()
    for key in ("a", "license", "tags", "base_model"):
        claims = parse_card(f"---\n{key}: {value}\n---\n".encode())
        json.dumps(claims.data, allow_nan=False)
        assert all(len(tag) <= 200 for tag in claims.tags())
    assert time.process_time() - started < 30


def test_what_is_no_number_or_date_is_kept_as_text() -> None:
    claims = parse_card(b"---\na: 2001-99-99\nb: !!bool foo\nc: 0x10\nd: 2026-01-02\ne: 1.5\nf: yes\n---\n")
    assert claims.data == {"a": "2001-99-99", "b": "foo", "c": 16, "d": "2026-01-02", "e": 1.5, "f": True}
    assert not claims.errors
