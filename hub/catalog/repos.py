"""Making, renaming, changing and deleting repos."""

import time
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import Namespace
from hub.accounts.people import find_namespace
from hub.catalog import access, clearances, derived, indexing, objects, quotas
from hub.catalog.commits import record_commit
from hub.catalog.defaults import attributes_for
from hub.catalog.errors import BadRequest, NameTaken, NotAllowed, SignInNeeded
from hub.catalog.holdings import VERIFY
from hub.catalog.models import CommitRecord, ObjectNetwork, Ref, Repo, RepoRedirect, RetiredRepo
from hub.catalog.names import RepoName
from hub.catalog.objects import EMPTY_TREE, FILE_MODE
from hub.catalog.refs import MAIN
from hub.catalog.rewriting import rewrite
from hub.catalog.trees import NewEntry

FIRST_TITLE = "initial commit"


def _namespace_to_write(viewer: Viewer, name: str) -> Namespace:
    if viewer.user is None:
        raise SignInNeeded("Sign in to create a repository.")
    namespace = find_namespace(name)
    if namespace is None or not access.may_create_in(viewer, namespace):
        raise NotAllowed(f'You don\'t have the rights to create a repository under the namespace "{name}".')
    return namespace


def own_namespace(viewer: Viewer) -> str:
    """Return the name of the viewer's own namespace, where ids without one belong; raises SignInNeeded."""
    if viewer.user is None:
        raise SignInNeeded("Sign in to name a repository without its namespace.")
    return Namespace.objects.values_list("name", flat=True).get(user=viewer.user)


def check_free(viewer: Viewer, name: RepoName, namespace: Namespace, *, moving: Repo | None = None) -> None:
    """Raise NameTaken where the id belongs to a repo, or is kept for somebody else."""
    standing = Repo.objects.filter(type=name.type, key=name.key).first()
    if standing is not None and standing != moving:
        raise NameTaken(f"A {name.type} repository called {name.full} already exists", name.full)
    former = (
        RepoRedirect.objects.select_related("repo__namespace").filter(type=name.type, key=name.key).first()
    )
    is_own = former is not None and (former.repo == moving or access.may_administer(viewer, former.repo))
    if former is not None and not is_own:
        raise NameTaken(
            f"{name.full} leads to a repository that was renamed; only its owner or an administrator can use the name."
        )
    retired = RetiredRepo.objects.filter(type=name.type, key=name.key).first()
    if retired is not None and retired.namespace_id != namespace.pk and not viewer.is_staff:
        raise NameTaken(f"{name.full} was in use before; only an administrator can give the name again.")


def _take_name(name: RepoName) -> None:
    RepoRedirect.objects.filter(type=name.type, key=name.key).delete()
    RetiredRepo.objects.filter(type=name.type, key=name.key).delete()


@transaction.atomic
def create_repo(viewer: Viewer, *, name: RepoName, private: bool | None = None) -> Repo:
    """Make a repo with branch main and a first commit; raises NameTaken, NotAllowed, SignInNeeded or BadRequest.

    ``private=None`` takes the organization's default.
    """
    repo = create_row(viewer, name=name, private=private)
    _first_commit(viewer, repo)
    return repo


def create_row(viewer: Viewer, *, name: RepoName, private: bool | None = None) -> Repo:
    """Make a repo without any ref, inside the caller's transaction, which goes on to give it one; raises alike."""
    namespace = _namespace_to_write(viewer, name.namespace)
    check_free(viewer, name, namespace)
    if private is None:
        private = bool(namespace.organization and namespace.organization.private_by_default)
    full = f"{namespace.name}/{name.name}"
    try:
        with transaction.atomic():
            repo = Repo.objects.create(
                network=ObjectNetwork.objects.create(), namespace=namespace, type=name.type, name=name.name,
                full_name=full, key=full.lower(), private=private, created_by=viewer.user,
            )  # fmt: skip
    except IntegrityError:
        raise NameTaken(f"A {name.type} repository called {full} already exists", full) from None
    _take_name(name)
    return repo


def _first_commit(viewer: Viewer, repo: Repo) -> None:
    content = attributes_for(repo.type)
    blob = objects.make_blob(content)
    entry = NewEntry(FILE_MODE, objects.oid_of(blob), len(content))
    outcome = rewrite(repo, EMPTY_TREE, {(".gitattributes",): entry})
    ref = Ref(repo=repo, name=MAIN)
    record_commit(
        viewer, repo, ref, outcome=outcome, blobs=[blob], parents=[], title=FIRST_TITLE, description="",
        seconds=int(time.time()),
    )  # fmt: skip


