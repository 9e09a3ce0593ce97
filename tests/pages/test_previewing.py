"""Looking at a text before it is committed: as the page that it will be, or as what it changes."""

from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.models import User
from hub.catalog.edits import MAX_TEXT
from hub.catalog.models import CommitRecord, Repo
from hub.catalog.turns import Seats
from hub.pages import previewing
from tests.pages.kit import CARD, logged_in, text_of, words_of

Maker = Callable[..., Repo]
LOOK = "/ada/ships/preview/main/README.md"
PART = {"HX-Request": "true", "HX-Target": "look"}


@pytest.fixture
def repo(make_repo: Maker) -> Repo:
    return make_repo("ada/ships", {"README.md": CARD, "notes.txt": b"One\r\nTwo\r\n"})


def test_a_card_is_shown_as_its_page_will_and_nothing_is_written(browser: Client, repo: Repo) -> None:
    before = CommitRecord.objects.filter(network=repo.network_id).count()
    page = text_of(browser.get("/ada/ships"))
    shown = page[page.index('<article class="prose"') : page.index("</article>")]
    answer = browser.post(LOOK, {"content": CARD.decode().replace("\n", "\r\n")}, headers=PART)
    assert shown in text_of(answer)
    assert "<html" not in text_of(answer)
    text = "<script>steal()</script>\n\n![far](https://evil.example/x.png) ![near](a.png)\n\n$x^2$"
    html = text_of(browser.post(LOOK, {"content": text}, headers=PART))
    assert "steal()" not in html and 'src="https' not in html
    assert 'src="/ada/ships/resolve/main/a.png"' in html
    assert 'class="math' in html
    assert CommitRecord.objects.filter(network=repo.network_id).count() == before


def test_broken_front_matter_is_told_as_on_the_page_of_the_card(browser: Client, repo: Repo) -> None:
    answer = browser.post(LOOK, {"content": "---\nlicense: [\n---\n# Still read"}, headers=PART)
    assert "The card’s metadata needs a look." in words_of(answer)
    assert "Invalid YAML in the metadata block" in words_of(answer)
    assert "Still read</h2>" in text_of(answer)


def test_without_scripts_the_whole_page_comes_again_with_what_was_written(
    browser: Client, repo: Repo
) -> None:
    form = {"path": "docs/how.md", "content": "# How\n[on](on.md)", "title": "Tell how"}
    html = text_of(browser.post("/ada/ships/preview/main", form))
    assert 'href="/ada/ships/blob/main/docs/on.md"' in html
    assert "\n# How\n[on](on.md)</textarea>" in html
    assert 'value="Tell how"' in html and 'action="/ada/ships/new/main"' in html
    assert 'formaction="/ada/ships/preview/main#look"' in html
    wrong = browser.post("/ada/ships/preview/main", {**form, "path": "how.txt"})
    assert (wrong.status_code, "# How" in text_of(wrong)) == (400, True)
    assert "Only files that end in .md" in words_of(wrong)


def test_what_a_text_changes_is_shown_line_by_line(browser: Client, repo: Repo) -> None:
    at = "/ada/ships/preview/main/notes.txt"
    changed = browser.post(at, {"content": "One\nThree\n", "look": "changes"}, headers=PART)
    assert "lines added: 1, removed: 1." in words_of(changed)
    assert ">added: </span>Three" in text_of(changed)
    same = browser.post(at, {"content": "One\nTwo\n", "look": "changes"}, headers=PART)
    assert "Nothing differs from what is stored." in words_of(same)
    odd = browser.post(at, {"content": "One\0Two\n", "look": "changes"}, headers=PART)
    assert "Not a text." in words_of(odd)


def test_only_who_may_edit_looks_within_the_bounds_of_the_editor(
    browser: Client, client: Client, repo: Repo, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = browser.post(LOOK, {"content": "x" * (MAX_TEXT + 1)}, headers=PART)
    assert (large.status_code, "can be edited here" in words_of(large)) == (400, True)
    out = client.post(LOOK, {"content": "# Mine"})
    assert out.status_code == 400
    assert "You were logged out" in words_of(out) and "# Mine" in text_of(out)
    assert browser.get(LOOK).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(LOOK, {"content": "x"}).status_code == 403
    Repo.objects.filter(pk=repo.pk).update(private=True)
    assert logged_in(bob).post(LOOK, {"content": "x"}).status_code == 404
    monkeypatch.setattr(previewing, "_SEATS", Seats(total=0, each=0))
    busy = browser.post(LOOK, {"content": "x"}, headers=PART)
    assert "Too many previews are being made" in words_of(busy)
