"""People, repos and large files for the tests of pages."""

import hashlib
import html
import re

from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.accounts.people import create_user
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.names import RepoName
from hub.catalog.repos import create_repo
from tests.factories import push

PASSWORD = "correct horse battery staple"
CARD = b"---\nlicense: apache-2.0\npipeline_tag: text-generation\n---\n# Weights of the quay\n\nThey weigh ships.\n"


def person(name: str) -> User:
    """Return a new user with a password and a mail address."""
    return create_user(name=name, email=f"{name}@example.org", password=PASSWORD)


def logged_in(user: User) -> Client:
    """Return a browser in which the user is logged in."""
    client = Client()
    client.force_login(user)
    return client


def put(user: User, repo: Repo, files: dict[str, bytes], title: str = "Push the weights") -> str:
    """Commit files to main and return the commit id."""
    done = push(Viewer(user=user), repo, files, title=title)
    repo.refresh_from_db()
    return done.oid


def new_repo(user: User, full: str, files: dict[str, bytes] | None, kind: str, private: bool) -> Repo:
    """Return a new repo with these files."""
    repo = create_repo(Viewer(user=user), name=RepoName.parse(kind, full), private=private)
    if files:
        put(user, repo, files)
    return repo


def pointer_of(repo: Repo, content: bytes) -> bytes:
    """Let the repo hold a large file, so that its state can be chosen; returns the pointer to commit."""
    sha256 = hashlib.sha256(content).hexdigest()
    RepoBlob.objects.create(repo=repo, sha256=sha256, size=len(content), state=RepoBlob.State.PROVEN)
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(content)}\n"
    return text.encode()


def text_of(response: object) -> str:
    """Return a response's body as text."""
    body = getattr(response, "content", b"")
    assert isinstance(body, bytes)
    return body.decode()


def words_of(response: object) -> str:
    """Return what a reader sees of a page: its text without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", text_of(response)))
