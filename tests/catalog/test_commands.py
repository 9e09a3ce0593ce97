"""`manage.py` commands about namespaces."""

import pytest
from django.core.management import CommandError, call_command

from hub.accounts.models import Namespace, RetiredNamespace
from hub.catalog.lookups import Moved, find_repo
from hub.catalog.models import Repo
from hub.catalog.names import RepoName
from hub.catalog.repos import delete_repo
from storage import dedup
from tests.factories import make_repo, make_viewer

pytestmark = pytest.mark.django_db


def test_a_namespace_is_renamed_with_its_repos() -> None:
    viewer = make_viewer("ada")
    make_repo(viewer, "tiny")
    call_command("rename_namespace", "ADA", "lovelace")
    assert Repo.objects.get().full_name == "lovelace/tiny"
    with pytest.raises(Moved):
        find_repo(viewer, RepoName.parse("model", "ada/tiny"))
    for old, new in (("nobody", "x"), ("lovelace", "api"), ("lovelace", "a b")):
        with pytest.raises(CommandError):
            call_command("rename_namespace", old, new)


def test_a_namespace_is_deleted_once_it_is_empty_and_its_name_retires() -> None:
    viewer = make_viewer("ada")
    repo = make_repo(viewer, "tiny")
    with pytest.raises(CommandError, match="still holds 1"):
        call_command("delete_namespace", "ada")
    assert Namespace.objects.filter(key="ada").exists()
    delete_repo(viewer, repo)
    call_command("delete_namespace", "ada")
    assert RetiredNamespace.objects.filter(key="ada", namespace=None).exists()
    with pytest.raises(CommandError, match="no user"):
        call_command("delete_namespace", "ada")


def test_the_epoch_rises_after_a_restore() -> None:
    before = dedup.current_epoch()
    call_command("raise_epoch")
    assert dedup.current_epoch() == before + 1
