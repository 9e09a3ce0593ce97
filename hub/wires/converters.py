"""Path converters for the sheet of doors.  They work on the escaped path of `base.RawPathMiddleware`."""

from django.urls import register_converter

from hub.web import unescape


class Kind:
    """The plural repo type in API addresses."""

    regex = "models|datasets"

    def to_python(self, value: str) -> str:
        return value.removesuffix("s")

    def to_url(self, value: str) -> str:
        return value + "s"


class RepoId:
    """``namespace/name``, or one segment, which is answered as a repo that does not exist."""

    regex = "[^/]+(?:/[^/]+)?"

    def to_python(self, value: str) -> str:
        return unescape(value)

    def to_url(self, value: str) -> str:
        return value


class FullRepoId(RepoId):
    """``namespace/name`` and nothing less, where one segment is the page of a namespace."""

    regex = "[^/]+/[^/]+"


class Segment:
    """One segment, in which ``%2F`` was sent for a slash."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unescape(value)

    def to_url(self, value: str) -> str:
        return value.replace("%", "%25").replace("/", "%2F")


class Rest:
    """The rest of the path, still escaped: its first segments may be a revision.  A line break may be part of it."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


def register() -> None:
    """Make the converters known to Django."""
    for converter, name in (
        (Kind, "kind"),
        (RepoId, "repo"),
        (FullRepoId, "full_repo"),
        (Segment, "seg"),
        (Rest, "rest"),
    ):
        register_converter(converter, name)
