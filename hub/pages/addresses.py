"""Where the pages of a repo lie.  Revisions are one escaped segment, so ``refs/pr/1`` reads one way only."""

from urllib.parse import quote

from hub.catalog.models import Repo


def repo_url(repo: Repo) -> str:
    """Return the address of a repo's first page."""
    return f"/datasets/{repo.full_name}" if repo.type == Repo.Type.DATASET else f"/{repo.full_name}"


def rev_url(repo: Repo, verb: str, revision: str, path: str = "") -> str:
    """Return the address of ``verb`` (tree, blob, resolve, raw, commits, ...) at a revision and path."""
    tail = f"/{quote(path)}" if path else ""
    return f"{repo_url(repo)}/{verb}/{quote(revision, safe='')}{tail}"


def compare_url(repo: Repo, one: str, other: str) -> str:
    """Return the address of what differs from ``one`` revision to ``other``.  No revision holds two dots in a row."""
    return f"{repo_url(repo)}/compare/{quote(one, safe='')}..{quote(other, safe='')}"
