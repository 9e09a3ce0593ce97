"""PURE: names of repos, refs and files.  Parsed once at the door into types; inner functions take the types.

Each refusal names the trouble it prevents.
"""

import re
import unicodedata
from dataclasses import dataclass

from hub.accounts.names import BadName, check_part, check_repo
from hub.catalog.errors import BadPath, BadRefName, BadRequest, UnfitName

MAX_PATH_BYTES = 1024
MAX_DEPTH = 32
MAX_COMPONENT_BYTES = 255
MAX_REF_BYTES = 200

_HEX = re.compile(r"[0-9a-f]{4,40}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PULL_REF = re.compile(r"refs/pr/[1-9][0-9]{0,8}\Z")
# Signs without width: with one of them a second README.md looks like the first.
_UNSEEN = "\u200b\u2060\ufeff"
# Letters that are not seen and make others be read backwards.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What `git check-ref-format` refuses: control characters, space and ~ ^ : ? * [ \ have a meaning in revision syntax.
_REF_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


@dataclass(frozen=True, slots=True)
class RepoName:
    """``namespace/name`` of a given type, as the client wrote it."""

    type: str
    namespace: str
    name: str

    @property
    def full(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def key(self) -> str:
        """The lower-cased id under which the repo is found."""
        return self.full.lower()

    @classmethod
    def parse(cls, type_: str, text: str) -> "RepoName":
        """Parse the id of a repo to look up; raises BadRequest when no repo can have it."""
        namespace, slash, name = text.partition("/")
        if not slash or "/" in name:
            raise BadRequest(f"The repo id {text!r} must have the form 'namespace/name'.")
        try:
            return cls(type_, check_part(namespace, "The namespace"), check_part(name, "The repo name"))
        except BadName as error:
            raise BadRequest(str(error)) from error

    @classmethod
    def for_new(cls, type_: str, namespace: str, name: str) -> "RepoName":
        """Parse the id of a repo to be made, where more names are refused; raises BadRequest."""
        try:
            check_repo(name)
        except BadName as error:
            raise UnfitName(str(error)) from error
        return cls.parse(type_, f"{namespace}/{name}")


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path of a file or folder inside a repo, in components."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "/".join(self.parts)

    @property
    def folders(self) -> list[str]:
        """Every folder above the path, outermost first."""
        return ["/".join(self.parts[:depth]) for depth in range(1, len(self.parts))]

    @classmethod
    def parse(cls, text: str) -> "FilePath":
        """Parse a path that a client wants to write or read; raises BadPath."""
        if len(text.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
            raise BadPath(f"The path is longer than {MAX_PATH_BYTES} bytes.")
        parts = tuple(text.split("/"))
        if len(parts) > MAX_DEPTH:
            raise BadPath(f"The path {text!r} has more than {MAX_DEPTH} folders.")
        for part in parts:
            _check_component(part, text)
        return cls(parts)


def _check_component(part: str, path: str) -> None:
    if not part:
        raise BadPath(f"The path {path!r} is empty, absolute or has an empty component.")
    # A dot component would climb out of the folder that a client writes into.
    if part in (".", ".."):
        raise BadPath(f"The path {path!r} may not contain '.' or '..' as a component.")
    # A backslash is a folder separator on Windows, so the same trick with another letter.
    if "\\" in part:
        raise BadPath(f"The path {path!r} may not contain a backslash.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in _UNSEEN for letter in part):
        raise BadPath(f"The path {path!r} contains a control character or half a surrogate pair.")
    if _TURNS.search(part):
        raise BadPath(
            f"The path {path!r} turns the direction of writing: 'gpj.exe' could be read as 'exe.jpg'."
        )
    # Git refuses '.git' in any case, also as HFS+ and NTFS spell it: a checkout would overwrite its own hooks.
    if _looks_like_dot_git(part):
        raise BadPath(f"The path {path!r} may not contain '.git': a checkout would run what lies there.")
    if len(part.encode()) > MAX_COMPONENT_BYTES:
        raise BadPath(f"A component of the path {path!r} is longer than {MAX_COMPONENT_BYTES} bytes.")


def _looks_like_dot_git(part: str) -> bool:
    bare = "".join(letter for letter in part if unicodedata.category(letter) != "Cf").lower().rstrip(" .")
    return bare in (".git", "git~1") or bare.startswith(".git:")


def check_ref_part(text: str) -> str:
    """Return the short name of a branch or tag to be made; raises BadRefName."""
    if not text or len(text.encode("utf-8", "surrogatepass")) > MAX_REF_BYTES:
        raise BadRefName(f"Invalid reference name: it must have 1 to {MAX_REF_BYTES} bytes.")
    # 'refs/...' would be read as a full name; 'HEAD' and a full commit id are revisions of their own.
    if text.startswith("refs/") or text == "HEAD" or re.fullmatch(r"[0-9a-f]{40}", text):
        raise BadRefName(f"Invalid reference for a branch: {text!r} has a meaning of its own.")
    parts = text.split("/")
    bad_part = any(not part or part.startswith(".") or part.endswith((".lock", ".")) for part in parts)
    if _TURNS.search(text) or any(letter in _UNSEEN for letter in text):
        raise BadRefName(f"Invalid reference name {text!r}: it turns the direction of writing.")
    if bad_part or text.startswith("-") or _REF_FORBIDDEN.search(text):
        raise BadRefName(f"Invalid reference name {text!r}: git would not accept it.")
    return text


def candidate_refs(revision: str) -> list[str]:
    """Return the full ref names that a revision may mean, the likeliest first."""
    if revision.startswith("refs/"):
        return [revision]
    if revision == "HEAD":
        return ["refs/heads/main"]
    return [f"refs/heads/{revision}", f"refs/tags/{revision}"]


def is_pull_ref(name: str) -> bool:
    """True for ``refs/pr/N``."""
    return bool(_PULL_REF.match(name))


def is_oid_prefix(text: str) -> bool:
    """True for what can be a git id or the beginning of one (git's own minimum is four digits)."""
    return bool(_HEX.match(text))


def check_sha256(text: object, field: str = "oid") -> str:
    """Return a sha256 in lower-case hex; raises BadRequest naming the field."""
    if not isinstance(text, str) or not _SHA256.match(text):
        raise BadRequest(f"{field} must be a sha256 of 64 lower-case hex digits.")
    return text
