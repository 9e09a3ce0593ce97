"""Pages in the language of their reader, and the translations themselves."""

import io
import re

from babel.messages.mofile import write_mo
from django.test import Client

from hub.accounts.people import create_user
from tests.pages.kit import text_of
from tests.words import found, load, po_file

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
_PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?[a-z]+")


def _texts(of: object) -> list[str]:
    return [str(one) for one in of] if isinstance(of, list | tuple) else [str(of)]


def test_every_text_is_in_german_with_the_same_places_to_fill_and_nothing_is_left_over() -> None:
    wanted = {(one.context, str(one.id)): one for one in found() if one.id}
    german = {(one.context, str(one.id)): one for one in load("de") if one.id}
    assert sorted(map(str, wanted)) == sorted(map(str, german)), "make words"
    assert [key for key, one in german.items() if not all(_texts(one.string))] == []
    odd = [
        key
        for key, one in german.items()
        for text, said in zip(_texts(one.id), _texts(one.string), strict=True)
        if sorted(_PLACES.findall(text)) != sorted(_PLACES.findall(said))
    ]
    assert odd == []


def test_what_django_reads_is_what_was_written() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, load("de"))
    assert po_file("de").with_suffix(".mo").read_bytes() == compiled.getvalue(), "make words"


def test_a_page_speaks_the_language_that_the_browser_asks_for(db: None) -> None:
    page = Client(headers=GERMAN).get("/")
    assert '<html lang="de">' in text_of(page)
    assert "Zum Inhalt" in text_of(page)
    assert page.headers["Content-Language"] == "de"
    assert "Accept-Language" in page.headers["Vary"]
    assert '<html lang="en">' in text_of(Client(headers={"Accept-Language": "fr"}).get("/"))


def test_the_choice_of_a_reader_goes_before_the_browser_and_leads_back_to_the_page_and_nowhere_else(
    db: None,
) -> None:
    client = Client(headers=GERMAN, enforce_csrf_checks=True)
    back = client.post(
        "/settings/language", {"language": "en"}, headers={"Referer": "http://testserver/?q=a"}
    )
    assert back.headers["Location"] == "http://testserver/?q=a"
    assert '<html lang="en">' in text_of(client.get("/"))
    assert list(client.cookies) == ["language"]
    away = client.post(
        "/settings/language", {"language": "de"}, headers={"Referer": "http://elsewhere.example/"}
    )
    assert away.headers["Location"] == "/"
    assert '<html lang="de">' in text_of(client.get("/"))


def test_programs_are_answered_in_english_whatever_their_library_sends(db: None) -> None:
    client = Client(headers=GERMAN)
    spoken = client.get("/ada/none/resolve/main/config.json")
    assert (
        spoken.headers["X-Error-Message"]
        == Client().get("/ada/none/resolve/main/config.json").headers["X-Error-Message"]
    )
    assert "Content-Language" not in spoken.headers
    assert client.get("/api/nothing").json() == Client().get("/api/nothing").json()
    assert client.get("/models/new.atom").content.count(b"New models") == 1


def test_what_is_behind_the_pages_speaks_one_language(db: None) -> None:
    client = Client(headers=GERMAN)
    client.force_login(create_user(name="root", staff=True))
    for path, words in (("", "Behind the pages"), ("catalog/job/", "Select job to view")):
        page = client.get(f"/-/admin/{path}")
        assert (words in text_of(page), page.headers["Content-Language"]) == (True, "en")
