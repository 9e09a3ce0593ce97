"""The shipped readings: complete, well formed, and resting on passages that are there."""

import re

import pytest

from licenses.expressions import BadExpression, all_of, shipped_expressions
from licenses.identifiers import known_licenses
from licenses.shipped import BadReading, parse_family, shipped_readings
from licenses.terms import TERMS, Confidence, Reading, Value, fold
from licenses.upstream import UpstreamIndex, shipped_upstream
from tests.licenses import known

QUOTES = str.maketrans({"“": '"', "”": '"', "’": "'"})


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text.translate(QUOTES))


def test_every_identifier_of_a_card_has_a_reading_under_the_same_name() -> None:
    readings = shipped_readings()
    named = {entry.id: (entry.name, entry.category) for entry in known_licenses().values()}
    assert {one.id: (one.name, one.category) for one in readings.values()} == named
    assert len(readings) == 147


def test_every_passage_stands_in_a_text_of_its_license() -> None:
    quoted = 0
    for reading in shipped_readings().values():
        texts = [one_line(known.texts()[document.key]) for document in reading.documents]
        for term in reading.terms.values():
            if term.passage:
                quoted += 1
                assert any(one_line(term.passage) in text for text in texts), (reading.id, term.key)
    assert quoted >= 70


def test_terms_of_a_low_reading_and_terms_nobody_verified_count_as_unknown() -> None:
    low = next(one for one in shipped_readings().values() if one.confidence is Confidence.LOW)
    assert {low.value(key) for key in TERMS} == {Value.UNKNOWN}
    mistral = shipped_readings()["mrl"]
    assert mistral.value("commercial_use") is Value.NO
    assert mistral.value("patent_retaliation") is Value.UNKNOWN
    assert "patent_retaliation" not in mistral.terms


def test_thresholds_keep_their_metric_window_and_effect() -> None:
    users, revenue = shipped_readings()["kimi-modified-mit"].thresholds
    assert (users.metric, users.value, users.effect) == ("monthly-active-users", 100_000_000, "display")
    assert (revenue.value, revenue.currency, revenue.window) == (20_000_000, "USD", "month")
    tokens = shipped_readings()["yandexgpt-5-lite-8b"].thresholds
    assert [one.metric for one in tokens] == ["output-tokens"]
    assert shipped_readings()["llama3.1"].thresholds[0].window == "month-before-release"


def test_permissions_intersect_and_limits_unite() -> None:
    assert fold("commercial_use", [Value.YES, Value.CONDITIONAL]) is Value.CONDITIONAL
    assert fold("commercial_use", [Value.CONDITIONAL, Value.UNKNOWN]) is Value.UNKNOWN
    assert fold("network_clause", [Value.NO, Value.YES]) is Value.YES
    assert fold("network_clause", []) is Value.UNKNOWN


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("osi: 'no'", "osi is False, but must be one of yes, no, conditional, unknown. Quote yes and no."),
        ("category: permissive", "category is 'free'"),
        ("    commercial_use: 'yes'", "terms is 'comercial_use'"),
        ("  confidence: high", "confidense is no field"),
    ],
)
def test_a_reading_that_says_less_than_it_seems_is_refused(change: str, fault: str) -> None:
    good = (
        "family: f\nlicenses:\n- id: a\n  name: A\n  category: permissive\n  osi: 'no'\n"
        "  confidence: high\n  terms:\n    commercial_use: 'yes'\n"
    )
    bad = {
        "osi: 'no'": "osi: no",
        "category: permissive": "category: free",
        "    commercial_use: 'yes'": "    comercial_use: 'yes'",
        "  confidence: high": "  confidense: high",
    }[change]
    assert [one.id for one in parse_family(good, where="f.yaml")] == ["a"]
    with pytest.raises(BadReading) as caught:
        list(parse_family(good.replace(change, bad), where="f.yaml"))
    assert fault in str(caught.value)
    assert str(caught.value).startswith("f.yaml: a: ")


def test_expressions_take_card_ids_and_give_spdx_back() -> None:
    expressions = shipped_expressions()
    assert str(expressions.parse("mit and LLAMA3.3")) == "MIT AND LicenseRef-llama3.3"
    assert expressions.ids("MIT AND LicenseRef-llama3.3 AND MIT") == ("mit", "llama3.3")
    assert all_of(["openrail++", "mit"], shipped_readings()) == "LicenseRef-openrailplusplus AND MIT"
    assert expressions.has_choice("mit OR apache-2.0") and not expressions.has_choice("mit")


@pytest.mark.parametrize(
    "text", ["", "nonsense-1.0", "mit and", "((", "mit mit", "(" * 1900, "a" * 3000, "\0"]
)
def test_what_is_no_expression_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadExpression) as caught:
        shipped_expressions().parse(text)
    assert len(str(caught.value)) < 600


def test_symbols_of_our_own_are_valid_and_name_one_license_each() -> None:
    symbols = [one.symbol for one in shipped_readings().values()]
    assert len(set(symbols)) == len(symbols)
    assert all(re.fullmatch(r"[A-Za-z0-9.-]+", symbol) for symbol in symbols)


def license_of(model: str) -> str:
    found = UpstreamIndex(shipped_upstream()).find(model)
    return found.license if found else ""


def test_models_elsewhere_are_known_by_id_and_by_pattern() -> None:
    assert license_of("meta-llama/Llama-3.1-8B-Instruct") == "llama3.1"
    assert license_of("Meta-Llama/llama-3.1-8b") == "llama3.1"
    assert license_of("Qwen/Qwen2.5-VL-3B-Instruct") == "qwen-research"
    assert license_of("Qwen/Qwen2.5-7B") == "apache-2.0"
    assert license_of("deepseek-ai/DeepSeek-V3-0324") == "mit"
    assert license_of("deepseek-ai/DeepSeek-V3") == "deepseek"
    assert license_of("someone/of-no-fame") == ""


def test_a_longer_pattern_goes_before_a_shorter_one() -> None:
    index = UpstreamIndex(shipped_upstream())
    vision, text = index.find("meta-llama/Llama-3.2-11B-Vision"), index.find("meta-llama/Llama-3.2-1B")
    assert vision is not None and text is not None
    assert (vision.modality, text.modality) == ("multimodal", "text")


def test_a_reading_confirmed_here_counts_whatever_its_confidence() -> None:
    from_file = shipped_readings()["internlm-license"]
    assert isinstance(from_file, Reading)
    assert from_file.value("commercial_use") is Value.UNKNOWN
