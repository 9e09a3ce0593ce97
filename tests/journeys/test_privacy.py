"""A private repo answers whoever may not know of it exactly as one that does not exist."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import BOB, LFS, NDJSON, bearer, file_line, ndjson

# Headers that differ between any two answers.
OWN = {"x-request-id", "date"}

DOORS: list[tuple[str, str, Any]] = [
    ("GET", "/api/models/{}", None),
    ("GET", "/api/models/{}/revision/main", None),
    ("GET", "/api/models/{}/revision/absent", None),
    ("GET", "/api/models/{}/tree/main", None),
    ("GET", "/api/models/{}/tree/main/a", None),
    ("GET", "/api/models/{}/commits/main", None),
    ("GET", "/api/models/{}/refs", None),
    ("GET", "/api/models/{}/auth-check", None),
    ("GET", "/api/models/{}/auth-check/write", None),
    ("GET", "/api/models/{}/likers", None),
    ("GET", "/api/models/{}/lfs-files", None),
    ("GET", "/api/models/{}/user-access-request/pending", None),
    ("POST", "/api/models/{}/user-access-request/grant", {"user": "bob"}),
    ("POST", "/api/models/{}/ask-access", {}),
    ("POST", "/api/models/{}/paths-info/main", {"paths": ["a.txt"]}),
    ("POST", "/api/models/{}/preupload/main", {"files": [{"path": "a", "size": 1, "sample": ""}]}),
    ("POST", "/api/models/{}/preupload/main?create_pr=1", {"files": []}),
    ("POST", "/api/models/{}/branch/x", {}),
    ("DELETE", "/api/models/{}/branch/x", None),
    ("POST", "/api/models/{}/tag/main", {"tag": "v1"}),
    ("DELETE", "/api/models/{}/tag/v1", None),
    ("POST", "/api/models/{}/super-squash/main", {}),
    ("PUT", "/api/models/{}/settings", {"private": False}),
    ("POST", "/api/models/{}/like", None),
    ("DELETE", "/api/models/{}/like", None),
    ("HEAD", "/{}/resolve/main/a.txt", None),
    ("GET", "/{}/resolve/main/a.txt", None),
    ("GET", "/{}/resolve/absent/a.txt", None),
    ("GET", "/{}/raw/main/a.txt", None),
    ("POST", "/api/models/{}/commit/main", ndjson([file_line("x.txt", b"x")])),
    ("POST", "/api/models/{}/commit/main?create_pr=1", ndjson([file_line("x.txt", b"x")])),
    (
        "POST",
        "/{}.git/info/lfs/objects/batch",
        {"operation": "upload", "objects": [{"oid": "0" * 64, "size": 1}]},
    ),
    (
        "POST",
        "/{}.git/info/lfs/objects/batch",
        {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]},
    ),
    ("POST", "/{}.git/info/lfs/verify", {"oid": "0" * 64, "size": 1}),
]


def seen(
    http: httpx.Client, method: str, door: str, body: object, repo: str, token: str | None
) -> tuple[object, ...]:
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    kind = NDJSON if isinstance(body, bytes) else LFS if "/lfs/" in door else "application/json"
    answer = http.request(
        method, door.format(repo), content=content, headers={**bearer(token), "Content-Type": kind}
    )
    headers = {key: value for key, value in answer.headers.items() if key not in OWN}
    return answer.status_code, headers, answer.text


@pytest.mark.parametrize("token", [None, BOB], ids=["stranger", "other user"])
def test_a_hidden_repo_looks_absent_at_every_door(
    alice: HfApi, new_repo: Callable[..., str], http: httpx.Client, token: str | None
) -> None:
    hidden = new_repo(private=True)
    alice.upload_file(repo_id=hidden, path_in_repo="a.txt", path_or_fileobj=b"secret")
    absent = f"alice/m{uuid.uuid4().hex[:10]}"
    for method, door, body in DOORS:
        at_hidden = seen(http, method, door, body, hidden, token)
        assert at_hidden == seen(http, method, door, body, absent, token), door
        assert at_hidden[0] == (401 if token is None else 404), (door, at_hidden)
        assert at_hidden[1]["x-error-code"] == "RepoNotFound", door  # type: ignore[index]


def test_deleting_and_moving_tell_nothing_either(
    alice: HfApi, new_repo: Callable[..., str], http: httpx.Client
) -> None:
    hidden, absent = new_repo(private=True), f"alice/m{uuid.uuid4().hex[:10]}"
    for method, door, field, more in (
        ("DELETE", "/api/repos/delete", "name", {}),
        ("POST", "/api/repos/move", "fromRepo", {"toRepo": "bob/mine", "type": "model"}),
    ):
        bodies = [{field: repo, **more} for repo in (hidden, absent)]
        answers = [http.request(method, door, json=body, headers=bearer(BOB)) for body in bodies]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].text == answers[1].text


def test_a_hidden_repo_is_in_no_list(
    alice: HfApi, bob: HfApi, stranger: HfApi, new_repo: Callable[..., str]
) -> None:
    hidden = new_repo(private=True)
    for other in (bob, stranger):
        assert list(other.list_models(search=hidden.partition("/")[2])) == []
    assert [model.id for model in alice.list_models(search=hidden.partition("/")[2])] == [hidden]


def test_bad_tokens_are_named_as_such(http: httpx.Client, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    for header in ("Bearer hf_wrong", "Bearer", "Nonsense", "Basic !!!"):
        for door in ("/api/whoami-v2", f"/api/models/{repo}", f"/{repo}/resolve/main/.gitattributes"):
            answer = http.get(door, headers={"Authorization": header})
            assert answer.status_code == 401, (header, door)
            assert answer.headers["X-Error-Message"] == "Invalid credentials in Authorization header"
