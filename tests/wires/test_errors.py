"""Errors in one shape: status, code, message, JSON and an id, whatever the door."""

import json
from typing import Any

import pytest
from django.test import override_settings

from hub.accounts.identity import Viewer
from hub.catalog import repos as repo_verbs
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from tests.factories import make_repo, push
from tests.wires.conftest import Ask


def check(answer: Any, status: int, code: str | None, text: str) -> None:
    assert answer.status_code == status, answer.content
    assert answer.get("X-Error-Code") == code
    assert text in answer["X-Error-Message"]
    assert answer["X-Request-Id"]
    assert json.loads(answer.content)["error"].startswith(answer["X-Error-Message"][:50])


BATCH = "/alice/model.git/info/lfs/objects/batch"
CASES: list[tuple[str, str, Any, int, str | None, str]] = [
    ("GET", "/api/models/alice/absent", None, 404, "RepoNotFound", "Repository not found"),
    ("GET", "/api/models/single-word", None, 404, "RepoNotFound", "Repository not found"),
    ("GET", "/single-word/resolve/main/a.txt", None, 404, "RepoNotFound", "Repository not found"),
    ("GET", "/api/models/alice/--bad--", None, 404, "RepoNotFound", "Repository not found"),
    ("GET", "/api/models/alice/model/revision/absent", None, 404, "RevisionNotFound", "Invalid rev id: absent"),
    ("GET", "/alice/model/resolve/absent/a.txt", None, 404, "RevisionNotFound", "Invalid rev id"),
    ("GET", "/alice/model/resolve/main/absent.txt", None, 404, "EntryNotFound", "absent.txt"),
    ("GET", "/alice/model/resolve/main/", None, 404, "EntryNotFound", "names no file"),
    ("GET", "/api/models/alice/model/tree/main/absent", None, 404, "EntryNotFound", "does not exist"),
    ("GET", "/api/models/alice/model?expand=odd", None, 400, None, 'expected one of "author"|'),
    ("GET", "/api/models?sort=odd", None, 400, None, "sort must be one of"),
    ("GET", "/api/models?limit=odd", None, 400, None, "limit must be a whole number"),
    ("GET", "/api/models?cursor=odd", None, 400, None, "cursor"),
    ("GET", "/api/models?num_parameters=odd", None, 400, None, "num_parameters must read like"),
    ("POST", "/api/repos/create", {"name": "model"}, 409, None, "You already created this model repo"),
    ("POST", "/api/repos/create", {"name": "bad name!"}, 400, None, "may only contain"),
    ("POST", "/api/repos/create", {"name": "resolve"}, 400, None, "reserved"),
    ("POST", "/api/repos/create", {"name": "x", "type": "space"}, 400, None, "models and datasets"),
    ("POST", "/api/repos/create", {"name": "x", "organization": "nobody"}, 403, None, "rights to create"),
    ("POST", "/api/repos/create", {}, 400, None, "name: This field is required"),
    ("POST", "/api/repos/create", b"{", 400, None, "not JSON"),
    ("POST", "/api/repos/create", b"[" * 100_000, 400, None, "not JSON"),
    ("POST", "/api/repos/move", {"fromRepo": "alice/model", "toRepo": "alone"}, 400, None, "namespace/name"),
    ("DELETE", "/api/repos/delete", {"name": "absent"}, 404, "RepoNotFound", "Repository not found"),
    ("PUT", "/api/models/alice/model/settings", {"gated": "perhaps"}, 400, None, "gated must be"),
    ("POST", "/api/models/alice/model/branch/main", {}, 409, None, "Reference refs/heads/main already exists"),
    ("POST", "/api/models/alice/model/branch/refs%2Fpr%2F5", {}, 400, None, "Invalid reference for a branch"),
    ("DELETE", "/api/models/alice/model/branch/main", None, 400, None, "Cannot delete refs/heads/main"),
    ("DELETE", "/api/models/alice/model/tag/absent", None, 404, "RevisionNotFound", "Invalid rev id"),
    ("POST", "/api/models/alice/model/preupload/main", {"files": [{"path": "a"}]}, 400, None, "size: This field is"),
    ("POST", "/api/models/alice/model/user-access-request/handle", {"status": "odd"}, 400, None, "status"),
    ("GET", "/api/spaces/alice/space", None, 404, "RepoNotFound", "models and datasets"),
    ("GET", "/api/buckets/alice/bucket", None, 404, "RepoNotFound", "models and datasets"),
    ("GET", "/api/no/such/address", None, 404, None, "no such API address"),
    ("DELETE", "/api/models/alice/model/no-such-verb", None, 404, None, "no such API address"),
    ("PUT", "/api/repos/create", {}, 405, None, "answers POST"),
    ("DELETE", "/alice/model/resolve/main/a.txt", None, 405, None, "answers GET, HEAD"),
    ("POST", BATCH, {"operation": "odd", "objects": []}, 422, None, "operation"),
    ("POST", BATCH, {"operation": "upload", "objects": [{"oid": "x", "size": 1}]}, 422, None, "sha256"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1][:50]} {case[5][:20]}")
