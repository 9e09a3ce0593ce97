"""Which names are refused, and with which words."""

import pytest

from hub.accounts.names import BadName, check_namespace, check_repo


@pytest.mark.parametrize("name", ["lab", "a", "A-b_c.d", "_automation", "x" * 96, "0day"])
def test_names_of_the_clients_grammar_are_taken(name: str) -> None:
    assert check_namespace(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("x" * 97, "97 characters"),
        ("a b", "only contain"),
        ("a/b", "only contain"),
        ("ä", "only contain"),
        ("a\n", "only contain"),
        (".hidden", "begin and end"),
        ("-x", "begin and end"),
        ("x.", "begin and end"),
        ("a--b", "'--'"),
        ("a..b", "'..'"),
        ("weights.GIT", "'.git'"),
        ("API", "reserved"),
        ("datasets", "reserved"),
    ],
)
def test_a_bad_namespace_is_refused_with_the_rule_it_breaks(name: str, reason: str) -> None:
    with pytest.raises(BadName, match=reason):
        check_namespace(name)


def test_a_repo_may_not_be_called_like_a_verb_of_repo_addresses() -> None:
    with pytest.raises(BadName, match="verb"):
        check_repo("Resolve")
