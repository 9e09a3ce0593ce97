"""Short ways to a user, a repo, a commit and a pushed large file, through the same verbs that the doors use."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from io import BytesIO

from hub.accounts.identity import Viewer
from hub.accounts.models import Organization, Token, User
from hub.accounts.people import create_organization, create_user, set_role
from hub.accounts.tokens import create_token
from hub.catalog import pushes
from hub.catalog.commits import Committed, Message, commit
from hub.catalog.lookups import Located, locate_in
from hub.catalog.models import Job, Repo
from hub.catalog.names import FilePath, RepoName
from hub.catalog.operations import AddFile, AddLarge, Delete, Operation
from hub.catalog.repos import create_repo
from workers import runs

_counter = itertools.count(1)


def make_user(name: str = "", *, staff: bool = False) -> User:
    """Return a new user."""
    return create_user(name=name or f"user{next(_counter)}", staff=staff)


def make_viewer(name: str = "", *, staff: bool = False) -> Viewer:
    """Return a new user as a browser session shows one: with every right of the user."""
    return Viewer(user=make_user(name, staff=staff))


def with_token(user: User, kind: str = Token.Kind.WRITE) -> tuple[Viewer, str]:
    """Return a viewer who uses a new token, and the token's secret."""
    token, secret = create_token(user=user, name="test", kind=kind)
    return Viewer(user=user, token=token), secret


def make_organization(name: str, **roles: User) -> Organization:
    """Return an organization with one member per role: ``make_organization("lab", admin=alice, read=bob)``."""
    organization = create_organization(name=name, admin=None)
    for role, user in roles.items():
        set_role(organization=organization, user=user, role=role)
    return organization


def make_repo(
    viewer: Viewer, name: str = "", *, namespace: str = "", private: bool = False, type_: str = "model"
) -> Repo:
    """Return a new repo in the viewer's namespace, or in another one."""
    assert viewer.user is not None
    name = name or f"repo{next(_counter)}"
    return create_repo(
        viewer, name=RepoName.for_new(type_, namespace or viewer.user.username, name), private=private
    )


def push(
    viewer: Viewer,
    repo: Repo,
    files: Mapping[str, bytes | None],
    *,
    revision: str = "main",
    title: str = "push",
) -> Committed:
    """Commit small files; None deletes one."""
    operations: list[Operation] = [
        Delete(FilePath.parse(path)) if content is None else AddFile(FilePath.parse(path), content)
        for path, content in files.items()
    ]
    return commit_all(viewer, repo, operations, revision=revision, title=title)


def commit_all(
    viewer: Viewer, repo: Repo, operations: Sequence[Operation], *, revision: str = "main", title: str = "push",
    parent: str = "", create_pr: bool = False,
) -> Committed:  # fmt: skip
    """Commit operations with a short message."""
    return commit(
        viewer,
        repo,
        revision=revision,
        operations=operations,
        message=Message(title),
        parent=parent,
        create_pr=create_pr,
    )


def send(viewer: Viewer, repo: Repo, content: bytes, *, claimed: str = "") -> str:
    """Upload bytes into a repo under their sha256, or under another one they claim to have; returns that sha256."""
    sha256 = claimed or hashlib.sha256(content).hexdigest()
    offer = pushes.offer(viewer, repo, [(sha256, len(content))])[0]
    if offer.upload is not None:
        pushes.write(viewer, repo, offer.upload.pk, part=0, stream=BytesIO(content), length=len(content))
        pushes.complete(viewer, repo, offer.upload.pk, parts=None)
    return sha256


def push_large(viewer: Viewer, repo: Repo, path: str, content: bytes) -> str:
    """Upload, prove and commit a large file; returns its sha256."""
    sha256 = send(viewer, repo, content)
    work()
    commit_all(viewer, repo, [AddLarge(FilePath.parse(path), sha256, len(content))])
    work()
    return sha256


def work() -> int:
    """Do every due job in this process, as a worker would; returns how many there were."""
    return runs.run_due()


def at(repo: Repo, revision: str = "main") -> Located:
    """Return a repo at a revision, for whoever looks from inside."""
    return locate_in(Repo.objects.get(pk=repo.pk), revision)


def jobs_of(repo: Repo, kind: str) -> list[Job]:
    """Return the jobs of one kind for a repo, oldest first."""
    return list(Job.objects.filter(repo=repo, kind=kind).order_by("created_at"))
