"""What keeps a file from being read or written, and what to do about it."""

import errno
from pathlib import Path

_SAYS = {
    errno.ENOENT: "is missing; check its name, or add it",
    errno.EACCES: "is not open to this user; change its permissions",
    errno.EPERM: "is not open to this user; change its permissions",
    errno.EISDIR: "is a folder; name a file",
    errno.ENOTDIR: "lies below a file, not below a folder; check the path",
    errno.EEXIST: "is there already; name another one, or take it away",
    errno.ENAMETOOLONG: "has too long a name; shorten it",
    errno.EROFS: "is on a disk that takes no writes; name a place elsewhere",
    errno.ENOSPC: "finds no room on the disk; make some, then try again",
    errno.EDQUOT: "finds no room in this user's share of the disk; make some, then try again",
    errno.EIO: "cannot be read or written by the disk; look whether the disk is sound",
    errno.EMFILE: "cannot be opened, since too many files are open; try again when less is going on",
}


def why(path: Path | str, error: OSError) -> str:
    """Return one line that names the file, the fault and the way out."""
    return f"{path}: {_SAYS.get(error.errno or 0) or error.strerror or error}"
