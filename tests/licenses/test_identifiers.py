"""The licence identifiers that a card may declare."""

from licenses.identifiers import is_known_license, known_licenses, license_title


def test_identifiers_spdx_ids_and_aliases_are_known_in_any_case() -> None:
    for text in ("apache-2.0", "Apache-2.0", "apache license 2.0", "MIT", "llama3.1", "other"):
        assert is_known_license(text), text
    assert not is_known_license("my-own-license")


def test_a_title_is_the_full_name_and_an_unknown_one_stays_as_it_is() -> None:
    assert license_title("apache-2.0") == "Apache License 2.0"
    assert license_title("my-own-license") == "my-own-license"


def test_every_reading_is_there() -> None:
    assert len({entry.id for entry in known_licenses().values()}) == 147
