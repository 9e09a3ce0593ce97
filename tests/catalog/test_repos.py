"""Making, renaming and deleting repos, and whose a name is afterwards."""

import pytest

from hub.accounts.identity import ANONYMOUS
from hub.accounts.people import find_namespace, rename_namespace
from hub.catalog import repos
from hub.catalog.errors import BadRequest, NameTaken, NotAllowed, RepoNotFound, SignInNeeded
from hub.catalog.lookups import Moved, find_repo, history
from hub.catalog.models import GitObject, ObjectNetwork, Repo
from hub.catalog.names import RepoName
from hub.catalog.trees import files
from tests.factories import at, make_organization, make_repo, make_viewer, push

pytestmark = pytest.mark.django_db


def _name(text: str) -> RepoName:
    return RepoName.parse("model", text)


def test_a_new_repo_begins_with_an_initial_commit_of_attributes() -> None:
    repo = make_repo(make_viewer("ada"), "tiny")
    located = at(repo)
    assert [commit.title for commit in history(repo, located.commit)] == ["initial commit"]
    assert [entry.path for entry in files(repo, located.tree)] == [".gitattributes"]
    assert Repo.objects.get(pk=repo.pk).head == located.commit


def test_an_id_is_taken_in_any_case_but_models_and_datasets_do_not_meet() -> None:
    viewer = make_viewer("ada")
    make_repo(viewer, "Tiny")
    with pytest.raises(NameTaken) as taken:
        make_repo(viewer, "tiny")
    assert taken.value.full_name == "ada/tiny"
    assert make_repo(viewer, "tiny", type_="dataset").type == "dataset"
    assert find_repo(viewer, _name("ADA/TINY")).full_name == "ada/Tiny"


def test_strangers_and_foreigners_cannot_make_repos() -> None:
    make_viewer("ada")
    with pytest.raises(NotAllowed):
        make_repo(make_viewer("bob"), "x", namespace="ada")
    with pytest.raises(NotAllowed):
        make_repo(make_viewer("carl"), "x", namespace="nobody")
    with pytest.raises(SignInNeeded):
        repos.create_repo(ANONYMOUS, name=_name("ada/x"))


def test_a_repo_cannot_be_called_like_a_verb() -> None:
    with pytest.raises(BadRequest, match="verb"):
        make_repo(make_viewer(), "resolve")


def test_an_organization_may_be_private_by_default() -> None:
    viewer = make_viewer()
    assert viewer.user
    lab = make_organization("lab", admin=viewer.user)
    lab.private_by_default = True
    lab.save()
    assert make_repo(viewer, "a", namespace="lab").private is False
    assert repos.create_repo(viewer, name=_name("lab/b")).private is True


def test_a_renamed_repo_is_found_under_its_old_id_and_can_come_back() -> None:
    viewer = make_viewer("ada")
    repo = make_repo(viewer, "old")
    repos.move_repo(viewer, repo, to=_name("ada/new"))
    with pytest.raises(Moved) as moved:
        find_repo(viewer, _name("ada/old"))
    assert moved.value.repo.full_name == "ada/new"
    repos.move_repo(viewer, repo, to=_name("ada/old"))
    assert find_repo(viewer, _name("ada/old")).full_name == "ada/old"
    with pytest.raises(Moved):
        find_repo(viewer, _name("ada/new"))


def test_the_old_id_of_a_private_repo_tells_strangers_nothing() -> None:
    viewer = make_viewer("ada")
    repo = make_repo(viewer, "old", private=True)
    repos.move_repo(viewer, repo, to=_name("ada/new"))
    for stranger in (ANONYMOUS, make_viewer()):
        with pytest.raises(RepoNotFound):
            find_repo(stranger, _name("ada/old"))


def test_an_old_id_cannot_be_taken_by_someone_else() -> None:
    giver, taker, staff = make_viewer("giver"), make_viewer("taker"), make_viewer(staff=True)
    assert giver.user
    assert taker.user
    make_organization("lab", admin=taker.user, write=giver.user)
    repo = make_repo(giver, "weights", namespace="lab")
    repos.move_repo(giver, repo, to=_name("giver/weights"))
    with pytest.raises(NameTaken, match="renamed"):
        make_repo(taker, "weights", namespace="lab")
    assert make_repo(staff, "weights", namespace="lab").full_name == "lab/weights"


def test_the_id_of_a_deleted_repo_stays_with_its_namespace() -> None:
    owner = make_viewer("ada")
    make_repo(owner, "gone")
    repos.delete_repo(owner, find_repo(owner, _name("ada/gone")))
    with pytest.raises(RepoNotFound):
        find_repo(owner, _name("ada/gone"))
    namespace = find_namespace("ada")
    assert namespace is not None
    rename_namespace(namespace=namespace, name="lovelace")
    newcomer = make_viewer(staff=False)
    with pytest.raises(NotAllowed):
        make_repo(newcomer, "gone", namespace="ada")
    assert owner.user
    owner.user.refresh_from_db()
    assert make_repo(owner, "gone", namespace="lovelace").name == "gone"


def test_deleting_a_repo_takes_its_git_objects_along() -> None:
    owner = make_viewer()
    repo = make_repo(owner)
    push(owner, repo, {"a.txt": b"a"})
    network = repo.network_id
    repos.delete_repo(owner, repo)
    assert not GitObject.objects.filter(network=network).exists()
    assert not ObjectNetwork.objects.filter(pk=network).exists()


def test_repos_follow_a_renamed_namespace_and_old_ids_lead_on() -> None:
    viewer = make_viewer("ada")
    make_repo(viewer, "a")
    make_repo(viewer, "b", type_="dataset")
    namespace = find_namespace("ada")
    assert namespace is not None
    assert repos.follow_namespace(rename_namespace(namespace=namespace, name="lovelace")) == 2
    with pytest.raises(Moved) as moved:
        find_repo(viewer, _name("ada/a"))
    assert moved.value.repo.full_name == "lovelace/a"


def test_a_move_onto_a_repo_that_is_there_is_refused() -> None:
    viewer = make_viewer("ada")
    repo, _ = make_repo(viewer, "a"), make_repo(viewer, "b")
    with pytest.raises(NameTaken, match=r"A model repository called ada/b already exists"):
        repos.move_repo(viewer, repo, to=_name("ada/b"))


def test_only_who_manages_a_repo_may_change_or_delete_it() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo = make_repo(owner)
    for act in (
        lambda: repos.delete_repo(stranger, repo),
        lambda: repos.change_settings(stranger, repo, private=True),
        lambda: repos.move_repo(stranger, repo, to=_name("x/y")),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(BadRequest, match="gated"):
        repos.change_settings(owner, repo, gated="sometimes")
