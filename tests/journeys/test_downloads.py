"""Files as curl, browsers and other clients fetch them: headers, ranges, spellings of revisions, resumption."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi

from tests.journeys.people import ALICE, bearer, sha256_of
from tests.live import BOTH_WAYS, LiveHub

pytestmark = BOTH_WAYS
LARGE = bytes(range(256)) * 4000
SMALL = b"0123456789"


@pytest.fixture
def repo(alice: HfApi, new_repo: Callable[..., str]) -> str:
    made = new_repo()
    alice.upload_file(repo_id=made, path_in_repo="w.bin", path_or_fileobj=LARGE)
    alice.upload_file(repo_id=made, path_in_repo="small.txt", path_or_fileobj=SMALL)
    return made


def curl(*words: str) -> bytes:
    return subprocess.run(["curl", "-sS", "--fail-with-body", *words], capture_output=True, check=True).stdout


def test_curl_follows_and_takes_ranges(hub: LiveHub, repo: str) -> None:
    for name, content in (("w.bin", LARGE), ("small.txt", SMALL)):
        url = f"{hub.url}/{repo}/resolve/main/{name}"
        assert curl("-L", url) == content
        assert curl("-L", "-r", "2-5", url) == content[2:6]
        assert curl("-L", "-r", "5-", url) == content[5:]
        assert curl("-L", "-r", "-3", url) == content[-3:]
        assert curl("-L", "-r", "4-99999999999", url) == content[4:]
        # Credentials are not carried on to where the bytes lie, and do no harm if they are.
        assert curl("-L", "-H", f"Authorization: Bearer {ALICE}", url) == content
        head = curl("-IL", url).decode().lower()
        assert f"content-length: {len(content)}" in head
        assert "accept-ranges: bytes" in head
        assert "location:" not in head
        past = httpx.get(url, headers={"Range": "bytes=99999999-"}, follow_redirects=True)
        assert (past.status_code, past.headers["Content-Range"]) == (416, f"bytes */{len(content)}")


def test_a_broken_download_is_resumed(hub: LiveHub, repo: str, tmp_path: Path) -> None:
    url = f"{hub.url}/{repo}/resolve/main/w.bin"
    part = tmp_path / "w.bin"
    part.write_bytes(LARGE[:300_000])
    curl("-L", "-C", "-", "-o", str(part), url)
    assert part.read_bytes() == LARGE


def test_the_client_resumes_when_the_connection_breaks(
    alice: HfApi, repo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = httpx.Response.iter_bytes
    broken: list[str | None] = []

    def breaking(response: httpx.Response, chunk_size: int | None = None) -> object:
        for number, chunk in enumerate(real(response, 64 * 1024)):
            if number == 3 and not broken:
                broken.append(response.request.headers.get("Range"))
                raise httpx.RemoteProtocolError("cut by the test")
            yield chunk

    monkeypatch.setattr(httpx.Response, "iter_bytes", breaking)
    got = alice.hf_hub_download(repo, "w.bin", cache_dir=tmp_path)
    assert broken
    assert Path(got).read_bytes() == LARGE


def test_head_tells_everything_itself(http: httpx.Client, alice: HfApi, repo: str) -> None:
    commit = alice.model_info(repo).sha
    large = http.head(f"/{repo}/resolve/main/w.bin")
    assert large.status_code == 200
    assert large.headers["X-Repo-Commit"] == commit
    assert large.headers["X-Linked-Etag"] == large.headers["ETag"] == f'"{sha256_of(LARGE)}"'
    assert large.headers["X-Linked-Size"] == large.headers["Content-Length"] == str(len(LARGE))
    assert 'filename="w.bin"' in large.headers["Content-Disposition"]
    [entry] = alice.get_paths_info(repo, "small.txt")
    small = http.head(f"/{repo}/resolve/main/small.txt")
    assert small.headers["ETag"] == f'"{entry.blob_id}"'  # type: ignore[union-attr]
    assert "X-Linked-Size" not in small.headers
    known = http.get(f"/{repo}/resolve/main/small.txt", headers={"If-None-Match": small.headers["ETag"]})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", small.headers["ETag"])
    assert (
        http.get(f"/{repo}/resolve/main/w.bin", headers={"If-None-Match": large.headers["ETag"]}).status_code
        == 304
    )
    assert http.get(f"/{repo}/raw/main/w.bin").text.startswith(
        "version https://git-lfs.github.com/spec/v1\noid sha256:"
    )


def test_bytes_come_from_another_origin(hub: LiveHub, http: httpx.Client, repo: str) -> None:
    answer = http.get(f"/{repo}/resolve/main/w.bin")
    assert answer.status_code == 302
    place = urlsplit(answer.headers["Location"])
    assert place.netloc != urlsplit(hub.url).netloc
    assert ("/bytes/get/" in place.path) == (hub.settings["HUB_DELIVERY"] == "proxy")
    got = httpx.get(answer.headers["Location"])
    assert (got.status_code, got.content) == (200, LARGE)
    assert got.headers.get("Content-Security-Policy") or place.netloc != urlsplit(hub.bytes_url).netloc
    # Whoever has the address of one file has no other one.
    forged = answer.headers["Location"].replace(place.path[-12:], place.path[-12:][::-1])
    assert httpx.get(forged).status_code in (403, 404)


def test_every_spelling_of_a_revision(http: httpx.Client, alice: HfApi, repo: str) -> None:
    first = alice.upload_file(repo_id=repo, path_in_repo="a/b.txt", path_or_fileobj=b"1").oid
    alice.create_branch(repo, branch="feature/x", revision=first)
    alice.create_tag(repo, tag="v1/rc", revision=first)
    alice.upload_file(repo_id=repo, path_in_repo="a/b.txt", path_or_fileobj=b"2")
    asked = alice.upload_file(repo_id=repo, path_in_repo="a/b.txt", path_or_fileobj=b"pr", create_pr=True).oid
    for revision, content in {
        "main": "2", first: "1", first[:7]: "1", first[:12]: "1", "feature%2Fx": "1", "feature/x": "1", "v1%2Frc": "1",
        "v1/rc": "1", "refs%2Fpr%2F1": "pr", "refs/pr/1": "pr", "refs%2Fheads%2Fmain": "2", "refs/heads/main": "2",
        "refs%2Fheads%2Ffeature%2Fx": "1", "refs/heads/feature/x": "1", "refs%2Ftags%2Fv1%2Frc": "1", "HEAD": "2",
        asked: "pr",
    }.items():  # fmt: skip
        for path in ("a/b.txt", "a%2Fb.txt", "a/%62.txt"):
            got = http.get(f"/{repo}/resolve/{revision}/{path}")
            assert (got.status_code, got.text) == (200, content), (revision, path)
        listed = http.get(f"/api/models/{repo}/tree/{revision}/a")
        assert [entry["path"] for entry in listed.json()] == ["a/b.txt"], revision
    for revision in ("absent", "0" * 40, "refs%2Fpr%2F9", first[:6], "feature"):
        refused = http.get(f"/{repo}/resolve/{revision}/a/b.txt")
        assert (refused.status_code, refused.headers["X-Error-Code"]) == (404, "RevisionNotFound"), revision
    for path in ("a", "absent.txt", "a/b.txt/c", "../a/b.txt", "a//b.txt"):
        missing = http.request("HEAD", f"/{repo}/resolve/main/" + path.replace("../", "%2E%2E/"))
        assert (missing.status_code, missing.headers.get("X-Error-Code")) == (404, "EntryNotFound"), path
        assert len(missing.headers["X-Repo-Commit"]) == 40


def test_uploaded_pages_have_no_power_here(http: httpx.Client, alice: HfApi, repo: str) -> None:
    alice.upload_file(repo_id=repo, path_in_repo="page.html", path_or_fileobj=b"<script>alert(1)</script>")
    got = http.get(f"/{repo}/resolve/main/page.html")
    assert got.headers["Content-Type"].startswith("text/plain")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]


def test_downloads_are_counted_once_a_snapshot(hub: LiveHub, alice: HfApi, repo: str, tmp_path: Path) -> None:
    assert alice.model_info(repo).downloads == 0
    alice.snapshot_download(repo, cache_dir=tmp_path / "one")
    alice.snapshot_download(repo, cache_dir=tmp_path / "two")
    hub.manage(
        "shell", "-v", "0", "-c", "from hub.catalog.counters import flush_downloads; flush_downloads()"
    )
    deadline = time.monotonic() + 35
    while not alice.model_info(repo).downloads and time.monotonic() < deadline:
        time.sleep(0.5)
    info = alice.model_info(repo, expand=["downloads", "downloadsAllTime"])
    assert (info.downloads, info.downloads_all_time) == (1, 1)


def test_other_origins_may_read_files(http: httpx.Client, repo: str) -> None:
    assert http.get(f"/{repo}/resolve/main/small.txt").headers["Access-Control-Allow-Origin"] == "*"


def test_a_private_file_needs_its_owner(
    alice: HfApi, new_repo: Callable[..., str], http: httpx.Client
) -> None:
    repo = new_repo(private=True)
    alice.upload_file(repo_id=repo, path_in_repo="w.bin", path_or_fileobj=LARGE)
    assert http.get(f"/{repo}/resolve/main/w.bin").status_code == 401
    got = http.get(f"/{repo}/resolve/main/w.bin", headers=bearer(ALICE), follow_redirects=True)
    assert got.content == LARGE
