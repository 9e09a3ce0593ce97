"""Requests that no client sends are refused in words, and none of them is a fault of ours."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, override_settings

from hub.accounts.identity import Viewer
from hub.catalog import repos as repo_verbs
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.wires.base import json_answer
from tests.factories import push
from tests.wires.conftest import Ask

NINES = "9" * 5000
PK = "00000000-0000-0000-0000-000000000000"


def _cursor(text: str) -> str:
    return quote(base64.urlsafe_b64encode(text.encode()).decode())


@pytest.mark.parametrize("number", [NINES, "%C2%B2", "%EF%BC%91", "-1", "1e9", "+1", "1_0", "%201"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/models?limit=", "/api/users/alice/likes?limit=", "/api/users/alice/likes?skip=",
        "/api/models/alice/model/commits/main?skip=", "/api/models/alice/model/commits/main?limit=",
        "/api/models/alice/model/tree/main?limit=", "/api/models/alice/model/likers?limit=",
        "/alice/model/commits/main?skip=",
    ],
)  # fmt: skip
def test_numbers_are_plain_digits(ask: Ask, repo: Repo, path: str, number: str) -> None:
    answer = ask("GET", path + number)
    assert answer.status_code == (400 if "limit" in path else 200)


@pytest.mark.parametrize(
    "text",
    [
        f'[Infinity, "{PK}"]', f'[1e400, "{PK}"]', f'[NaN, "{PK}"]', f'[{"9" * 30}, "{PK}"]',
        f'[{NINES}, "{PK}"]', "[" * 100_000,
        f'["0001-01-01T00:00:00+14:00", "{PK}"]', f'["9999-12-31T23:59:59-14:00", "{PK}"]',
        f'["2026-01-01T00:00:00", "{PK}"]',
        '["2026-01-01T00:00:00+00:00", null]', "[1, 1e5]", "[1, {}]", f'[{{}}, "{PK}"]', "{}", "null", '"ab"',
        f'[null, "{PK}"]',
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_forged_cursors_are_refused(ask: Ask, repo: Repo, text: str) -> None:
    for sort in ("lastModified", "downloads"):
        answer = ask("GET", f"/api/models?sort={sort}&cursor={_cursor(text)}")
        assert (answer.status_code, "cursor" in answer["X-Error-Message"]) == (400, True)
        assert ask("GET", f"/?after={_cursor(text)}").status_code == 400


def test_cursors_that_were_given_out_lead_on(ask: Ask, alice: Viewer, repo: Repo) -> None:
    push(alice, repo, {"a": b"a"})
    repo_verbs.create_repo(alice, name=RepoName.for_new("model", "alice", "second"), private=False)
    for sort in ("lastModified", "downloads"):
        first = ask("GET", f"/api/models?sort={sort}&limit=1")
        link = first["Link"].partition("<http://testserver")[2].partition(">")[0]
        assert {first.json()[0]["id"], ask("GET", link).json()[0]["id"]} == {"alice/model", "alice/second"}


@pytest.mark.parametrize("header", ["Basic \xe9", "Basic %%%", "Basic AAAA", "Basic ", "\xff", "Bearer \xe9"])
def test_credentials_of_odd_letters_are_not_valid(ask: Ask, repo: Repo, header: str) -> None:
    answer = ask("GET", "/api/whoami-v2", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer["X-Error-Message"]) == (
        401,
        "Invalid credentials in Authorization header",
    )


@pytest.mark.parametrize("host", ["[", "a b", "evil.example", "127.0.0.1:abc", "\xe9"])
def test_a_bad_host_is_a_bad_request_on_pages_too(ask: Ask, repo: Repo, host: str) -> None:
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        for path in ("/login", "/api/models/alice/model", "/alice/model/resolve/main/x"):
            assert ask("GET", path, HTTP_HOST=host).status_code == 400


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("//[://x", 404), ("http://[/", 200), ("http://[::1/", 200), ("http://evil.example/alice/model", 200),
        ("/a://[", 404),
        ("http://evil.example", 200), ("http://evil.example?q=x", 200), ("https://x/api/models/alice/model", 200),
    ],
)  # fmt: skip
def test_odd_targets_are_answered(repo: Repo, target: str, status: int) -> None:
    client = Client(raise_request_exception=False)
    assert client.generic("GET", "/", RAW_URI=target, PATH_INFO=target).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/repos/create", {"name": "x", "visibility": "\ud800"}),
        ("PUT", "/api/models/alice/model/settings", {"visibility": "\udfff"}),
        ("POST", "/api/models/alice/model/user-access-request/handle", {"status": "\ud800"}),
        (
            "POST",
            "/api/models/alice/model/user-access-request/handle",
            {"status": "accepted", "requestId": "\xb2"},
        ),
        (
            "POST",
            "/api/models/alice/model/user-access-request/handle",
            {"status": "accepted", "requestId": NINES},
        ),
        ("POST", "/api/models/alice/model/preupload/main", {"files": [], "gitIgnore": "a*" * 40_000}),
    ],
)
def test_odd_bodies_are_refused_in_words(
    ask: Ask, repo: Repo, token: str, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = ask(method, path, body, token=token)
    assert answer.status_code in (400, 413), answer.content
    assert json.loads(answer.content)["error"]
    assert answer["X-Error-Message"]


def test_an_answer_may_quote_half_a_surrogate_pair() -> None:
    assert json_answer({"error": "\ud800"}).content == b'{"error":"?"}'


def test_a_fault_of_ours_names_the_request(ask: Ask, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hub.wires.hf.repos.locate", fail)
    answer = ask("GET", "/api/models/alice/model", HTTP_X_AMZN_TRACE_ID="trace-7")
    assert (answer.status_code, answer["X-Request-Id"]) == (500, "trace-7")
    assert (
        answer["X-Error-Message"] == json.loads(answer.content)["error"] == "Internal error, request trace-7."
    )


def test_a_form_may_name_thousands_of_paths(ask: Ask, alice: Viewer, repo: Repo) -> None:
    push(alice, repo, {f"f{number}": b"x" for number in range(3)})
    body = "&".join(f"paths=f{number}" for number in range(4500))
    answer = Client().post(
        "/api/models/alice/model/paths-info/main", body, content_type="application/x-www-form-urlencoded"
    )
    assert [entry["path"] for entry in answer.json()] == ["f0", "f1", "f2"]


@pytest.fixture
def moved(alice: Viewer, repo: Repo) -> Repo:
    return repo_verbs.move_repo(alice, repo, to=RepoName.for_new("model", "alice", "models"))


@pytest.mark.parametrize(
    ("sent", "target"),
    [
        ("/api/models/alice%2Fmodel", "/api/models/alice/models"),
        ("/api/models/alice%2Fmodel/tree/main?a=b", "/api/models/alice/models/tree/main?a=b"),
        ("/api/models/ALICE/Model/tree/refs%2Fpr%2F1", "/api/models/alice/models/tree/refs%2Fpr%2F1"),
        ("/al%69ce/model/resolve/main/x%3Fy", "/alice/models/resolve/main/x%3Fy"),
        ("/alice/model/resolve/main/alice/model", "/alice/models/resolve/main/alice/model"),
        ("http://evil.example/alice/model/resolve/main/x?y=1", "/alice/models/resolve/main/x?y=1"),
    ],
)
def test_a_moved_repo_is_found_however_its_id_was_spelled(
    ask: Ask, moved: Repo, sent: str, target: str
) -> None:
    answer = ask("GET", sent)
    assert (answer.status_code, answer["Location"]) == (307, f"http://testserver{target}")


def test_pushes_to_a_moved_repo_are_led_on(ask: Ask, moved: Repo, token: str) -> None:
    body = {"operation": "upload", "objects": []}
    for sent in ("/alice%2Fmodel.git/info/lfs/objects/batch", "/ALICE/model.git/info/lfs/objects/batch"):
        answer = ask("POST", sent, body, token=token)
        assert answer["Location"] == "http://testserver/alice/models.git/info/lfs/objects/batch"


def test_a_former_id_in_a_body_does_not_lead_in_circles(ask: Ask, moved: Repo, token: str) -> None:
    answer = ask("DELETE", "/api/repos/delete", {"name": "model"}, token=token)
    assert (answer.status_code, answer["X-Error-Code"]) == (404, "RepoNotFound")
    assert "alice/models" in answer["X-Error-Message"]
