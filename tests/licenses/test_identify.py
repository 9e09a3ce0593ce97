"""Declared, detected, and whether the two agree."""

import pytest

from licenses.findings import Code, Severity
from licenses.identify import Catalogue, Declared
from licenses.matches import Detection, Passage
from licenses.shipped import shipped_readings
from licenses.words import split_words
from tests.licenses.known import canonical, corpus, text_of

CATALOGUE = Catalogue(shipped_readings())


def files(**texts: str) -> dict[str, Detection]:
    return {name: corpus().detect(text.encode()) for name, text in texts.items()}


def codes(value: object, name: object = "", link: object = "") -> list[Code]:
    return [one.code for one in CATALOGUE.declared(value, name=name, link=link).findings]


def test_an_id_an_alias_a_symbol_and_an_expression_are_understood() -> None:
    for text in ("apache-2.0", "Apache-2.0", "apache license 2.0"):
        assert CATALOGUE.declared(text).ids == ("apache-2.0",)
    assert CATALOGUE.declared("LicenseRef-llama3.1").ids == ("llama3.1",)
    assert CATALOGUE.declared("mit AND llama3.3").ids == ("mit", "llama3.3")
    assert CATALOGUE.declared("other", name="flux-1-dev-non-commercial-license").ids == (
        "flux-1-dev-non-commercial-license",
    )


@pytest.mark.parametrize(
    ("value", "name", "code"),
    [
        (None, "", Code.LIC_MISSING),
        ("unknown", "", Code.LIC_MISSING),
        ([], "", Code.LIC_MISSING),
        ({"a": 1}, "", Code.LIC_MISSING),
        ("other", "", Code.LIC_AMBIGUOUS),
        ("other", "my-very-own", Code.LIC_AMBIGUOUS),
        ("other", "modified-mit", Code.LIC_AMBIGUOUS),
        (["mit", "apache-2.0"], "", Code.LIC_AMBIGUOUS),
        ("mit OR apache-2.0", "", Code.LIC_AMBIGUOUS),
        ("gpl", "", Code.LIC_AMBIGUOUS),
        ("made-up-9.9", "", Code.LIC_AMBIGUOUS),
        ("apple-amlr", "apple-ascl", Code.LIC_AMBIGUOUS),
        (["mit"] * 500, "x" * 10_000, Code.LIC_AMBIGUOUS),
    ],
)
def test_what_a_card_leaves_open_is_asked(value: object, name: str, code: Code) -> None:
    assert code in codes(value, name)


def test_a_name_that_goes_with_its_id_is_no_contradiction() -> None:
    for value, name in (
        ("llama3.1", "Llama 3.1 Community License Agreement"),
        ("mit", "MIT"),
        ("gemma", "gemma"),
    ):
        assert codes(value, name) == []
    assert codes("mit", "my own words") == [Code.LIC_AMBIGUOUS]


def test_a_name_that_several_share_names_none_of_them() -> None:
    declared = CATALOGUE.declared("other", name="modified-mit")
    assert declared.ids == ()
    assert "kimi-modified-mit" in declared.findings[0].message
    assert "minimax-modified-mit" in declared.findings[0].message


def test_a_card_and_its_text_can_agree() -> None:
    found = CATALOGUE.identify(CATALOGUE.declared("apache-2.0"), files(LICENSE=text_of("apache-2.0")))
    assert found.agrees and found.findings == ()
    assert found.detected == ("apache-2.0",)


def test_a_text_that_says_otherwise_is_a_mismatch() -> None:
    found = CATALOGUE.identify(CATALOGUE.declared("apache-2.0"), files(LICENSE=text_of("llama3.1")))
    assert not found.agrees
    assert [one.code for one in found.findings] == [Code.LIC_MISMATCH]


def test_the_text_of_what_it_was_made_from_may_lie_beside_its_own() -> None:
    both = files(**{"LICENSE": text_of("apache-2.0"), "LICENSE-BASE": text_of("mit")})
    declared = CATALOGUE.declared("apache-2.0")
    assert [one.code for one in CATALOGUE.identify(declared, both).findings] == [Code.LIC_MISMATCH]
    assert CATALOGUE.identify(declared, both, inherited={"mit"}).agrees
    only = CATALOGUE.identify(declared, files(NOTICE=text_of("mit")), inherited={"mit"})
    assert [one.code for one in only.findings] == [Code.LIC_MISSING]
    assert not only.agrees


def test_without_a_text_a_permissive_label_is_a_warning_and_any_other_holds() -> None:
    free, bound = (CATALOGUE.identify(CATALOGUE.declared(one), {}) for one in ("mit", "llama3.1"))
    assert [(one.code, one.severity) for one in free.findings] == [(Code.LIC_MISSING, Severity.WARN)]
    assert [(one.code, one.severity) for one in bound.findings] == [(Code.LIC_MISSING, Severity.FIX)]
    assert not free.agrees


def test_a_use_policy_beside_the_license_is_no_second_license() -> None:
    policy = next(one.text for one in canonical() if one.kind == "use-policy" and one.license == "llama4")
    found = CATALOGUE.identify(
        CATALOGUE.declared("llama4"), files(LICENSE=text_of("llama4"), USE_POLICY=policy)
    )
    assert found.agrees


def test_a_text_without_a_card_is_no_agreement() -> None:
    found = CATALOGUE.identify(Declared(), files(LICENSE=text_of("mit")))
    assert not found.agrees and found.detected == ("mit",)


def test_a_binary_license_file_is_asked_about() -> None:
    found = CATALOGUE.identify(CATALOGUE.declared("mit"), {"LICENSE": corpus().detect(bytes(range(32)) * 9)})
    assert [one.code for one in found.findings] == [Code.LIC_AMBIGUOUS]
    assert "binary" in found.findings[0].message


def test_what_was_added_is_quoted_as_it_stands_in_the_file() -> None:
    text = "Some Terms\n\n  1. You MAY use it, “freely”.  Its maker must show the words “Runs on Ledger”!\nNext.\n"
    words = split_words(text)
    start = words.words.index("its")
    assert words.quote(start, len(words.words) - 1) == "Its maker must show the words “Runs on Ledger”!"
    assert words.quote(0, len(words.words)).startswith("Some Terms 1. You MAY use it, “freely”.")
    long = Passage("x", 9, 3, 3, "These words run on and on")
    assert long.quoted(12) == "These words …"
