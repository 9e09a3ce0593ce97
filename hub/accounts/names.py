"""PURE: what a namespace or repo name may look like, and why a name is refused.

The grammar is the stock client's (`huggingface_hub.utils.validate_repo_id`): letters, digits, ``_``, ``.`` and ``-``,
at most 96 characters, a word character at both ends, no ``--``, no ``..``, no ``.git`` at the end.
"""

import re

MAX_LENGTH = 96

_SHAPE = re.compile(r"[A-Za-z0-9_.-]+\Z")
_EDGES = re.compile(r"\w(.*\w)?\Z", re.ASCII | re.DOTALL)

# Every first path segment of the URL sheet, so that no namespace can stand in front of a door.
# `tests/wires/test_sheet_of_doors.py` derives the list from `hub.urls` and fails when one is missing here.  "admin" is
# not among them: it is what people call their first user.
RESERVED_NAMESPACES = frozenset(
    """
    -  about access account accounts api assets audit blob blog bytes cas collections compare datasets design docs
    downloads explore favicon.ico federation graphql healthz help hub invite jobs join kernels lfs licenses login logout
    me metrics models new notice notifications oauth oci organizations papers password privacy raw readyz resolve review
    robots.txt rss search security settings signup sitemap.xml spaces staff static status terms tokens uploads users
    v1 v2 webhooks
    """.split()
)

# Words that stand behind a repo name in a URL, so that a repo called like one could not be told from the verb.
RESERVED_REPOS = frozenset(
    "resolve tree blob raw refs commit commits discussions settings revision branch tag info.git".split()
)


class BadName(ValueError):
    """A name is not acceptable; the message says which rule it breaks."""


def check_part(text: str, what: str) -> str:
    """Return ``text`` if it may be one half of ``namespace/name``; raises BadName naming ``what`` and the rule."""
    if not text:
        raise BadName(f"{what} is empty.")
    if len(text) > MAX_LENGTH:
        raise BadName(f"{what} has {len(text)} characters; at most {MAX_LENGTH} are allowed.")
    if not _SHAPE.match(text):
        raise BadName(f"{what} {text!r} may only contain letters, digits, '-', '_' and '.'.")
    # A leading dot hides a folder, a trailing one vanishes on some file systems, a dash looks like an option.
    if not _EDGES.match(text):
        raise BadName(f"{what} {text!r} must begin and end with a letter, a digit or '_'.")
    if "--" in text or ".." in text:
        raise BadName(f"{what} {text!r} may not contain '--' or '..'.")
    if text.lower().endswith(".git"):
        raise BadName(f"{what} {text!r} may not end in '.git', which names the git door of a repo.")
    return text


def check_namespace(text: str) -> str:
    """Return ``text`` if it may name a user or an organization; raises BadName otherwise."""
    check_part(text, "The namespace")
    if text.lower() in RESERVED_NAMESPACES:
        raise BadName(f"The namespace {text!r} is reserved: a page of the hub lives at that address.")
    return text


def check_repo(text: str) -> str:
    """Return ``text`` if it may name a repo inside a namespace; raises BadName otherwise."""
    check_part(text, "The repo name")
    if text.lower() in RESERVED_REPOS:
        raise BadName(f"The repo name {text!r} is reserved: it is a verb in repo addresses.")
    return text