@transaction.atomic
def move_repo(viewer: Viewer, repo: Repo, *, to: RepoName) -> Repo:
    """Rename a repo or give it to another namespace; the old id leads to the new one."""
    access.require_administer(viewer, repo)
    namespace = _namespace_to_write(viewer, to.namespace)
    quotas.lock(namespace)
    repo = Repo.objects.select_for_update().get(pk=repo.pk)
    if namespace.pk != repo.namespace_id:
        derived.require_free(repo, "The namespace")
    check_free(viewer, to, namespace, moving=repo)
    _take_name(to)
    is_leaving = namespace.pk != repo.namespace_id
    if is_leaving:
        _take_along(viewer, repo, namespace)
    _rename(repo, namespace, to.name)
    if is_leaving:
        quotas.require_kept(namespace)
    return repo


def _take_along(viewer: Viewer, repo: Repo, namespace: Namespace) -> None:
    """What was made from a repo moves with it, so that the same people have it."""
    for made in repo.derived.select_for_update().order_by("pk"):
        name = RepoName(made.type, namespace.name, made.name)
        check_free(viewer, name, namespace, moving=made)
        _take_name(name)
        _rename(made, namespace, made.name)


def _rename(repo: Repo, namespace: Namespace, name: str) -> None:
    former = repo.key
    repo.namespace, repo.name, repo.full_name = namespace, name, f"{namespace.name}/{name}"
    repo.key = repo.full_name.lower()
    repo.save(update_fields=["namespace", "name", "full_name", "key"])
    if former != repo.key:
        RepoRedirect.objects.update_or_create(type=repo.type, key=former, defaults={"repo": repo})
    indexing.renamed(repo)
    # Some licenses say how a model is called, and what names it as its base reads on under the new name.
    clearances.renamed(repo)


@transaction.atomic
def follow_namespace(namespace: Namespace) -> int:
    """Give every repo of a renamed namespace its new id; returns how many there are."""
    repos = list(Repo.objects.select_for_update().filter(namespace=namespace))
    for repo in repos:
        _rename(repo, namespace, repo.name)
    return len(repos)


@transaction.atomic
def change_settings(
    viewer: Viewer, repo: Repo, *, private: bool | None = None, gated: str | None = None
) -> Repo:
    """Change visibility and gating, also of what was made from the repo; None leaves a setting as it is."""
    access.require_administer(viewer, repo)
    changes: dict[str, Any] = {}
    if private is not None:
        changes["private"] = private
    if gated is not None:
        if gated not in Repo.Gated.values:
            raise BadRequest(f'gated must be "auto", "manual" or false, not {gated!r}.')
        changes["gated"] = gated
    if any(getattr(repo, key) != value for key, value in changes.items()):
        derived.require_free(repo, "The visibility")
    if changes:
        Repo.objects.filter(pk=repo.pk).update(**changes, updated_at=timezone.now())
        repo.refresh_from_db(fields=["private", "gated"])
        derived.follow(repo, "private", "gated")
    return repo


@transaction.atomic
def disable(repo: Repo, *, disabled: bool) -> None:
    """Stop every download of a repo and of what was made from it, or let them go on; for administrators."""
    Repo.objects.filter(pk=repo.pk).update(disabled=disabled)
    repo.disabled = disabled
    derived.follow(repo, "disabled")


def _lock_whole(repo: Repo) -> None:
    """Lock what deletion takes away in the order in which commits and runs lock it, the repo's own row last.

    Otherwise an inspection that is about to write its result and the deletion would wait for each other.
    """
    proofs = repo.jobs.filter(kind=VERIFY)
    for rows in (repo.refs.all(), proofs, repo.blobs.all(), repo.jobs.exclude(kind=VERIFY)):
        list(rows.select_for_update().order_by("pk").values_list("pk"))
    Repo.objects.select_for_update().get(pk=repo.pk)


@transaction.atomic
def delete_repo(viewer: Viewer, repo: Repo) -> None:
    """Delete a repo and what was made from it.  Ids stay retired; bytes that nobody else holds are swept later."""
    access.require_administer(viewer, repo)
    _delete(repo)


def _delete(repo: Repo) -> None:
    _lock_whole(repo)
    for made in repo.derived.order_by("pk"):
        _delete(made)
    clearances.forget(repo)
    network = repo.network
    for former in repo.former_ids.all():
        RetiredRepo.objects.get_or_create(
            type=former.type, key=former.key, defaults={"namespace": repo.namespace}
        )
    RetiredRepo.objects.update_or_create(type=repo.type, key=repo.key, defaults={"namespace": repo.namespace})
    repo.delete()
    if not network.repos.exists():
        CommitRecord.objects.filter(network=network).delete()
        network.delete()


def public_url(path: str) -> str:
    """Return an absolute address of this hub as configured, for texts that are written without a request."""
    base = settings.HUB_PUBLIC_URL or f"http://127.0.0.1:{settings.HUB_PORT}"
    return f"{base}/{path.lstrip('/')}"
