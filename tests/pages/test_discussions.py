"""Discussions and proposals on pages, the lineage tab, and finding a file."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.accounts.tokens import create_token
from hub.catalog import discussions
from hub.catalog.models import LineageEdge, Repo
from hub.catalog.names import FilePath
from hub.catalog.operations import AddFile
from licenses.models import Case
from tests.factories import commit_all
from tests.pages.kit import CARD, logged_in, put, text_of, words_of

pytestmark = pytest.mark.django_db

Maker = Callable[..., Repo]
AT = "/ada/ships/discussions"


@pytest.fixture
def ships(make_repo: Maker) -> Repo:
    return make_repo("ada/ships", {"README.md": CARD, "notes.txt": b"one\ntwo\n"})


def propose(user: User, repo: Repo, content: bytes) -> int:
    change = [AddFile(FilePath.parse("notes.txt"), content)]
    return (
        commit_all(Viewer(user=user), repo, change, create_pr=True, title="Count further").pull_request or 0
    )


def test_a_proposal_is_read_compared_and_merged_on_one_page(browser: Client, ships: Repo, bob: User) -> None:
    propose(bob, ships, b"one\ntwo\nthree\n")
    listed = browser.get(AT)
    assert "Count further" in words_of(listed)
    assert browser.get(f"{AT}?only=discussions").content.count(b"Count further") == 0
    page = browser.get(f"{AT}/1")
    assert "bob proposes a change to main" in words_of(page)
    assert "<ins>" not in words_of(page)
    assert "three" in words_of(page)
    assert "1 file on main changes, in one commit." in words_of(page)
    guest = logged_in(bob)
    assert 'value="merge"' not in text_of(guest.get(f"{AT}/1"))
    refused = guest.post(f"{AT}/1", {"do": "merge"})
    assert refused.status_code == 409
    (seen,) = re.findall(r'name="tip" value="([0-9a-f]{40})"', text_of(page))
    change = [AddFile(FilePath.parse("notes.txt"), b"one\ntwo\nthree\nfour\n")]
    commit_all(Viewer(user=bob), ships, change, revision="refs/pr/1")
    late = browser.post(f"{AT}/1", {"do": "merge", "tip": seen})
    assert (late.status_code, "changed since you looked" in words_of(late)) == (409, True)
    assert "four" in words_of(late)
    (seen,) = re.findall(r'name="tip" value="([0-9a-f]{40})"', text_of(late))
    done = browser.post(f"{AT}/1", {"do": "merge", "tip": seen}, follow=True)
    assert "The proposal is merged." in words_of(done)
    assert "three" in words_of(browser.get("/ada/ships/blob/main/notes.txt"))
    assert "Count further" in words_of(browser.get(f"{AT}?state=closed"))


def test_a_conflict_names_the_files_and_offers_no_merge(
    browser: Client, ships: Repo, ada: User, bob: User
) -> None:
    propose(bob, ships, b"theirs\n")
    put(ada, ships, {"notes.txt": b"ours\n"})
    page = browser.get(f"{AT}/1")
    assert "changed both here and on main" in words_of(page)
    assert 'value="merge"' not in text_of(page)
    pressed = browser.post(f"{AT}/1", {"do": "merge", "text": "Thanks."})
    assert (pressed.status_code, "notes.txt" in words_of(pressed), "Thanks." in text_of(pressed)) == (
        409,
        True,
        True,
    )


def test_comments_are_safe_markdown_and_nothing_written_is_lost(
    browser: Client, ships: Repo, bob: User
) -> None:
    guest = logged_in(bob)
    evil = "# Hi\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) *why*?"
    opened = guest.post(f"{AT}/new", {"title": "Why <b>?", "text": evil})
    assert opened["Location"] == f"{AT}/1"
    page = text_of(browser.get(f"{AT}/1"))
    assert "<em>why</em>" in page
    assert "alert(1)</script>" not in page
    assert 'href="javascript' not in page
    assert "Why &lt;b&gt;?" in page
    assert Client().post(f"{AT}/1", {"do": "comment", "text": "Kept?"}).content.count(b"Kept?") == 1
    empty = guest.post(f"{AT}/new", {"title": "", "text": "Kept."})
    assert (empty.status_code, "Kept." in text_of(empty)) == (400, True)
    browser.post(f"{AT}/1", {"do": "comment", "text": "Because."})
    event = discussions.events(discussions.find(ships, 1))[-1]
    assert "Because." in text_of(browser.get(f"{AT}/1?edit={event.pk}"))
    browser.post(f"{AT}/1", {"do": "edit", "event": event.pk, "text": "So."})
    assert "changed since" in words_of(browser.get(f"{AT}/1"))
    browser.post(f"{AT}/1", {"do": "hide", "event": event.pk})
    assert "This comment was hidden." in words_of(guest.get(f"{AT}/1"))
    guest.post(f"{AT}/1", {"do": "close", "text": "I see."})
    assert "Open again" in words_of(guest.get(f"{AT}/1"))


def test_a_guest_who_writes_too_much_waits_and_keeps_the_text(
    browser: Client, ships: Repo, bob: User
) -> None:
    guest, talk = logged_in(bob), {"do": "comment", "text": "Again."}
    guest.post(f"{AT}/new", {"title": "Why?", "text": ""})
    for _ in range(discussions.GUESTS[0].most - 1):
        assert guest.post(f"{AT}/1", talk).status_code == 302
    written = {"title": "Kept so", "text": "Kept too.", "content": "kept\n", "target": "proposal"}
    for address in (f"{AT}/1", f"{AT}/new", "/ada/ships/new/main?path=x.txt"):
        late = guest.post(address, talk | written | {"path": "x.txt"})
        assert (late.status_code, "Try again in 10 min" in words_of(late)) == (429, True), address
        assert ("kept\n" if "main" in address else "Kept too.") in text_of(late)
        assert 0 < int(late["Retry-After"]) <= 600
    secret = {"Authorization": f"Bearer {create_token(user=bob, name='x', kind='write')[1]}"}
    told = Client().post(
        "/api/models/ada/ships/discussions/1/comment",
        {"comment": "Again."},
        "application/json",
        headers=secret,
    )
    assert (told.status_code, "Retry-After" in told) == (429, True)
    # Whoever may write is no guest.
    assert browser.post(f"{AT}/1", talk).status_code == 302


def test_what_is_said_of_a_private_repo_is_not_there_for_others(
    browser: Client, make_repo: Maker, bob: User
) -> None:
    hidden = make_repo("ada/hidden", private=True)
    discussions.open_discussion(Viewer(user=hidden.created_by), hidden, title="Secret", text="")
    guest = logged_in(bob)
    for path in ("", "/1", "/new"):
        assert guest.get(f"/ada/hidden/discussions{path}").status_code == 404
    assert guest.post("/ada/hidden/discussions/1", {"do": "comment", "text": "x"}).status_code == 404
    assert (
        guest.get("/ada/hidden/lineage").status_code == guest.get("/ada/hidden/find/main").status_code == 404
    )
    assert browser.get("/ada/hidden/discussions/2").status_code == 404


def test_the_family_is_shown_without_what_the_reader_cannot_see(
    browser: Client, client: Client, ships: Repo, make_repo: Maker
) -> None:
    tuned, hidden = make_repo("ada/tuned"), make_repo("ada/hidden", private=True)
    below, base = make_repo("ada/below"), make_repo("ada/base", private=True)
    for child, parent, relation in (
        (tuned, ships, "finetune"),
        (hidden, ships, "adapter"),
        (below, tuned, "quantized"),
    ):
        LineageEdge.objects.create(
            repo=child, parent=parent.key, parent_repo=parent, relation=relation, source="card", strength=1
        )
    nodes = [
        {"key": "ada/ships", "name": "ada/ships", "licenses": [], "repo": str(ships.pk)},
        {"key": "ada/base", "name": "ada/base", "licenses": ["mit"], "repo": str(base.pk)},
        {"key": "acme/first", "name": "acme/first", "licenses": None, "repo": ""},
        {"key": "acme/other", "name": "acme/other", "licenses": None, "repo": ""},
    ]
    edges = [
        {"child": "ada/ships", "parent": "ada/base", "relation": "finetune", "evidence": "card"},
        {"child": "ada/base", "parent": "acme/first", "relation": "finetune", "evidence": "card"},
        {"child": "ada/ships", "parent": "acme/other", "relation": "merge", "evidence": "config"},
    ]
    Case.objects.update_or_create(
        subject=str(ships.pk), current=True,
        defaults={"label": "ada/ships", "commit": ships.head, "digest": "0" * 64, "state": "cleared",
                  "lineage": {"nodes": nodes, "edges": edges, "own": []}},
    )  # fmt: skip
    every, public = words_of(browser.get("/ada/ships/lineage")), words_of(client.get("/ada/ships/lineage"))
    for name in ("ada/tuned", "ada/below", "acme/other"):
        assert name in every
        assert name in public
    for name in ("ada/hidden", "ada/base", "acme/first"):
        assert name in every
        assert name not in public
    assert "cannot see (1)" not in public
    told = client.get("/api/models/ada/ships/lineage").json()
    assert [one["id"] for one in told["ancestors"]] == ["acme/other"]
    assert [(one["id"], [it["id"] for it in one["descendants"]]) for one in told["descendants"]] == [
        ("ada/tuned", ["ada/below"])
    ]


def test_a_file_is_found_by_words_of_its_path(client: Client, ada: User, ships: Repo) -> None:
    put(ada, ships, {"src/Train/loop.py": b"1", "src/eval/loop.py": b"2", "100%_sure.txt": b"3"})
    found = words_of(client.get("/ada/ships/find/main?q=LOOP+train"))
    assert "src/Train/loop.py" in found
    assert "src/eval" not in found
    part = client.get("/ada/ships/find/main?q=%25_s", headers={"HX-Target": "found"})
    assert text_of(part).lstrip().startswith("<section")
    assert ("100%_sure.txt" in words_of(part), "notes.txt" in words_of(part)) == (True, False)
    assert "holds “nothing”" in words_of(client.get("/ada/ships/find?q=nothing"))
    assert "data-find" in text_of(client.get("/ada/ships/tree/main"))
