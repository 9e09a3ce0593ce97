"""Repos that were made from others, and follow them.

What is made from a repo has its visibility, its gate and its state at all times: the columns are written in the
transaction that changes the source's.  The source's row is locked before those of what follows it.
"""

from hub.catalog.errors import BadRequest
from hub.catalog.models import Repo


def root_of(repo: Repo) -> Repo:
    """Return the repo that everything made from this one follows: itself, unless it was made from another."""
    return repo.source or repo


def bind(repo: Repo, source: Repo) -> None:
    """Let a new repo follow the one that it was made from, whose row the caller has locked."""
    repo.source = source
    repo.save(update_fields=["source"])
    follow(source, "private", "gated", "disabled", "clearance", "consent", "cleared_until")


def follow(source: Repo, *columns: str) -> None:
    """Write these columns of a repo to all that follows it, inside the caller's transaction."""
    source.derived.update(**{column: getattr(source, column) for column in columns})


def require_free(repo: Repo, what: str) -> None:
    """Raise BadRequest where a repo follows another, so that this is decided there."""
    if repo.source is not None:
        raise BadRequest(
            f"{what} of {repo.full_name} follows {repo.source.full_name}, from which it was made; change it there."
        )
