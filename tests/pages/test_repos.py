"""The pages of one repo."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import CommitRecord, Inspection, Job, Repo, RepoBlob
from hub.catalog.names import RepoName
from hub.catalog.refs import create_branch, create_tag
from hub.catalog.repos import move_repo
from tests.pages.kit import CARD, pointer_of, put, text_of, words_of

Maker = Callable[..., Repo]


@pytest.fixture
def ships(ada: User, make_repo: Maker) -> Repo:
    """A model with a card, text, a folder and a proven large file."""
    repo = make_repo("ada/ships")
    files = {
        "README.md": CARD,
        "src/train.py": b"import os\nprint('<b>')\n",
        "model.bin": pointer_of(repo, b"weights"),
    }
    put(ada, repo, files)
    return repo


def test_the_first_page_says_what_it_is_and_shows_the_card(client: Client, ships: Repo) -> None:
    page = text_of(client.get("/ada/ships"))
    for words in (
        "Proven",
        "all 4 files",
        "Apache License 2.0",
        "declared by its card, not reviewed",
        "They weigh ships.",
    ):
        assert words in page
    assert "hf download ada/ships" in words_of(client.get("/ada/ships"))
    assert "license: apache-2.0" not in page


def test_a_card_tells_readers_aloud_in_which_language_it_is(client: Client, make_repo: Maker) -> None:
    make_repo("ada/schiffe", {"README.md": b"---\nlanguage: [de]\n---\n# Schiffe\n"})
    for path in ("", "/blob/main/README.md"):
        assert re.search(
            r'<article class="prose[^"]*" lang="de">', text_of(client.get(f"/ada/schiffe{path}"))
        )


def test_ids_are_found_in_any_case_and_absent_ones_read_like_private_ones(
    client: Client, ships: Repo, make_repo: Maker
) -> None:
    make_repo("ada/secret", private=True)
    assert client.get("/ADA/Ships").status_code == 200
    hidden, absent = client.get("/ada/secret"), client.get("/ada/absent")
    assert hidden.status_code == absent.status_code == 404
    assert text_of(hidden).replace("secret", "absent") == text_of(absent)


def test_a_renamed_model_leads_on_with_the_rest_of_the_address(
    client: Client, ada: User, ships: Repo
) -> None:
    move_repo(Viewer(user=ada), ships, to=RepoName.parse("model", "ada/boats"))
    answer = client.get("/ada/ships/tree/main/src?after=a")
    assert answer.status_code == 307
    assert answer["Location"] == "/ada/boats/tree/main/src?after=a"
    assert client.get("/ada/ships")["Location"] == "/ada/boats"


def test_the_files_are_listed_with_sizes_proofs_and_last_changes(client: Client, ships: Repo) -> None:
    page = text_of(client.get("/ada/ships/tree/main"))
    sha256 = RepoBlob.objects.get().sha256
    for words in (
        sha256,
        "Push the weights",
        'href="/ada/ships/tree/main/src"',
        'href="/ada/ships/resolve/main/model.bin"',
    ):
        assert words in page
    assert "train.py" in text_of(client.get("/ada/ships/tree/main/src"))
    assert client.get("/ada/ships/tree/main/nothing").status_code == 404
    assert client.get("/ada/ships/tree/main/../x").status_code == 404
    assert client.get("/ada/ships/tree/nonsense").status_code == 404
    assert client.get("/ada/ships/tree/main/README.md")["Location"] == "/ada/ships/blob/main/README.md"


def test_revisions_with_slashes_tags_and_short_ids_are_found(client: Client, ada: User, ships: Repo) -> None:
    create_branch(Viewer(user=ada), ships, branch="try/this")
    create_tag(Viewer(user=ada), ships, tag="v1", revision="main")
    for revision in ("try/this", "try%2Fthis", "v1", ships.head, ships.head[:8], "refs/heads/main"):
        assert client.get(f"/ada/ships/tree/{revision}/src").status_code == 200
    page = text_of(client.get("/ada/ships/tree/main"))
    assert 'href="/ada/ships/tree/try%2Fthis"' in page
    assert "Tags" in page


def test_text_is_shown_line_by_line_and_escaped(client: Client, ships: Repo) -> None:
    page = text_of(client.get("/ada/ships/blob/main/src/train.py"))
    assert 'id="L2"' in page
    assert "2 lines" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_odd_contents_are_described_and_not_shown(client: Client, ada: User, ships: Repo) -> None:
    files = {"bin.dat": b"\x00\x01", "latin.txt": b"\xff\xfe", "long.txt": b"\n" * 50_000, "empty.txt": b""}
    put(ada, ships, files)
    assert "Not a text" in text_of(client.get("/ada/ships/blob/main/bin.dat"))
    assert "Not a text" in text_of(client.get("/ada/ships/blob/main/latin.txt"))
    assert "Too long to show" in text_of(client.get("/ada/ships/blob/main/long.txt"))
    assert client.get("/ada/ships/blob/main/empty.txt").status_code == 200
    assert client.get("/ada/ships/raw/main/latin.txt")["Cache-Control"] == "private, no-cache"


def test_a_large_file_tells_its_hash_and_what_was_read_in_it(client: Client, ships: Repo) -> None:
    claim = RepoBlob.objects.get()
    faults = [{"code": "x", "message": "odd <name>", "severity": "error", "tensor": "wte"}]
    summary = {"total": 1234567, "parameters": {"BF16": 1234567}}
    Inspection.objects.create(sha256=claim.sha256, format="safetensors", summary=summary, findings=faults)
    page = text_of(client.get("/ada/ships/blob/main/model.bin"))
    for words in (
        claim.sha256,
        "BF16 1,234,567",
        "well formed",
        "odd &lt;name&gt;",
        "computed here over every stored byte",
    ):
        assert words in page


def test_faults_of_a_commits_files_stand_on_its_first_page(client: Client, ships: Repo) -> None:
    faults = [{"path": "model.bin", "code": "x", "message": "two tensors overlap", "severity": "error"}]
    CommitRecord.objects.filter(oid=ships.head).update(facts={"findings": faults})
    page = text_of(client.get("/ada/ships"))
    assert "two tensors overlap" in page
    assert 'href="/ada/ships/blob/main/model.bin"' in page


def test_files_being_proven_are_watched_and_cannot_be_downloaded(client: Client, ships: Repo) -> None:
    RepoBlob.objects.update(state="proving")
    Job.objects.create(
        kind="verify", subject="x", repo=ships, state="running", progress=0.42, step="hashing model.bin"
    )
    page = text_of(client.get("/ada/ships"))
    for words in ("Being proven", "hashing model.bin", "42%", 'hx-get="/ada/ships/proof/main"'):
        assert words in page
    assert "resolve/main/model.bin" not in text_of(client.get("/ada/ships/tree/main"))
    RepoBlob.objects.update(state="proven")
    part = text_of(client.get("/ada/ships/proof/main"))
    assert "<html" not in part
    assert "hx-get" not in part


def test_a_rejected_file_says_why(client: Client, ships: Repo) -> None:
    RepoBlob.objects.update(state="rejected", problem="Its sha256 is another one.")
    assert "1 rejected" in text_of(client.get("/ada/ships"))
    page = text_of(client.get("/ada/ships/blob/main/model.bin"))
    assert "Its sha256 is another one." in page
    assert "Download" not in page


def test_commits_are_listed_and_each_tells_what_it_changed(client: Client, ada: User, ships: Repo) -> None:
    oid = put(ada, ships, {"src/train.py": b"pass\n", "new.txt": b"new"}, "Train <better>")
    page = text_of(client.get("/ada/ships/commits/main"))
    assert "Train &lt;better&gt;" in page
    assert "initial commit" in page
    one = text_of(client.get(f"/ada/ships/commit/{oid[:8]}"))
    for words in (oid, "2 files", "added", "changed", "src/train.py"):
        assert words in one
    assert client.get("/ada/ships/commit/abcdef1234").status_code == 404
    assert "Nothing older" in text_of(client.get("/ada/ships/commits/main?skip=50"))


def test_ways_to_use_it_carry_this_hubs_address_and_the_revision(
    client: Client, ada: User, ships: Repo
) -> None:
    create_tag(Viewer(user=ada), ships, tag="v1", revision="main")
    page = words_of(client.get("/ada/ships/use?revision=v1"))
    for words in ("http://testserver", "--revision v1", "snapshot_download", "resolve/v1/"):
        assert words in page
    assert "git clone" not in page


def test_warnings_of_a_card_are_for_those_who_can_mend_it(
    client: Client, browser: Client, ada: User, ships: Repo
) -> None:
    put(ada, ships, {"README.md": b"---\nlicense: [\n---\n# Broken\n"})
    assert "metadata needs a look" in text_of(browser.get("/ada/ships"))
    page = text_of(client.get("/ada/ships"))
    assert "metadata needs a look" not in page
    assert "None declared" in page


def test_a_hostile_card_stays_harmless_on_the_page(client: Client, ada: User, ships: Repo) -> None:
    put(ada, ships, {"README.md": b"# <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n"})
    answer = client.get("/ada/ships")
    assert "alert(1)" not in text_of(answer)
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"].split("script-src")[1].split(";")[0]


def test_no_page_carries_an_inline_script(client: Client, ships: Repo) -> None:
    for path in ("/", "/ada/ships", "/ada/ships/tree/main", "/ada/ships/use", "/login", "/nothing/here"):
        page = text_of(client.get(path))
        assert all("src=" in tag.split(">")[0] for tag in page.split("<script")[1:])


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/ada/ships", 7), ("/ada/ships/tree/main", 8), ("/ada/ships/blob/main/src/train.py", 8),
        ("/ada/ships/commits/main", 6), ("/ada/ships/use", 4), ("/ada", 9), ("/ada/ships/integrity", 9),
        ("/ada/ships/compare/main..main", 8),
    ],
)  # fmt: skip
def test_the_number_of_queries_is_fixed(
    client: Client,
    ada: User,
    ships: Repo,
    path: str,
    most: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(8):
        files = {f"f{number}/{name}.txt": b"%d" % number for name in range(4)}
        put(ada, ships, files | {f"m{number}.bin": pointer_of(ships, b"w%d" % number)}, f"Push {number}")
    client.get(path)
    with django_assert_max_num_queries(most):
        assert client.get(path).status_code == 200


def test_an_older_revision_shows_its_own_licence(client: Client, ada: User, ships: Repo) -> None:
    before = ships.head
    put(ada, ships, {"README.md": CARD.replace(b"apache-2.0", b"mit")})
    assert "MIT License" in text_of(client.get("/ada/ships"))
    assert "Apache License 2.0" in text_of(client.get(f"/ada/ships?revision={before}"))
    assert CommitRecord.objects.filter(network=ships.network).count() == 3


def test_odd_addresses_are_answered_and_not_crashed_on(client: Client, ships: Repo, settings: Any) -> None:
    for path in (
        "/ada/ships/tree/%00", "/ada/ships/blob/main/%00", "/ada/ships/blob/main", "/ada/ships/commit/x%00",
        "/ada/ships/tree/main/" + "a/" * 40, "/ada/ships/tree/main?after=%00", "/ada/ships/commits/main?skip=-1",
        "/ada/ships?revision=%00", "/ada/ships?revision=" + "x" * 3000, "/a--b/c", "/%2e%2e/x", "/?q=%00",
        "/x" * 30, "/ada%2Fships", "/%00", "/?task=%00&library=%00&license=%00",
    ):  # fmt: skip
        assert client.get(path).status_code in (200, 302, 400, 404), path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("/ada/ships/", "/ada/ships"), ("/ada/?x=1", "/ada?x=1"), ("//evil.example//", "/evil.example")],
)
def test_a_slash_at_the_end_is_taken_off_and_never_leads_elsewhere(
    client: Client, typed: str, meant: str
) -> None:
    assert (
        client.get("/", PATH_INFO=typed.split("?")[0], QUERY_STRING=typed.partition("?")[2])["Location"]
        == meant
    )
