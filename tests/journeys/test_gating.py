"""Gated repos: who pulls, who asks, who decides."""

from collections.abc import Callable

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from tests.journeys import people
from tests.journeys.people import BOB, bearer
from tests.live import BOTH_WAYS


def weights_of(repo: str) -> bytes:
    """Bytes that no other repo holds: whoever may pull a copy elsewhere has them anyway."""
    return b"\0" + repo.encode() * 500


@pytest.fixture
def gated(alice: HfApi, new_repo: Callable[..., str]) -> str:
    repo = new_repo()
    alice.upload_file(repo_id=repo, path_in_repo="w.bin", path_or_fileobj=weights_of(repo))
    alice.update_repo_settings(repo, gated="manual")
    return repo


@BOTH_WAYS
def test_a_gated_repo_shows_its_names_and_keeps_its_bytes(
    gated: str, bob: HfApi, stranger: HfApi, alice: HfApi, tmp_path: object
) -> None:
    for other in (bob, stranger):
        assert other.model_info(gated).gated == "manual"
        assert "w.bin" in other.list_repo_files(gated)
        assert other.repo_exists(gated)
        for name in (".gitattributes", "w.bin"):
            with pytest.raises(
                GatedRepoError,
                match=r"Access to model .* is restricted and you are not in the authorized list",
            ):
                other.hf_hub_download(gated, name, cache_dir=str(tmp_path))
        with pytest.raises(GatedRepoError):
            other.auth_check(gated)
    alice.auth_check(gated)
    alice.auth_check(gated, write=True)
    with pytest.raises(HfHubHTTPError):
        bob.auth_check(gated, write=True)
    with pytest.raises(RepositoryNotFoundError):
        bob.auth_check("alice/absent")


def test_access_is_asked_for_granted_and_taken_back(
    gated: str, alice: HfApi, bob: HfApi, http: httpx.Client, tmp_path: object
) -> None:
    assert http.post(f"/api/models/{gated}/ask-access", headers=bearer(BOB)).json() == {"status": "pending"}
    [asked] = alice.list_pending_access_requests(gated)
    assert (asked.username, asked.status) == ("bob", "pending")
    alice.accept_access_request(gated, "bob")
    with pytest.raises(HfHubHTTPError):
        alice.accept_access_request(gated, "bob")
    assert [request.username for request in alice.list_accepted_access_requests(gated)] == ["bob"]
    bob.hf_hub_download(gated, "w.bin", cache_dir=str(tmp_path))
    link = http.get(f"/{gated}/resolve/main/w.bin", headers=bearer(BOB)).headers["Location"]
    alice.reject_access_request(gated, "bob", rejection_reason="no longer")
    assert http.get(f"/{gated}/resolve/main/w.bin", headers=bearer(BOB)).status_code == 403
    if "/bytes/get/" in link:
        # The hub's own links ask the gate again.
        assert httpx.get(link).status_code == 403
    assert [request.username for request in alice.list_rejected_access_requests(gated)] == ["bob"]
    alice.cancel_access_request(gated, "bob")
    assert [request.username for request in alice.list_pending_access_requests(gated)] == ["bob"]
    with pytest.raises(HfHubHTTPError):
        bob.accept_access_request(gated, "bob")


def test_access_is_granted_without_asking(gated: str, alice: HfApi, bob: HfApi) -> None:
    alice.grant_access(gated, "bob")
    with pytest.raises(HfHubHTTPError):
        alice.grant_access(gated, "bob")
    [granted] = alice.list_accepted_access_requests(gated)
    assert (granted.username, granted.email) == ("bob", None)
    bob.auth_check(gated)


def test_an_automatic_gate_opens_for_whoever_asks(
    gated: str, alice: HfApi, bob: HfApi, http: httpx.Client
) -> None:
    alice.update_repo_settings(gated, gated="auto")
    with pytest.raises(GatedRepoError):
        bob.auth_check(gated)
    assert http.post(f"/api/models/{gated}/ask-access", headers=bearer(BOB)).json() == {"status": "accepted"}
    bob.auth_check(gated)


@BOTH_WAYS
def test_the_bytes_of_a_gated_repo_cannot_be_claimed(
    gated: str, bob: HfApi, http: httpx.Client, alice: HfApi
) -> None:
    """Knowing a digest is no key: neither a copy, nor a pointer, nor the batch door gives the bytes away."""
    weights = weights_of(gated)
    sha256, size = people.sha256_of(weights), len(weights)
    mine = bob.create_repo(f"bob/claims-{sha256[:8]}", exist_ok=True).repo_id
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    for line in (people.large_line("w.bin", sha256, size), people.file_line("w.txt", pointer)):
        answer = people.commit(http, mine, [line], token=BOB)
        assert (answer.status_code, "have not been uploaded" in answer.text) == (422, True), answer.text
    offered = people.batch(http, mine, [(sha256, size)], token=BOB).json()["objects"][0]
    assert "upload" in offered["actions"]
    fetched = people.batch(http, mine, [(sha256, size)], token=BOB, operation="download").json()["objects"][0]
    assert fetched["error"]["code"] == 404
    assert [file for file in bob.list_repo_files(mine) if file != ".gitattributes"] == []
    # Once Bob may pull the original, the copy needs no upload.
    alice.grant_access(gated, "bob")
    assert people.commit(http, mine, [people.large_line("w.bin", sha256, size)], token=BOB).status_code == 200
    assert httpx.get(f"{alice.endpoint}/{mine}/resolve/main/w.bin", follow_redirects=True).content == weights
