"""Two ways for root to start a program that refuses to run as root, without making accounts or copies.

First choice: a user namespace of one user, in which root looks like ``nobody`` and files stay root's.  Where
containers forbid that: become ``nobody`` but keep the one capability that lets it enter private folders, and
own the data folder. Both are meant for the moment between fork and exec.
"""

import ctypes
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from hub.stack.errors import StackError

NOBODY = 65534
CLONE_NEWUSER = 0x10000000
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _check(status: int, what: str) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), what)


def enter_one_user_namespace() -> None:
    """Look like ``nobody`` to ourselves; raises OSError where the kernel or a container forbids it."""
    _check(_libc.unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} 0 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} 0 1", encoding="ascii")


def become_nobody_with_entry() -> None:
    """Become ``nobody`` who passes any file permission; raises OSError when that cannot be kept."""
    os.setgroups([])
    _check(_libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    bit = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    # Effective, permitted and inheritable, first for capabilities 0-31 and then for 32-63.
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    _check(_libc.capset(header, data), "capset")
    _check(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0), "prctl(PR_CAP_AMBIENT)")


def works(way: Callable[[], None], program: Path) -> bool:
    """Say whether ``program --version`` runs after ``way``."""
    try:
        done = subprocess.run([program, "--version"], preexec_fn=way, capture_output=True, check=False)
    except (subprocess.SubprocessError, OSError):
        return False
    return done.returncode == 0


def way_for(program: Path, *, owned: Path) -> Callable[[], None] | None:
    """Return what a child must do before it becomes ``program``: nothing, unless we are root.

    ``owned`` is the folder that the program will insist on owning.  Raises StackError when no way works.
    """
    if os.geteuid() != 0 or not Path("/proc/self/uid_map").exists():
        return None
    if works(enter_one_user_namespace, program):
        _give(owned, user=0)
        return enter_one_user_namespace
    if works(become_nobody_with_entry, program):
        _give(owned, user=NOBODY)
        return become_nobody_with_entry
    raise StackError(
        f"{program.name} refuses to run as root, and this system allows neither user namespaces nor "
        "`nobody` with entry to private folders. Run the hub as an ordinary user, or give HUB_DATABASE_URL."
    )


def _give(folder: Path, *, user: int) -> None:
    """Make ``user`` the owner of a folder and all in it, if it is not so already."""
    if not folder.exists() or folder.stat().st_uid == user:
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)
