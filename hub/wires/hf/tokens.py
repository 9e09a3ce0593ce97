"""Tokens for the chunk store: `GET /api/{kind}/{repo}/xet-{read|write}-token/{revision}`.

Two readers exist in the stock client: one takes the headers, the other the JSON.
"""

from django.http import HttpRequest, HttpResponse

from hub.accounts.identity import Viewer
from hub.catalog import xet_tokens
from hub.catalog.models import Repo
from hub.catalog.xet_tokens import Grant
from hub.web import bytes_base, public_base, unescape
from hub.wires.base import json_answer
from hub.wires.hf.reading import flag, get_repo


def token_address(request: HttpRequest, repo: Repo, right: str, commit: str) -> str:
    """Return the absolute address of the tokens for a repo at a commit."""
    return f"{public_base(request)}/api/{repo.type}s/{repo.full_name}/xet-{right}-token/{commit}"


def read_token(request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = "") -> HttpResponse:
    """Answer with a token to fetch the repo's files by chunks."""
    return _answer(request, xet_tokens.grant_read(viewer, get_repo(viewer, kind, repo)))


def write_token(
    request: HttpRequest, viewer: Viewer, *, kind: str, repo: str, rest: str = ""
) -> HttpResponse:
    """Answer with a token to upload chunks of files that are to be committed to the revision."""
    grant = xet_tokens.grant_write(
        viewer, get_repo(viewer, kind, repo), revision=unescape(rest), create_pr=flag(request, "create_pr")
    )
    return _answer(request, grant)


def _answer(request: HttpRequest, grant: Grant) -> HttpResponse:
    place = f"{bytes_base(request)}/cas/e{grant.epoch}/{grant.domain}"
    headers = {
        "X-Xet-Cas-Url": place, "X-Xet-Access-Token": grant.token, "X-Xet-Token-Expiration": str(grant.expires),
        "Cache-Control": "private, no-store",
    }  # fmt: skip
    return json_answer({"casUrl": place, "accessToken": grant.token, "exp": grant.expires}, headers=headers)
