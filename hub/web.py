"""What both front rooms, wires and pages, read from a request: raw paths, sessions, addresses, ids and revisions."""

import re
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.http import HttpRequest

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.accounts.models import User
from hub.catalog.errors import BadRequest, RepoNotFound, RevisionNotFound
from hub.catalog.lookups import Located, find_repo, locate
from hub.catalog.models import Ref
from hub.catalog.names import RepoName, is_pull_ref

MAX_REF_SEGMENTS = 20
# Marks of print that Latin-1 does not have.
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "…": "..."})


def escaped_path(raw: str) -> str:
    """Return a raw request target's path, decoded except for slashes and percent signs."""
    path = raw.split("?", 1)[0].split("#", 1)[0]
    kept = re.sub(r"%(25|2[Ff])", lambda match: "%25" + match[1].upper(), path)
    return unquote_to_bytes(kept.encode("latin-1", "replace")).decode("utf-8", "replace")


def unescape(segment: str) -> str:
    """Return the text that one segment of an escaped path stands for."""
    return re.sub(r"%(2F|25)", lambda match: "/" if match[1] == "2F" else "%", segment)


def whole_number(text: str) -> int | None:
    """Return the number that a query value or header spells in at most 18 plain digits, else None.

    Python reads other digits too, and refuses to read thousands of them.
    """
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def header_text(text: str) -> str:
    """Return text that is safe in one header line."""
    plain = re.sub(r"[\x00-\x1f\x7f]+", " ", text.translate(_PLAIN))
    return plain.encode("latin-1", "replace").decode("latin-1")[:1000]


def session_viewer(request: HttpRequest) -> Viewer:
    """Return the viewer of a browser session."""
    return Viewer(user=request.user) if isinstance(request.user, User) else ANONYMOUS


def public_base(request: HttpRequest) -> str:
    """Return ``scheme://host`` under which the client knows the hub."""
    return settings.HUB_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"


def bytes_base(request: HttpRequest) -> str:
    """Return the address of the bytes group: as configured, else the same host at its port."""
    if settings.HUB_BYTES_URL:
        return settings.HUB_BYTES_URL
    base = urlsplit(public_base(request))
    if settings.HUB_PUBLIC_URL or not base.hostname:
        return public_base(request)
    host = f"[{base.hostname}]" if ":" in base.hostname else base.hostname
    return f"{base.scheme}://{host}:{settings.HUB_BYTES_PORT}"


def repo_name(kind: str, text: str) -> RepoName:
    """Return the id in an address; one that no repo can have is a repo that does not exist."""
    try:
        return RepoName.parse(kind, text)
    except BadRequest:
        raise RepoNotFound("Repository not found") from None


def split_comparison(rest: str) -> tuple[str, str]:
    """Return the two revisions of a still escaped ``one..other``; raises RevisionNotFound."""
    one, dots, other = rest.partition("..")
    if not (one and dots and other):
        raise RevisionNotFound(
            f"Two revisions with two dots between them are compared, not {unescape(rest)!r}."
        )
    return unescape(one), unescape(other)


def locate_rest(viewer: Viewer, name: RepoName, rest: str) -> tuple[Located, str]:
    """Split ``revision/path`` of a still escaped address and locate the revision; the path may be empty.

    An encoded slash settles it.  A decoded one leaves a single reading, because no ref is a folder of another.
    """
    segments = rest.split("/")
    taken = 3 if segments[0] == "refs" and is_pull_ref("/".join(segments[:3])) else 1
    if segments[0] == "refs" and len(segments) > 2 and segments[1] in ("heads", "tags", "convert"):
        taken = 3
    try:
        return _located(viewer, name, segments, taken)
    except RevisionNotFound:
        longer = _longer_ref(viewer, name, segments)
        if longer is None:
            raise
        return _located(viewer, name, segments, longer)


def _located(viewer: Viewer, name: RepoName, segments: list[str], taken: int) -> tuple[Located, str]:
    revision = "/".join(unescape(segment) for segment in segments[:taken])
    path = "/".join(unescape(segment) for segment in segments[taken:])
    return locate(viewer, name, revision), path


def _longer_ref(viewer: Viewer, name: RepoName, segments: list[str]) -> int | None:
    """Return how many segments name a branch or tag with slashes in it, or None."""
    parts = [unescape(segment) for segment in segments]
    full = parts[0] == "refs"
    lengths = {}
    for taken in range(2, min(len(parts), MAX_REF_SEGMENTS) + 1):
        short = "/".join(parts[:taken])
        for ref in [short] if full else [f"refs/heads/{short}", f"refs/tags/{short}"]:
            lengths[ref] = taken
    found = (
        Ref.objects.filter(repo=find_repo(viewer, name), name__in=lengths)
        .values_list("name", flat=True)
        .first()
    )
    return lengths[found] if found else None