def test_every_error_has_the_same_shape(ask: Ask, repo: Repo, token: str, case: tuple[Any, ...]) -> None:
    method, path, body, status, code, text = case
    check(ask(method, path, body, token=token), status, code, text)


def test_strangers_hear_401_with_the_same_code(ask: Ask, repo: Repo) -> None:
    check(ask("GET", "/api/models/alice/absent"), 401, "RepoNotFound", "Repository not found")
    check(ask("POST", "/api/repos/create", {"name": "x"}), 401, None, "Sign in")
    check(ask("GET", "/api/whoami-v2"), 401, None, "Invalid user token.")


def test_a_body_that_is_too_large_is_refused(ask: Ask, repo: Repo, token: str) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000):
        check(
            ask("POST", "/api/validate-yaml", {"content": "x" * 2000}),
            413,
            None,
            "larger than this address takes",
        )


def test_head_has_the_headers_and_no_body(ask: Ask, repo: Repo) -> None:
    answer = ask("HEAD", "/alice/model/resolve/main/absent.txt")
    assert (answer.status_code, answer.content) == (404, b"")
    assert answer["X-Error-Code"] == "EntryNotFound"
    assert len(answer["X-Repo-Commit"]) == 40
    assert int(answer["Content-Length"]) > 0


def test_an_absent_file_outside_latin_1_is_named_in_one_safe_line(ask: Ask, repo: Repo) -> None:
    answer = ask("GET", "/alice/model/resolve/main/%E6%A8%A1%0D%0AX-Evil:1.txt")
    assert answer.status_code == 404
    assert "X-Evil" not in answer.headers
    assert "\n" not in answer["X-Error-Message"]


def test_a_disabled_repo_says_so_in_the_words_the_client_knows(ask: Ask, repo: Repo, token: str) -> None:
    Repo.objects.filter(pk=repo.pk).update(disabled=True)
    answer = ask("HEAD", "/alice/model/resolve/main/.gitattributes", token=token)
    assert (answer.status_code, answer["X-Error-Message"]) == (403, "Access to this resource is disabled.")


def test_a_moved_repo_keeps_method_and_query(ask: Ask, alice: Viewer, repo: Repo, token: str) -> None:
    repo_verbs.move_repo(alice, repo, to=RepoName.for_new("model", "alice", "other"))
    for method, path in (
        ("GET", "/api/models/alice/model/tree/refs%2Fpr%2F1?recursive=true&expand=false"),
        ("HEAD", "/alice/model/resolve/a%2Fb/x%3Fy.txt"),
        ("POST", "/api/models/alice/model/commit/main"),
        ("POST", "/alice/model.git/info/lfs/objects/batch"),
    ):
        answer = ask(
            method, path, {"operation": "upload", "objects": []} if method == "POST" else None, token=token
        )
        assert answer.status_code == 307, answer.content
        assert answer["Location"] == "http://testserver" + path.replace("alice/model", "alice/other", 1)


def test_trace_ids_are_echoed_when_they_are_harmless(ask: Ask, repo: Repo) -> None:
    good = ask("GET", "/api/models/alice/model", HTTP_X_AMZN_TRACE_ID="0f1e2d-abc")
    assert good["X-Request-Id"] == "0f1e2d-abc"
    odd = ask("GET", "/api/models/alice/model", HTTP_X_AMZN_TRACE_ID="<script>")
    assert odd["X-Request-Id"] and odd["X-Request-Id"] != "<script>"


def test_a_card_with_faults_warns_and_is_kept(ask: Ask, alice: Viewer, token: str) -> None:
    repo = make_repo(alice, "carded")
    body = (
        b'{"key":"header","value":{"summary":"card"}}\n'
        b'{"key":"file","value":{"path":"README.md","encoding":"utf-8",'
        b'"content":"---\\nlicense: nonsense\\n---\\n# Hi\\n"}}\n'
    )
    answer = ask("POST", f"/api/models/{repo.full_name}/commit/main", body, token=token)
    assert answer.status_code == 200
    assert answer["X-HF-Warning"].startswith('card; "license" must be one of')
    push(alice, repo, {"a.txt": b"a"})
    assert ask("GET", f"/{repo.full_name}/resolve/main/README.md").status_code == 200
