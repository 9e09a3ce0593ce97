"""`GET .../compare/{one}..{other}`: what differs between two revisions, beside the Hub protocol."""

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import differences, tensordiff
from hub.catalog.lookups import locate, locate_in
from hub.web import repo_name, split_comparison
from hub.wires.base import json_answer


def compare(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str) -> HttpResponse:
    """Tell files by hash and tensors by name, shape and type; lines are for those who fetch the files."""
    one, other = split_comparison(rest)
    at = locate(viewer, repo_name(kind, repo), other)
    base = locate_in(at.repo, one)
    found, is_more = differences.changes_between(at.repo, base.tree, at.tree)
    told = {
        "from": base.commit, "to": at.commit, "more": is_more, "files": differences.told(found),
        "tensors": tensordiff.told(tensordiff.compare(at.repo, base.tree, at.tree)),
    }  # fmt: skip
    return json_answer(told, headers={"X-Repo-Commit": at.commit})
