"""Characters that the database cannot keep are refused with 400, wherever they stand."""

import json
from http import HTTPStatus

import pytest
from django.test import Client

from tests.factories import at, make_repo, make_viewer, with_token

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    ["/api/models/a%00b/c", "/api/models?search=%00", "/a/b/resolve/main/x%00y", "/api/models/a/b/tree/%00"],
)
def test_a_nul_in_an_address_is_refused(client: Client, address: str) -> None:
    answer = client.get(address, RAW_URI=address)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "NUL" in answer.headers["X-Error-Message"]
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("text", ["nul \0 here", "half a pair \ud800"])
def test_texts_that_cannot_be_kept_are_refused_and_nothing_changes(client: Client, text: str) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    assert viewer.user
    _, secret = with_token(viewer.user)
    headers = {"Authorization": f"Bearer {secret}"}
    base = f"/api/models/{repo.full_name}"
    before = at(repo).commit
    lines = [
        {"key": "header", "value": {"summary": text}},
        {"key": "file", "value": {"path": "a", "content": "", "encoding": "base64"}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    commit = client.post(f"{base}/commit/main", body, content_type="application/x-ndjson", headers=headers)
    tag = client.post(
        f"{base}/tag/main",
        json.dumps({"tag": "v1", "message": text}),
        content_type="application/json",
        headers=headers,
    )
    asked = client.post(
        f"{base}/paths-info/main",
        json.dumps({"paths": [text]}),
        content_type="application/json",
        headers=headers,
    )
    assert commit.status_code == HTTPStatus.BAD_REQUEST
    assert tag.status_code == HTTPStatus.BAD_REQUEST
    assert asked.status_code in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
    assert at(repo).commit == before
