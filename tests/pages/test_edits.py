"""Editing in the browser's forms: what is written lands, and nothing that was written is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.accounts.models import User
from hub.catalog.lookups import locate_in
from hub.catalog.models import CommitRecord, Discussion, Repo
from hub.catalog.names import FilePath
from hub.catalog.pulls import content_of
from hub.catalog.trees import entry_at
from tests.pages.kit import logged_in, put, text_of, words_of

Maker = Callable[..., Repo]
EDIT = "/ada/ships/edit/main/notes.txt"


@pytest.fixture
def repo(make_repo: Maker) -> Repo:
    return make_repo(
        "ada/ships", {"notes.txt": b"\nOne\nTwo\n", "crlf.txt": b"a\r\nb\r\n", "raw.bin": b"\0\1"}
    )


def read(repo: Repo, path: str, revision: str = "main") -> bytes | None:
    entry = entry_at(repo, locate_in(repo, revision).tree, FilePath.parse(path))
    return content_of(repo, entry) if entry else None


def was(repo: Repo, path: str) -> str:
    entry = entry_at(repo, locate_in(repo, "main").tree, FilePath.parse(path))
    assert entry
    return entry.oid


def commits(repo: Repo) -> int:
    return CommitRecord.objects.filter(network=repo.network_id).count()


def test_a_text_is_changed_with_its_own_line_ends_and_sending_twice_is_once(
    browser: Client, repo: Repo
) -> None:
    page = text_of(browser.get(EDIT))
    assert 'wrap="off">\n\nOne\nTwo\n</textarea>' in page
    form = {
        "content": "\r\nOne\r\nThree\r\n",
        "was": was(repo, "notes.txt"),
        "title": "Count on",
        "target": "direct",
    }
    assert browser.post(EDIT, form)["Location"] == "/ada/ships/blob/main/notes.txt"
    assert read(repo, "notes.txt") == b"\nOne\nThree\n"
    assert browser.post(EDIT, form).status_code == 302
    assert commits(repo) == 3
    crlf = {"content": "a\r\nc\r\n", "was": was(repo, "crlf.txt"), "target": "direct"}
    browser.post("/ada/ships/edit/main/crlf.txt", crlf)
    assert read(repo, "crlf.txt") == b"a\r\nc\r\n"
    assert CommitRecord.objects.filter(title="Update crlf.txt").exists()


def test_a_change_by_somebody_else_is_told_and_can_be_written_over(
    browser: Client, repo: Repo, ada: User
) -> None:
    form = {"content": "Mine\n", "was": was(repo, "notes.txt"), "target": "direct"}
    put(ada, repo, {"other.txt": b"x"})
    put(ada, repo, {"notes.txt": b"Theirs\n"})
    refused = browser.post(EDIT, form)
    assert refused.status_code == 409
    assert "was changed since you opened it" in words_of(refused)
    assert "Mine" in text_of(refused)
    assert read(repo, "notes.txt") == b"Theirs\n"
    assert browser.post(EDIT, {**form, "over": was(repo, "notes.txt")}).status_code == 302
    assert read(repo, "notes.txt") == b"Mine\n"


def test_an_ended_session_keeps_what_was_written(repo: Repo, ada: User) -> None:
    form = {"content": "My long text", "was": was(repo, "notes.txt"), "target": "direct"}
    answer = Client().post(EDIT, form)
    assert answer.status_code == 400
    assert "You were logged out. Your text is still here" in words_of(answer)
    assert "My long text" in text_of(answer)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    stale = strict.post(EDIT, form)
    assert stale.status_code == 403
    assert "My long text" in text_of(stale)
    about = Client().post("/new", {"name": "x", "about": "What it is for", "password": "not this one"})
    assert about.status_code == 401
    assert "What it is for" in text_of(about) and "not this one" not in text_of(about)
    liked = Client().post("/ada/ships/like", headers={"Referer": "http://testserver/ada/ships/use"})
    assert liked["Location"] == "/login?next=%2Fada%2Fships%2Fuse"
    assert Client().get(EDIT)["Location"].startswith("/login?next=")


def test_a_file_is_made_and_deleted_and_a_guest_proposes(browser: Client, repo: Repo, bob: User) -> None:
    form = {"path": "docs/how.md", "content": "# How\r\n", "target": "direct", "was": ""}
    assert browser.post("/ada/ships/new/main", form)["Location"] == "/ada/ships/blob/main/docs/how.md"
    assert read(repo, "docs/how.md") == b"# How\n"
    again = browser.post("/ada/ships/new/main", {**form, "content": "else"})
    assert (again.status_code, "is there already" in words_of(again)) == (409, True)
    bad = browser.post("/ada/ships/new/main", {**form, "path": "../x"})
    assert bad.status_code == 400
    assert "# How" in text_of(bad)
    gone = {"was": was(repo, "raw.bin"), "target": "direct"}
    assert "Delete raw.bin" in words_of(browser.get("/ada/ships/delete/main/raw.bin"))
    assert browser.post("/ada/ships/delete/main/raw.bin", gone)["Location"] == "/ada/ships/tree/main"
    assert read(repo, "raw.bin") is None
    guest = logged_in(bob)
    proposed = guest.post(EDIT, {"content": "Better", "was": was(repo, "notes.txt"), "target": "proposal"})
    assert proposed["Location"] == "/ada/ships/discussions/1"
    assert Discussion.objects.get().author == bob
    direct = guest.post(EDIT, {"content": "Better", "was": was(repo, "notes.txt"), "target": "direct"})
    assert direct.status_code == 400
    assert "Better" in text_of(direct)


@pytest.mark.parametrize("path", ["edit/main/raw.bin", "edit/main/none.txt", "delete/main/none.txt"])
def test_what_cannot_be_edited_says_so(browser: Client, repo: Repo, path: str) -> None:
    assert browser.get(f"/ada/ships/{path}").status_code in (400, 404)


def test_the_front_matter_is_filled_in_by_a_form(browser: Client, repo: Repo) -> None:
    at = "/ada/ships/metadata/main"
    page = text_of(browser.get(at))
    assert '<option value="apache-2.0">Apache' in page
    form: dict[str, Any] = {
        "was": "", "target": "direct", "license": "apache-2.0", "language": "en\r\nno\r\n", "tags": "",
        "base_model": "",
    }  # fmt: skip
    assert browser.post(at, form).status_code == 302
    assert read(repo, "README.md") == b"---\nlicense: apache-2.0\nlanguage:\n- en\n- 'no'\n---\n"
    repo.refresh_from_db()
    assert repo.license == "apache-2.0"
    assert 'value="apache-2.0" selected' in text_of(browser.get(at))


def test_broken_yaml_is_said_before_anything_is_written(browser: Client, repo: Repo, ada: User) -> None:
    put(ada, repo, {"README.md": b"---\nlicense: [\n---\n"})
    page = browser.get("/ada/ships/metadata/main")
    assert page.status_code == 400
    assert "Mend it in the text of README.md first" in words_of(page)
