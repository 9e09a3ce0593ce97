"""Ignore and attribute rules say what git itself says, and hostile ones cost no more than others."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from hub.catalog.errors import TooLarge
from hub.catalog.rules import MAX_ATOMS, Attributes, Ignores

PATHS = [
    "a", "b", "a.txt", "b.txt", ".env", "abc", "a b", "A.TXT", "x/a", "x/y/a", "x/y/z/a.txt", "x/b.txt",
    "build/out.o",
    "src/build/out.o", "src/build/keep.o", "doc/a/b/c.md", "doc/c.md", "foo/bar", "foo/x/bar", "foo/x/y/bar",
    "foobar",
    "!a", "#a", "a#", "a]", "[a]", "a-b", "a^b", "a\\b", "é", "trailing ", "x/trailing ", "a1", "a9z", "-", "[", "*",
    "model.safetensors", "sub/model.safetensors", "saved_model/x/variables", "logs/tfevents.123", "x.tar.gz",
]  # fmt: skip
IGNORES = [
    "*.txt", "a", "/a", "x/", "x/a", "/x/a", "**/a", "**/x/a", "x/**", "x/**/a", "**", "**/", "*", "/*", "*/", "*/*",
    "build\n!build/out.o", "build/*\n!build/out.o", "*\n!a.txt", "*.o\n!keep.o",
    "src/build/\n!src/build/keep.o", "!a",
    "\\!a", "\\#a", "#a", "a\\#", "a]", "[a]", "[]a]", "[!a]", "[^a]", "[a-z]", "[a-]", "[-a]", "[z-a]", "[",
    "[a", "[!",
    "[[:alpha:]]", "[[:digit:][:alpha:]]*", "[[:odd:]]", "[[:alpha:]", "a[[:digit:]]", "a?b", "a??", "?", "??",
    "a\\b",
    "a\\\\b", "\\", "a\\", "foo/**/bar", "foo/*/bar", "foo*", "foo/*", "foo/**", "doc/**/c.md", "/**/c.md", "**/*.md",
    "doc/*.md", "trailing ", "trailing\\ ", "trailing  ", "a.txt\r", "\ufeff*.txt", "é", "[é]", "a*b", "*a*",
    "**a", "a**",
    "x//a", "//a", "/", "//", "!", "", " ", "x/y/", "y/", "y", "*/y", "?/y", "**/y/**", "x/**/**/a", "x/***/a",
    "[*]", "\\*",
    "*.tar.*", "a/**/../b", "*/**/a", "./a", "foo\\/bar", "[/]", "foo[/]bar", "foo?bar", "foo[!a]bar",
]  # fmt: skip
ATTRIBUTES = [
    "*.txt filter=lfs", "*.txt filter=lfs\na.txt -filter", "*.txt filter=lfs\na.txt !filter",
    "* filter=lfs\n*.txt filter=x",
    "*.txt filter", "*.txt -filter", "*.txt !filter", "*.txt filter=", "a.txt !filter\n*.txt filter=lfs",
    "x/** filter=lfs",
    "x/ filter=lfs", "/a filter=lfs", "!a filter=lfs", "#a filter=lfs", '"a b" filter=lfs', '"a\\040b" filter=lfs',
    '"a b filter=lfs', "  *.txt\tfilter=lfs\t-text", "*.txt text filter=lfs merge=lfs -text",
    "*.txt -filter filter=lfs",
    "*.txt filter=lfs -filter", "[attr]big filter=lfs -text\n*.txt big", "*.txt big\n[attr]big filter=lfs",
    "[attr]big filter=lfs\n*.txt big\na.txt -big", "[attr]big filter=lfs\n*.txt big\na.txt !filter",
    "[attr]big filter=lfs\n[attr]huge big\n*.txt huge", "[attr]a b\n[attr]b a filter=lfs\n*.txt a", "*.txt binary",
    "[attr]big filter=lfs\n*.txt big=yes", "[attr]big filter=lfs\n[attr]big filter=x\n*.txt big",
    "*.txt =x filter=lfs",
    "*.txt fil%ter filter=lfs", "*.txt --x filter=lfs", "*.txt filter=lfs\r", "saved_model/**/* filter=lfs",
    "*tfevents* filter=lfs",
    "*.safetensors filter=lfs diff=lfs merge=lfs -text", "*.tar.* filter=lfs", "[é] filter=lfs", "é filter=lfs",
    "*.txt filter=lfs " + "x" * 2050, "a.txt filter=lfs filter=y", "[attr]big filter=lfs\n*.txt -filter big",
    "[attr]big filter=lfs\n*.txt big -filter", "\ufeff*.txt filter=lfs",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("rules")
    subprocess.run(["git", "init", "-q", str(made)], check=True)
    return made


def _git(folder: Path, *words: str, paths: list[str]) -> list[str]:
    alone = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words, "-z", "--stdin"], cwd=folder, env=alone, input="\0".join(paths).encode() + b"\0", check=False,
        capture_output=True,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.decode().split("\0")[:-1]


def _ignored_by_git(folder: Path, rules: str, paths: list[str]) -> set[str]:
    (folder / ".gitignore").write_bytes(rules.encode())
    return set(_git(folder, "check-ignore", "--no-index", paths=paths))


def _filters_by_git(folder: Path, rules: str, paths: list[str]) -> dict[str, object]:
    (folder / ".gitattributes").write_bytes(rules.encode())
    words = _git(folder, "check-attr", "filter", paths=paths)
    told: dict[str, object] = {"set": True, "unset": False, "unspecified": None}
    return {
        path: told.get(value, value.encode()) for path, value in zip(words[::3], words[2::3], strict=True)
    }


@pytest.mark.parametrize("rules", IGNORES)
def test_ignore_rules_mean_what_git_takes_them_for(folder: Path, rules: str) -> None:
    ours = Ignores(rules.encode())
    assert {path for path in PATHS if ours.match(path.encode())} == _ignored_by_git(folder, rules, PATHS)


@pytest.mark.parametrize("rules", ATTRIBUTES)
def test_attributes_mean_what_git_takes_them_for(folder: Path, rules: str) -> None:
    ours = Attributes(rules.encode(), b"filter")
    assert {path: ours.value(path.encode()) for path in PATHS} == _filters_by_git(folder, rules, PATHS)


def test_rules_put_together_by_chance_mean_the_same(folder: Path) -> None:
    chance = random.Random(7)
    words = ["a", "b", "*", "?", "a*", "*b", "**", "[ab]", "[!a]", "ab"]
    paths = sorted(
        {"/".join(chance.choices(["a", "b", "ab", "ba"], k=chance.randint(1, 5))) for _ in range(150)}
    )
    for _ in range(120):
        lines = []
        for _ in range(chance.randint(1, 5)):
            text = "/".join(chance.choices(words, k=chance.randint(1, 4)))
            lines.append(
                chance.choice(["", "", "!"])
                + chance.choice(["", "", "/"])
                + text
                + chance.choice(["", "", "/"])
            )
        rules = "\n".join(lines)
        ours = Ignores(rules.encode())
        found = {path for path in paths if ours.match(path.encode())}
        assert found == _ignored_by_git(folder, rules, paths), rules


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 100 + "*b",
        "*a" * 16_000 + "*b",
        "**/a/" * 6_000 + "b",
        "[!b]*" * 6_000 + "b",
        "\n".join(["*a*a*b"] * 4_000),
    ],
    ids=lambda text: text[:8],
)
def test_hostile_patterns_cost_no_more_than_others(pattern: str) -> None:
    started = time.process_time()
    rules = Ignores(pattern.encode())
    paths = ["/".join(["a" * 200] * 5), "/".join("a" * 32), "a" * 255] * 80
    assert not any(rules.match(path.encode()) for path in paths)
    attributes = Attributes(
        "\n".join(f"{line} filter=lfs" for line in pattern.split("\n")).encode(), b"filter"
    )
    assert not any(attributes.value(path.encode()) for path in paths)
    # Half a second on an idle machine; a regular expression made of the first one never ends.
    assert time.process_time() - started < 60


def test_many_macros_cost_no_more_than_others() -> None:
    macros = "".join(f"[attr]m{number} m{number + 1}\n" for number in range(3000))
    rules = Attributes(
        (macros + "[attr]m3000 filter=lfs\n" + "* -m1\n" * 3000 + "a m1\n").encode(), b"filter"
    )
    started = time.process_time()
    assert [rules.value(b"a"), rules.value(b"b")] == [b"lfs", None]
    assert time.process_time() - started < 60


def test_more_rules_than_can_be_asked_quickly_are_refused() -> None:
    with pytest.raises(TooLarge):
        Ignores(b"a\n" * MAX_ATOMS)
    with pytest.raises(TooLarge):
        Attributes(b"a filter=lfs\n" * MAX_ATOMS, b"filter")
