"""Branches, tags and pull request refs.

A ref may not be a folder of another one: ``a`` beside ``a/b`` would give a decoded URL path two readings.
"""

from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import access
from hub.catalog.errors import BadRefName, BadRequest, NameTaken, RevisionNotFound
from hub.catalog.lookups import locate_in
from hub.catalog.models import Ref, Repo
from hub.catalog.names import check_ref_part, is_pull_ref

BRANCH, TAG, PULL = "refs/heads/", "refs/tags/", "refs/pr/"
MAIN = BRANCH + "main"


@dataclass(frozen=True, slots=True)
class RefList:
    """Every ref of a repo by kind."""

    branches: list[Ref] = field(default_factory=list)
    tags: list[Ref] = field(default_factory=list)
    pulls: list[Ref] = field(default_factory=list)


def list_refs(repo: Repo) -> RefList:
    """Return the refs of a repo, ``main`` first, then by name."""
    found = RefList()
    for ref in sorted(repo.refs.all(), key=lambda ref: (ref.name != MAIN, ref.name)):
        for prefix, kind in ((BRANCH, found.branches), (TAG, found.tags), (PULL, found.pulls)):
            if ref.name.startswith(prefix):
                kind.append(ref)
    return found


def short_name(ref: Ref) -> str:
    """Return ``main`` for ``refs/heads/main``; pull request refs keep their full name."""
    for prefix in (BRANCH, TAG):
        if ref.name.startswith(prefix):
            return ref.name[len(prefix) :]
    return ref.name


def _check_room(repo: Repo, short: str) -> None:
    """Refuse a name that lies inside another ref's name or around it; called with the repo's row locked."""
    for prefix in (BRANCH, TAG):
        inside = Q(name__startswith=f"{prefix}{short}/")
        parts = short.split("/")
        around = Q(name__in=[prefix + "/".join(parts[:depth]) for depth in range(1, len(parts))])
        clash = repo.refs.filter(inside | around).values_list("name", flat=True).first()
        if clash:
            raise BadRefName(
                f"Invalid reference name {short!r}: {clash} exists, and one may not be a folder of the other."
            )


def _create(repo: Repo, *, name: str, short: str, oid: str, message: str = "") -> Ref:
    Repo.objects.select_for_update(no_key=True).get(pk=repo.pk)
    _check_room(repo, short)
    try:
        with transaction.atomic():
            return Ref.objects.create(repo=repo, name=name, oid=oid, message=message)
    except IntegrityError:
        raise NameTaken(f"Reference {name} already exists") from None


@transaction.atomic
def create_branch(viewer: Viewer, repo: Repo, *, branch: str, start: str = "") -> Ref:
    """Make a branch at ``start`` (default: the tip of main); raises NameTaken, BadRefName or RevisionNotFound."""
    access.require_write(viewer, repo)
    short = check_ref_part(branch.removeprefix(BRANCH))
    if repo.refs.filter(name=BRANCH + short).exists():
        raise NameTaken(f"Reference {BRANCH}{short} already exists")
    at = locate_in(repo, start or "main")
    return _create(repo, name=BRANCH + short, short=short, oid=at.commit)


@transaction.atomic
def delete_branch(viewer: Viewer, repo: Repo, *, branch: str) -> None:
    """Delete a branch; ``main`` stays.  Its commits stay readable by id."""
    access.require_write(viewer, repo)
    name = branch if branch.startswith("refs/") else BRANCH + branch
    if name == MAIN:
        raise BadRequest(f"Cannot delete {MAIN}: it is the default branch.")
    if is_pull_ref(name):
        access.require_administer(viewer, repo)
        repo.discussions.filter(number=name.removeprefix(PULL)).delete()
    if not repo.refs.filter(name=name).delete()[0]:
        raise RevisionNotFound(f"Invalid rev id: {branch}")


@transaction.atomic
def create_tag(viewer: Viewer, repo: Repo, *, tag: str, revision: str, message: str = "") -> Ref:
    """Name the commit of a revision; raises NameTaken, BadRefName or RevisionNotFound."""
    access.require_write(viewer, repo)
    short = check_ref_part(tag)
    at = locate_in(repo, revision)
    return _create(repo, name=TAG + short, short=short, oid=at.commit, message=message[:10_000])


@transaction.atomic
def delete_tag(viewer: Viewer, repo: Repo, *, tag: str) -> None:
    """Delete a tag; raises RevisionNotFound."""
    access.require_write(viewer, repo)
    if not repo.refs.filter(name=TAG + tag).delete()[0]:
        raise RevisionNotFound(f"Invalid rev id: {tag}")


def move(ref: Ref, *, oid: str) -> None:
    """Point a locked ref at another commit."""
    ref.oid, ref.updated_at = oid, timezone.now()
    ref.save(update_fields=["oid", "updated_at"])
