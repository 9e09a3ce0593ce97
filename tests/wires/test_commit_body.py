"""The NDJSON commit: whatever is wrong with it is named, and the repo stays as it was."""

import base64
import json
from typing import Any

import pytest

from hub.accounts.identity import Viewer
from hub.catalog.models import GitObject, Repo
from hub.catalog.operations import MAX_OPERATIONS
from hub.lines import MAX_LINE
from tests.factories import at, push
from tests.wires.conftest import Ask


def line(key: str, **value: Any) -> bytes:
    return json.dumps({"key": key, "value": value}).encode() + b"\n"


HEADER = line("header", summary="try", description="")
GOOD = line("file", path="good.txt", content=base64.b64encode(b"good").decode(), encoding="base64")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 5\n"


def file_at(path: str) -> bytes:
    return line("file", path=path, content="eA==", encoding="base64")


BAD_BODIES = {
    "empty": (b"", 400, 'first line must have the key "header"'),
    "no header": (GOOD, 400, 'first line must have the key "header"'),
    "malformed JSON": (HEADER + GOOD + b'{"key": "file", "val', 400, "Line 3 is not JSON"),
    "not an object": (HEADER + b"[1]\n", 400, "Line 2 must be an object"),
    "no value": (HEADER + b'{"key":"file"}\n', 400, "Line 2 must be an object"),
    "bytes that are no text": (HEADER + b"\xff\xfe\n", 400, "Line 2 is not JSON"),
    "too deep": (HEADER + b'{"key":"file","value":' + b"[" * 200_000 + b"\n", 400, "Line 2 is not JSON"),
    "not base64": (HEADER + GOOD + line("file", path="a", content="***", encoding="base64"), 400, "is not base64"),
    "another encoding": (HEADER + line("file", path="a", content="x", encoding="rot13"), 400, "file.encoding"),
    "content that is no text": (HEADER + line("file", path="a", content=5), 400, "file.content must be a string"),
    "no path": (HEADER + line("file", content="eA=="), 400, "file.path must be a string"),
    "unknown key": (HEADER + GOOD + line("rename", path="a"), 400, "'rename' is not known"),
    "second header": (HEADER + HEADER, 400, "'header' is not known"),
    "no summary": (line("header", description="x") + GOOD, 400, "summary must not be empty"),
    "summary that is no text": (line("header", summary=["x"]) + GOOD, 400, "header.summary must be a string"),
    "odd parent": (line("header", summary="x", parentCommit="main") + GOOD, 400, "header.parentCommit"),
    "stale parent": (line("header", summary="x", parentCommit="0" * 40) + GOOD, 412, "The branch was updated"),
    "absent deletion": (HEADER + GOOD + line("deletedFile", path="absent"), 404, "A file with this name doesn't exist"),
    "odd algo": (HEADER + line("lfsFile", path="a", oid="a" * 64, algo="md5"), 400, "lfsFile.algo"),
    "odd oid": (HEADER + line("lfsFile", path="a", oid="A" * 64), 400, "lfsFile.oid"),
    "negative size": (HEADER + line("lfsFile", path="a", oid="a" * 64, size=-1), 400, "lfsFile.size"),
    "bytes never sent": (HEADER + GOOD + line("lfsFile", path="a", oid="a" * 64), 422, "have not been uploaded"),
    "a pointer to foreign bytes": (
        HEADER + line("file", path="a.txt", content=base64.b64encode(POINTER).decode()), 422, "have not been uploaded",
    ),
    "a file inside a file": (HEADER + file_at("here.txt/inner"), 422, "is a file"),
    "a file over a folder": (HEADER + file_at("dir"), 422, "is a folder"),
    "a copy of nothing": (HEADER + line("copyFile", path="a", srcPath="absent"), 404, "doesn't exist"),
    "a copy of an absent revision": (
        HEADER + line("copyFile", path="a", srcPath="here.txt", srcRevision="absent"), 404, "Invalid rev id",
    ),
}  # fmt: skip


