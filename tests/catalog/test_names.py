"""Names of files, refs and repos at the door."""

import pytest

from hub.catalog.errors import BadPath, BadRefName, BadRequest
from hub.catalog.names import FilePath, RepoName, check_ref_part, check_sha256


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "a/b/c.txt",
        "with space",
        "ünïcode/文件",
        "100%.txt",
        "a?b",
        ".gitattributes",
        "x" * 255,
        "...",
    ],
)
def test_ordinary_and_awful_paths_are_taken(path: str) -> None:
    assert str(FilePath.parse(path)) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("a//b", "empty component"),
        ("a/", "empty component"),
        ("../up", r"'\.\.'"),
        ("a/./b", r"'\.'"),
        ("..\\ddd", "backslash"),
        ("a/.git/hooks/post-checkout", r"\.git"),
        (".GIT/config", r"\.git"),
        (".g\u200cit/config", r"\.git"),
        ("git~1/config", r"\.git"),
        (".git ./x", r"\.git"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("a\u202egpj.exe", "direction"),
        ("\u200bREADME.md", "control"),
        ("a\ud800b", "surrogate"),
        ("x" * 256, "255 bytes"),
        ("/".join("a" * 33), "32 folders"),
        ("é" * 600, "1024 bytes"),
    ],
)
def test_a_bad_path_is_refused_with_the_trouble_it_would_make(path: str, reason: str) -> None:
    with pytest.raises(BadPath, match=reason):
        FilePath.parse(path)


@pytest.mark.parametrize("name", ["main", "v1.0", "feature/x", "ünï", "a" * 200])
def test_ordinary_ref_names_are_taken(name: str) -> None:
    assert check_ref_part(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "refs/pr/5", "refs/heads/x", "HEAD", "a" * 40, "a..b", "a b", "a~1", "a^", "a:b", "-x", ".a", "a/.b", "a.lock",
     "a/", "/a", "a//b", "a@{1}", "a\\b", "a?", "a*", "a[", "x.", "a\x7f", "a\u2066b", "a" * 201],
)  # fmt: skip
def test_a_ref_name_that_git_refuses_or_reads_otherwise_is_refused(name: str) -> None:
    with pytest.raises(BadRefName):
        check_ref_part(name)


@pytest.mark.parametrize("text", ["gpt2", "a/b/c", "", "a/", "/b", "a b/c", "a/b.git"])
def test_an_id_that_no_repo_can_have_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        RepoName.parse("model", text)


def test_ids_are_compared_without_case() -> None:
    assert RepoName.parse("model", "Lab/Tiny").key == RepoName.parse("model", "lab/tiny").key


@pytest.mark.parametrize("text", [None, 5, "", "A" * 64, "a" * 63, "g" * 64, "a" * 64 + "\n"])
def test_what_is_no_sha256_is_refused_naming_the_field(text: object) -> None:
    with pytest.raises(BadRequest, match=r"lfsFile\.oid"):
        check_sha256(text, "lfsFile.oid")
