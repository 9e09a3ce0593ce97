"""Repos are made, changed, renamed, listed and deleted by the stock client."""

import uuid
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.journeys.people import ALICE, BOB, bearer
from tests.live import LiveHub


def fresh(namespace: str = "alice") -> str:
    return f"{namespace}/r{uuid.uuid4().hex[:10]}"


def test_making_a_repo_twice(hub: LiveHub, alice: HfApi, bob: HfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    # One way through the client reads the hub's address from here only.
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    name = fresh()
    made = alice.create_repo(name)
    assert (str(made), made.repo_id) == (f"{hub.url}/{name}", name)
    assert str(alice.create_repo(name, exist_ok=True)) == str(made)
    assert (
        str(alice.create_repo(name.upper().replace("ALICE", "alice"), exist_ok=True)).lower()
        == str(made).lower()
    )
    with pytest.raises(HfHubHTTPError, match="You already created this model repo") as refused:
        alice.create_repo(name)
    assert refused.value.response.status_code == 409
    # Bob may not create there; since he can see the repo, `exist_ok` still succeeds.
    assert bob.create_repo(name, exist_ok=True).repo_id == name
    with pytest.raises(HfHubHTTPError, match="don't have the rights to create") as forbidden:
        bob.create_repo(fresh())
    assert forbidden.value.response.status_code == 403


def test_a_new_repo_begins_with_attributes(alice: HfApi) -> None:
    name = fresh("acme")
    alice.create_repo(name, private=True)
    info = alice.model_info(name)
    assert (info.id, info.author, info.private, info.gated, info.disabled) == (
        name,
        "acme",
        True,
        False,
        False,
    )
    assert [file.rfilename for file in info.siblings or []] == [".gitattributes"]
    assert [commit.title for commit in alice.list_repo_commits(name)] == ["initial commit"]
    short = alice.create_repo(name.partition("/")[2]).repo_id
    assert short == "alice/" + name.partition("/")[2]


def test_kinds_that_are_not_kept_are_refused(alice: HfApi) -> None:
    with pytest.raises(HfHubHTTPError, match="models and datasets") as refused:
        alice.create_repo(fresh(), repo_type="space", space_sdk="static")
    assert refused.value.response.status_code == 400
    with pytest.raises(RepositoryNotFoundError):
        alice.space_info("alice/none")
    assert list(alice.list_spaces()) == []


def test_ids_are_found_in_any_case(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    assert alice.model_info(repo.upper()).id == repo
    assert alice.file_exists(repo.upper(), ".gitattributes")


def test_settings(alice: HfApi, bob: HfApi, stranger: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    assert stranger.model_info(repo).private is False
    alice.update_repo_settings(repo, visibility="private", gated="manual")
    info = alice.model_info(repo)
    assert (info.private, info.gated) == (True, "manual")
    for other in (stranger, bob):
        with pytest.raises(RepositoryNotFoundError):
            other.model_info(repo)
    alice.update_repo_settings(repo, private=False, gated=False)
    assert stranger.model_info(repo).gated is False
    with pytest.raises(HfHubHTTPError) as refused:
        bob.update_repo_settings(repo, private=True)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("private", [False, True])
def test_a_renamed_repo_is_found_under_its_old_id(
    alice: HfApi, tmp_path_factory: pytest.TempPathFactory, private: bool
) -> None:
    old, new = fresh(), fresh("acme")
    alice.create_repo(old, private=private)
    alice.upload_file(repo_id=old, path_in_repo="a.txt", path_or_fileobj=b"before")
    alice.upload_file(repo_id=old, path_in_repo="w.bin", path_or_fileobj=bytes(3000))
    alice.move_repo(old, new)
    assert alice.model_info(old).id == new
    assert alice.model_info(old, revision="main", files_metadata=True).id == new
    assert "a.txt" in alice.list_repo_files(old)
    for name, content in (("a.txt", b"before"), ("w.bin", bytes(3000))):
        got = alice.hf_hub_download(old, name, cache_dir=tmp_path_factory.mktemp("cache"))
        assert Path(got).read_bytes() == content
    alice.upload_file(repo_id=old, path_in_repo="b.txt", path_or_fileobj=b"after")
    alice.upload_file(repo_id=old, path_in_repo="v.bin", path_or_fileobj=bytes(range(256)) * 9)
    alice.create_tag(old, tag="v1")
    assert {"b.txt", "v.bin"} <= set(alice.list_repo_files(new, revision="v1"))
    with pytest.raises(HfHubHTTPError, match=r"A model repository called .* already exists"):
        alice.move_repo(new, new_taken(alice))
    alice.move_repo(new, old)
    assert alice.model_info(new).id == old


def new_taken(alice: HfApi) -> str:
    taken = fresh()
    alice.create_repo(taken)
    return taken


def test_a_renamed_private_repo_does_not_show_by_its_old_id(
    alice: HfApi, bob: HfApi, http: httpx.Client
) -> None:
    old = fresh()
    alice.create_repo(old, private=True)
    alice.move_repo(old, fresh())
    for token in (None, BOB):
        absent = http.get(f"/api/models/{fresh()}", headers=bearer(token))
        former = http.get(f"/api/models/{old}", headers=bearer(token))
        assert (former.status_code, former.text) == (absent.status_code, absent.text)


def test_deleting(alice: HfApi, bob: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    with pytest.raises(HfHubHTTPError) as refused:
        bob.delete_repo(repo)
    assert refused.value.response.status_code == 403
    alice.delete_repo(repo)
    assert not alice.repo_exists(repo)
    with pytest.raises(RepositoryNotFoundError):
        alice.delete_repo(repo)
    alice.delete_repo(repo, missing_ok=True)
    assert alice.create_repo(repo).repo_id == repo


def test_info_tells_what_is_asked_for(alice: HfApi, new_repo: Callable[..., str]) -> None:
    repo = new_repo()
    card = b"---\nlicense: mit\nlibrary_name: transformers\ntags: [tiny]\nbase_model: acme/base\n---\n# Hi\n"
    alice.upload_file(repo_id=repo, path_in_repo="README.md", path_or_fileobj=card)
    alice.upload_file(repo_id=repo, path_in_repo="w.bin", path_or_fileobj=bytes(5000))
    info = alice.model_info(repo, files_metadata=True, securityStatus=True)
    sizes = {file.rfilename: (file.size, file.lfs and file.lfs.size) for file in info.siblings or []}
    assert sizes["README.md"] == (len(card), None)
    assert sizes["w.bin"] == (5000, 5000)
    assert info.card_data is not None and info.card_data.license == "mit"
    assert {"transformers", "license:mit", "tiny", "base_model:acme/base"} <= set(info.tags or [])
    assert info.library_name == "transformers"
    assert info.security_repo_status is not None
    narrow = alice.model_info(repo, expand=["likes", "downloads", "sha", "cardData", "usedStorage"])
    assert (narrow.likes, narrow.used_storage, narrow.siblings, narrow.author) == (0, 5000, None, None)
    with pytest.raises(HfHubHTTPError, match='expected one of "author"'):
        alice.model_info(repo, expand=["nonsense"])  # type: ignore[list-item]


def test_lists_filter_and_page(alice: HfApi, stranger: HfApi, http: httpx.Client) -> None:
    mark = f"q{uuid.uuid4().hex[:8]}"
    card = b"---\nlicense: mit\npipeline_tag: text-generation\nlanguage: [sw]\n---\n"
    names = []
    for number in range(5):
        name = f"alice/{mark}-{number}"
        alice.create_repo(name, private=number == 4)
        names.append(name)
    alice.upload_file(repo_id=names[0], path_in_repo="README.md", path_or_fileobj=card)
    assert [model.id for model in stranger.list_models(search=mark, sort="created_at")] == names[3::-1]
    assert len(list(alice.list_models(author="alice", search=mark))) == 5
    assert [model.id for model in stranger.list_models(search=mark, filter=["license:mit", "sw"])] == names[
        :1
    ]
    assert [model.id for model in stranger.list_models(search=mark, pipeline_tag="text-generation")] == names[
        :1
    ]
    assert list(stranger.list_models(search=mark, author="acme")) == []
    [full] = stranger.list_models(search=mark, filter="license:mit", full=True, cardData=True)
    assert full.card_data is not None and full.siblings is not None
    page = http.get(
        "/api/models", params={"search": mark, "limit": 2, "sort": "createdAt", "filter": "", "full": "true"}
    )
    seen = [model["id"] for model in page.json()]
    while "next" in page.links:
        page = http.get(page.links["next"]["url"])
        seen += [model["id"] for model in page.json()]
    assert seen == names[3::-1]


def test_own_repos_and_people(
    hub: LiveHub, alice: HfApi, stranger: HfApi, new_repo: Callable[..., str]
) -> None:
    repo = new_repo(private=True)
    who = alice.whoami()
    assert (who["name"], who["type"], [org["name"] for org in who["orgs"]]) == ("alice", "user", ["acme"])
    assert who["auth"]["accessToken"]["role"] == "write"
    assert stranger.get_user_overview("alice").username == "alice"
    assert [member.username for member in stranger.list_organization_members("acme")] == ["alice"]
    listed = httpx.get(f"{hub.url}/api/settings/repositories", headers=bearer(ALICE)).json()
    [mine] = [item for item in listed if item["id"] == repo]
    assert {"type": "model", "visibility": "private", "storage": 0}.items() <= mine.items()


def test_likes(alice: HfApi, bob: HfApi, new_repo: Callable[..., str], http: httpx.Client) -> None:
    repo = new_repo()
    http.post(f"/api/models/{repo}/like", headers=bearer(BOB)).raise_for_status()
    assert alice.model_info(repo).likes == 1
    assert repo in list(bob.list_liked_repos("bob").models)
    assert [user.username for user in alice.list_repo_likers(repo)] == ["bob"]
    bob.unlike(repo)
    assert alice.model_info(repo).likes == 0
    with pytest.raises(RepositoryNotFoundError):
        bob.unlike("alice/absent-repo")