@pytest.fixture
def filled(alice: Viewer, repo: Repo) -> Repo:
    push(alice, repo, {"here.txt": b"here", "dir/inner.txt": b"inner"})
    return Repo.objects.get(pk=repo.pk)


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_body_is_named_and_changes_nothing(ask: Ask, filled: Repo, token: str, case: str) -> None:
    body, status, text = BAD_BODIES[case]
    answer = ask("POST", f"/api/models/{filled.full_name}/commit/main", body, token=token)
    told = json.loads(answer.content)["error"]
    assert (answer.status_code, text in told) == (status, True), (answer.status_code, told)
    assert answer["X-Error-Message"] and answer["X-Request-Id"]
    assert at(filled).commit == filled.head
    assert (
        not GitObject.objects.filter(network=filled.network, type=GitObject.Type.COMMIT)
        .exclude(oid__in=[filled.head, *_commits(filled)])
        .exists()
    )


def _commits(repo: Repo) -> list[str]:
    return list(repo.network.commits.values_list("oid", flat=True))


BAD_PATHS = [
    "../up.txt", "a/../../up.txt", "/absolute.txt", "a//b.txt", "", ".", "./a.txt", "a/", ".git/config",
    "a/.GIT/hooks/x", ".git", "git~1/config", ".git \u200c/x", "..\\ddd", "a\\b.txt", "nul\0.txt", "bell\a.txt",
    "new\nline.txt", "esc\x1b.txt", "a/..", "x" * 256, "y/" * 40 + "z", "long/" * 300 + "x", "\ud800.txt",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS, ids=ascii)
@pytest.mark.parametrize("key", ["file", "lfsFile", "deletedFile", "copyFile"])
def test_a_bad_path_is_refused_wherever_it_stands(
    ask: Ask, filled: Repo, token: str, path: str, key: str
) -> None:
    bad = {
        "file": line("file", path=path, content="eA=="),
        "lfsFile": line("lfsFile", path=path, oid="a" * 64, size=1),
        "deletedFile": line("deletedFile", path=path),
        "copyFile": line("copyFile", path=path, srcPath="here.txt"),
    }[key]
    answer = ask("POST", f"/api/models/{filled.full_name}/commit/main", HEADER + GOOD + bad, token=token)
    # 'a/' names the folder a in a deletion; there is none.
    assert answer.status_code == (404 if (key, path) == ("deletedFile", "a/") else 422), answer.content
    assert at(filled).commit == filled.head


def test_a_line_that_is_too_long_is_refused(ask: Ask, filled: Repo, token: str) -> None:
    body = HEADER + b'{"key":"file","value":{"path":"a","content":"' + b"A" * MAX_LINE + b'"}}\n'
    answer = ask("POST", f"/api/models/{filled.full_name}/commit/main", body, token=token)
    assert (answer.status_code, at(filled).commit) == (413, filled.head)
    assert "Line 2 is longer than" in answer["X-Error-Message"]


def test_too_many_operations_are_refused(ask: Ask, filled: Repo, token: str) -> None:
    body = HEADER + b"".join(
        line("deletedFile", path=f"f{number}") for number in range(MAX_OPERATIONS + 10_000)
    )
    answer = ask("POST", f"/api/models/{filled.full_name}/commit/main", body, token=token)
    assert (answer.status_code, at(filled).commit) == (413, filled.head)
    assert "split it" in answer["X-Error-Message"]


def test_text_may_come_as_text(ask: Ask, filled: Repo, token: str) -> None:
    body = HEADER + line("file", path="t.txt", content="grüß", encoding="utf-8")
    assert ask("POST", f"/api/models/{filled.full_name}/commit/main", body, token=token).status_code == 200
    assert ask("GET", f"/{filled.full_name}/resolve/main/t.txt").content.decode() == "grüß"


def test_what_cannot_be_committed_to_is_refused(ask: Ask, filled: Repo, token: str) -> None:
    made = ask("POST", f"/api/models/{filled.full_name}/tag/main", {"tag": "v1"}, token=token)
    assert made.status_code == 200
    for revision, status in (("v1", 400), ("absent", 404), (filled.head, 404), ("refs%2Fpr%2F7", 404)):
        answer = ask("POST", f"/api/models/{filled.full_name}/commit/{revision}", HEADER + GOOD, token=token)
        assert answer.status_code == status, (revision, answer.content)
