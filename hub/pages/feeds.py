"""Atom feeds of what is new, for readers that nobody has logged in: public repos only."""

import re

from django.http import HttpRequest, HttpResponse
from django.utils import feedgenerator

from hub.accounts.identity import Viewer
from hub.catalog import ranking, search
from hub.pages.addresses import repo_url
from hub.pages.doors import page
from hub.web import public_base
from licenses.identifiers import license_title

NEWEST = 50
# What XML cannot hold, even escaped.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TITLES = {"model": "New models", "dataset": "New data sets"}


@page
def newest(request: HttpRequest, viewer: Viewer, *, kind: str) -> HttpResponse:
    """The newest public repos of one type, or of one namespace with ``?author=``."""
    author = _fit(request.GET.get("author", "")).strip()[:100]
    query = search.Query(type=kind, author=author, sort="createdAt")
    # A feed is passed on without thinking, so it holds nothing that is not for everybody here.
    found = [repo for repo in ranking.find(viewer, query, limit=NEWEST).repos if not repo.private]
    base = public_base(request)
    feed = feedgenerator.Atom1Feed(
        title=f"{TITLES[kind]}{f' of {author}' if author else ''} · Weighhouse",
        link=f"{base}/{kind}s",
        description="What was put into this hub last.",
        feed_url=base + request.get_full_path(),
        language="en",
    )
    for repo in found:
        feed.add_item(
            title=repo.full_name,
            link=base + repo_url(repo),
            unique_id=f"urn:uuid:{repo.pk}",
            description=_about(repo.pipeline_tag, repo.license, repo.parameters),
            pubdate=repo.created_at,
            updateddate=repo.updated_at,
            author_name=repo.namespace.name,
            categories=[_fit(tag) for tag in (repo.pipeline_tag, repo.library) if tag],
        )
    return HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _about(task: str, license_id: str, parameters: int | None) -> str:
    parts = [
        task.replace("-", " "),
        f"{parameters:,} parameters" if parameters else "",
        f"licence on the card: {license_title(license_id)}" if license_id else "no licence on the card",
    ]
    return _fit(", ".join(part for part in parts if part) + ".")


def _fit(text: str) -> str:
    """Return text that comes from a card or an address as XML can hold it."""
    return _UNFIT.sub(" ", text)
